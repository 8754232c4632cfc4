/*
 * replay.c - which block an event is about.  Floor: model.
 *
 * Invariants: a live block is at one address of `at`, or in `ranges`, or held by one stream's realloc,
 * or was abandoned by one (in flight).  Events are taken in the order of the merge.
 */
#include "analyzer/model/replay.h"
#include "analyzer/base/buf.h"
#include "analyzer/model/book.h"
#include "analyzer/model/ranges.h"
#include "analyzer/model/repair.h"
#include <stdlib.h>

#define BATCH 16

/* What a stream's realloc holds between its release and its end. */
enum held { HELD_NOTHING, HELD_BLOCK, HELD_UNKNOWN, HELD_DEAD };

struct holder {
	uint64_t address;
	uint32_t block;
	uint32_t stack; /* where it was called */
	uint32_t what;  /* enum held */
};

struct replay {
	struct hl_book book;
	struct hl_map at[2]; /* live blocks of heap, of pool */
	struct hl_ranges ranges;
	struct hl_repair repair;
	struct hl_map holder_at; /* stream to holder + 1 */
	struct holder *holders;
	size_t nholders, holders_cap;
	uint64_t abandoned; /* blocks whose realloc will never end */
	uint64_t last_stamp;
};

static struct hl_map *map_of(struct replay *r, uint8_t domain)
{
	return &r->at[domain == HL_DOMAIN_POOL];
}

static struct holder *holder_of(struct replay *r, uint32_t stream)
{
	/* streams may have any number, and 0 is one of them: the key need not differ from 0 */
	uint32_t *at = hl_map_slot(&r->holder_at, stream);

	if (!*at) {
		r->holders = hl_grow(r->holders, &r->holders_cap, r->nholders + 1, sizeof(*r->holders));
		r->holders[r->nholders] = (struct holder){0};
		*at = (uint32_t)++r->nholders;
	}
	return &r->holders[*at - 1];
}

/* Block i is at its address since e, but its free or release had come before. */
static void end_at_once(struct replay *r, const struct hl_event *e, uint32_t i, const struct hl_oddity *odd)
{
	struct holder *h = odd->kind == HL_ODD_RELEASE ? holder_of(r, odd->stream) : NULL;

	hl_map_remove(map_of(r, e->domain), e->address);
	if (h && h->what == HELD_UNKNOWN && h->address == e->address) {
		h->what = HELD_BLOCK;
		h->block = i;
	} else {
		struct hl_death death = {.stamp = e->stamp,
					 .stack = odd->bad.stack,
					 .thread = odd->bad.thread,
					 .entry = odd->bad.entry};

		hl_book_die(&r->book, i, &death);
	}
}

/* e puts a block at its address: the one that moved there, or (moved 0) a new one. */
static void place(struct replay *r, const struct hl_event *e, uint32_t moved)
{
	uint32_t *at = hl_map_slot(map_of(r, e->domain), e->address);
	uint32_t old = *at, i = moved;
	struct hl_oddity odd;

	/* The old block is gone, whether its free is late or lost: the peak must not see both. */
	if (old) {
		struct hl_death death = hl_death_at(e->stamp);

		hl_book_die(&r->book, old, &death);
		hl_repair_note(&r->repair, HL_ODD_ALLOC, e);
	}
	if (moved)
		hl_book_move(&r->book, moved, e);
	else
		i = hl_book_born(&r->book, e);
	*at = i;
	if (!old && hl_repair_any(&r->repair) && hl_repair_match(&r->repair, e, &odd))
		end_at_once(r, e, i, &odd);
}

static void cut_range(struct replay *r, uint64_t start, uint64_t end, uint64_t stamp)
{
	struct hl_cut c;

	while (hl_ranges_cut(&r->ranges, start, end, &c)) {
		uint64_t address = hl_book_block(&r->book, c.block)->address;

		if (address == c.piece && c.left)
			address = c.left;
		hl_book_cut(&r->book, c.block, c.bytes, address, stamp);
	}
}

static uint64_t range_end(const struct hl_event *e)
{
	uint64_t end;

	return __builtin_add_overflow(e->address, e->size, &end) ? UINT64_MAX : end;
}

static void map_range(struct replay *r, const struct hl_event *e)
{
	struct hl_event clipped = *e;
	uint64_t end = range_end(e);

	clipped.size = end - e->address;
	if (!clipped.size)
		return;
	cut_range(r, e->address, end, e->stamp);
	hl_ranges_add(&r->ranges, e->address, end, hl_book_born(&r->book, &clipped));
}

static void on_alloc(struct replay *r, const struct hl_event *e)
{
	if (e->domain == HL_DOMAIN_MMAP)
		map_range(r, e);
	else
		place(r, e, 0);
}

static void on_free(struct replay *r, const struct hl_event *e)
{
	struct hl_oddity odd;
	uint64_t end;
	uint32_t i;

	if (e->domain == HL_DOMAIN_MMAP) {
		if (hl_ranges_at(&r->ranges, e->address, &end))
			cut_range(r, e->address, end, e->stamp);
		else
			r->book.counts.unexplained_frees++;
		return;
	}
	/* the late free of a block that an alloc has already ended */
	if (hl_repair_any(&r->repair) && hl_repair_match(&r->repair, e, &odd))
		return;
	i = hl_map_remove(map_of(r, e->domain), e->address);
	if (i) {
		struct hl_death death = hl_death_by(e);

		hl_book_die(&r->book, i, &death);
	} else
		hl_repair_note(&r->repair, HL_ODD_FREE, e);
}

static void on_release(struct replay *r, const struct hl_event *e)
{
	struct holder *h = holder_of(r, e->stream);
	struct hl_oddity odd;

	if (h->what == HELD_BLOCK)
		r->abandoned++;
	h->address = e->address;
	h->stack = e->stack;
	h->block = 0;
	h->what = HELD_DEAD;
	if (hl_repair_any(&r->repair) && hl_repair_match(&r->repair, e, &odd))
		return;
	h->block = hl_map_remove(map_of(r, e->domain), e->address);
	h->what = h->block ? HELD_BLOCK : HELD_UNKNOWN;
	if (!h->block)
		hl_repair_note(&r->repair, HL_ODD_RELEASE, e);
}

/* What the stream's realloc held is the caller's now. */
static struct holder let_go(struct replay *r, const struct hl_event *e)
{
	struct holder *h = holder_of(r, e->stream), held = *h;

	*h = (struct holder){0};
	return held;
}

static void on_realloc(struct replay *r, const struct hl_event *e)
{
	struct holder held = let_go(r, e);

	place(r, e, held.what == HELD_BLOCK ? held.block : 0);
}

static void on_restore(struct replay *r, const struct hl_event *e)
{
	struct holder held = let_go(r, e);
	struct hl_oddity odd;
	uint32_t *at;

	if (held.what != HELD_BLOCK)
		return;
	at = hl_map_slot(map_of(r, e->domain), held.address);
	if (*at) {
		/* somebody was given its address meanwhile, so it cannot have stayed */
		struct hl_death death = hl_death_at(e->stamp);

		r->book.counts.violations++;
		hl_book_die(&r->book, held.block, &death);
		return;
	}
	*at = held.block;
	if (hl_repair_any(&r->repair) && hl_repair_match(&r->repair, e, &odd))
		end_at_once(r, e, held.block, &odd);
}

static void on_drop(struct replay *r, const struct hl_event *e)
{
	struct holder held = let_go(r, e);

	if (held.what == HELD_BLOCK) {
		struct hl_death death = hl_death_by(e);

		death.stack = held.stack;
		hl_book_die(&r->book, held.block, &death);
	}
}

/* Nothing of what is open now will ever be closed. */
static void abandon(struct replay *r)
{
	hl_repair_expire(&r->repair, UINT64_MAX);
	for (size_t i = 0; i < r->nholders; i++)
		r->abandoned += r->holders[i].what == HELD_BLOCK;
	r->nholders = 0;
	hl_map_clear(&r->holder_at);
}

static void on_event(struct replay *r, const struct hl_event *e)
{
	struct hl_book *b = &r->book;

	if (b->silent && !e->inherited) {
		abandon(r);
		/* the fork was before the first own event: `until` this stamp is the inherited heap */
		hl_book_fork(b, e->stamp ? e->stamp - 1 : 0);
	}
	hl_repair_expire(&r->repair, e->stamp);
	if (!b->counts.events++)
		b->counts.first_stamp = e->stamp;
	r->last_stamp = e->stamp;
	switch ((enum hl_event_type)e->type) {
	case HL_EV_ALLOC:
		on_alloc(r, e);
		break;
	case HL_EV_FREE:
		on_free(r, e);
		break;
	case HL_EV_RELEASE:
		on_release(r, e);
		break;
	case HL_EV_REALLOC:
		on_realloc(r, e);
		break;
	case HL_EV_RESTORE:
		on_restore(r, e);
		break;
	case HL_EV_DROP:
		on_drop(r, e);
		break;
	case HL_EV_MAP_RANGE:
		map_range(r, e);
		break;
	case HL_EV_FREE_RANGE:
		cut_range(r, e->address, range_end(e), e->stamp);
		break;
	case HL_EV_MARK:
		if (b->sink->mark && !b->silent)
			b->sink->mark(b->ctx, e->stamp, (enum hl_mark)e->mark, e->label, e->thread);
		break;
	}
}

/* Up to BATCH events, ending after a mark, whose label the next call would overwrite; the lines they
 * will need are fetched meanwhile.  *end: no more are wanted. */
static unsigned next_batch(struct replay *r, struct hl_merge *m, uint64_t until, struct hl_event *batch,
			   int *end)
{
	unsigned n = 0;

	while (n < BATCH) {
		struct hl_event *e = &batch[n];

		if (!hl_merge_next(m, e) || e->stamp > until) {
			*end = 1;
			break;
		}
		n++;
		if (e->type == HL_EV_MARK)
			break;
		hl_map_prefetch(map_of(r, e->domain), e->address);
	}
	return n;
}

static void run(struct replay *r, struct hl_trace *t, uint64_t until)
{
	struct hl_merge *m = hl_merge_new(t);
	struct hl_event batch[BATCH];
	int end = 0, first = 1;

	while (!end) {
		unsigned n = next_batch(r, m, until, batch, &end);

		if (first && n)
			r->book.silent = batch[0].inherited;
		first = first && !n;
		for (unsigned i = 0; i < n; i++)
			on_event(r, &batch[i]);
	}
	hl_merge_free(m);
	abandon(r);
	if (r->book.silent)
		hl_book_fork(&r->book, r->last_stamp);
	else
		r->book.counts.last_stamp = r->last_stamp;
	r->book.counts.in_flight = r->abandoned;
}

int hl_replay_live(struct hl_trace *t, uint64_t until, const struct hl_sink *sink, void *ctx,
		   void (*live)(void *live_ctx, const struct hl_block *b), void *live_ctx,
		   struct hl_replay_counts *out, struct hl_diag *d)
{
	struct replay r = {0};
	uint64_t window = hl_trace_header(t)->ticks_per_s / (1000000000 / HL_REPAIR_NS);

	(void)d;
	hl_book_init(&r.book, sink, ctx, hl_trace_facts(t)->sample_bytes);
	hl_map_init(&r.at[0]);
	hl_map_init(&r.at[1]);
	hl_map_init(&r.holder_at);
	hl_repair_init(&r.repair, window ? window : 1, &r.book);
	run(&r, t, until);
	if (live)
		hl_book_each(&r.book, live, live_ctx);
	if (out)
		hl_book_finish(&r.book, out);
	hl_repair_release(&r.repair);
	hl_ranges_release(&r.ranges);
	hl_map_release(&r.holder_at);
	hl_map_release(&r.at[1]);
	hl_map_release(&r.at[0]);
	hl_book_release(&r.book);
	free(r.holders);
	return HL_OK;
}

int hl_replay(struct hl_trace *t, uint64_t until, const struct hl_sink *sink, void *ctx,
	      struct hl_replay_counts *out, struct hl_diag *d)
{
	return hl_replay_live(t, until, sink, ctx, NULL, NULL, out, d);
}
