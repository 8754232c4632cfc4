/*
 * misuse.c - wrong frees, with the block that they hit.  Floor: analysis.
 */
#include "analyzer/analysis/misuse.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>
#include <string.h>

const char *const hl_misuse_names[HL_MISUSE_KINDS] = {"double free", "invalid free", "mismatched free"};

/* What covers an address, or did last. */
struct covered {
	struct hl_block block;
	struct hl_death before; /* how it ended, where it is dead */
	uint8_t has_block, dead;
};

/* One wrong free, by stamps and stacks. */
struct wrong {
	struct hl_bad_free freed;
	struct covered by; /* when it happened */
	uint8_t mismatched;
	uint8_t over; /* it has happened: what comes now, at the same stamp perhaps, is not told of it */
	size_t seq;   /* as they were found */
};

/* An address of wrong[first, end): as many frees as there may be of it, a block covers it once. */
struct place {
	size_t first, end;
	struct covered now;
};

struct search {
	struct wrong *wrong; /* second replay: by domain and address, then stamp */
	size_t n, room;
	struct place *places; /* second replay: in that order */
	size_t nplaces, places_room;
};

static struct wrong *add(struct search *s, const struct hl_bad_free *freed)
{
	s->wrong = hl_grow(s->wrong, &s->room, s->n + 1, sizeof(*s->wrong));
	s->wrong[s->n] = (struct wrong){.freed = *freed, .seq = s->n};
	return &s->wrong[s->n++];
}

/* ---- the first replay ---- */

static void found_bad(void *ctx, const struct hl_bad_free *bad)
{
	add(ctx, bad);
}

static void found_end(struct search *s, const struct hl_block *b, const struct hl_death *death)
{
	struct wrong *w;

	if (!hl_entry_mismatch(b->entry, death->entry))
		return;
	w = add(s, &(struct hl_bad_free){.address = b->address,
					 .stamp = death->stamp,
					 .stack = death->stack,
					 .thread = death->thread,
					 .entry = death->entry,
					 .domain = b->domain});
	w->by.block = *b;
	w->by.has_block = w->mismatched = w->over = 1;
}

static void found_died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	found_end(ctx, b, death);
}

static struct hl_death moved_away(const struct hl_block *now)
{
	return (struct hl_death){
		.stamp = now->stamp, .stack = now->stack, .thread = now->thread, .entry = HL_ENTRY_REALLOC};
}

static void found_moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	struct hl_death death = moved_away(now);

	found_end(ctx, old, &death);
}

/* ---- the second ---- */

static int by_address(const void *a, const void *b)
{
	const struct hl_bad_free *x = &((const struct wrong *)a)->freed,
				 *y = &((const struct wrong *)b)->freed;

	if (x->domain != y->domain)
		return x->domain < y->domain ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->stamp > y->stamp) - (x->stamp < y->stamp);
}

static void make_places(struct search *s)
{
	qsort(s->wrong, s->n, sizeof(*s->wrong), by_address);
	for (size_t i = 0; i < s->n; i++) {
		const struct hl_bad_free *f = &s->wrong[i].freed, *last = i ? &s->wrong[i - 1].freed : NULL;

		if (!last || last->domain != f->domain || last->address != f->address) {
			s->places = hl_grow(s->places, &s->places_room, s->nplaces + 1, sizeof(*s->places));
			s->places[s->nplaces++] = (struct place){.first = i};
		}
		s->places[s->nplaces - 1].end = i + 1;
	}
}

static const struct hl_bad_free *freed_at(const struct search *s, size_t place)
{
	return &s->wrong[s->places[place].first].freed;
}

/* The first place that is not below. */
static size_t first_at(const struct search *s, uint8_t domain, uint64_t address)
{
	size_t low = 0, high = s->nplaces;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct hl_bad_free *f = freed_at(s, mid);

		if (f->domain < domain || (f->domain == domain && f->address < address))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The first of a place's that is not older. */
static size_t first_of(const struct search *s, const struct place *p, uint64_t stamp)
{
	size_t low = p->first, high = p->end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->wrong[mid].freed.stamp < stamp)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* death NULL: b is born. */
static void cover(struct search *s, const struct hl_block *b, const struct hl_death *death)
{
	uint64_t last = b->address + (b->size ? b->size - 1 : 0);

	if (last < b->address)
		last = UINT64_MAX;
	for (size_t i = first_at(s, b->domain, b->address); i < s->nplaces; i++) {
		const struct hl_bad_free *f = freed_at(s, i);
		struct covered *now = &s->places[i].now;

		if (f->domain != b->domain || f->address > last)
			break;
		if (!death) {
			*now = (struct covered){.block = *b, .has_block = 1};
		} else if (now->has_block && now->block.address == b->address) {
			now->before = *death;
			now->dead = 1;
		}
	}
}

static void see_odd(void *ctx, const struct hl_bad_free *odd)
{
	struct search *s = ctx;
	size_t at = first_at(s, odd->domain, odd->address);
	const struct hl_bad_free *f;
	const struct place *p;

	if (at == s->nplaces)
		return;
	p = &s->places[at];
	f = freed_at(s, at);
	if (f->domain != odd->domain || f->address != odd->address)
		return;
	for (size_t i = first_of(s, p, odd->stamp); i < p->end; i++) {
		struct wrong *w = &s->wrong[i];

		if (w->freed.stamp != odd->stamp)
			break;
		if (w->over || w->freed.thread != odd->thread)
			continue;
		w->by = p->now;
		w->over = 1;
		return;
	}
}

static void see_born(void *ctx, struct hl_block *b)
{
	cover(ctx, b, NULL);
}

static void see_died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	cover(ctx, b, death);
}

static void see_moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	struct hl_death death = moved_away(now);

	cover(ctx, old, &death);
	cover(ctx, now, NULL);
}

/* ---- to rows ---- */

static enum hl_misuse_kind kind_of(const struct wrong *w)
{
	if (w->mismatched)
		return HL_MISUSE_MISMATCHED;
	return w->by.has_block && w->by.dead && w->by.block.address == w->freed.address ? HL_MISUSE_DOUBLE
											: HL_MISUSE_INVALID;
}

static struct hl_misuse row_of(const struct hl_calls *n, const char *path, const struct wrong *w)
{
	const struct hl_bad_free *f = &w->freed;
	const struct hl_death *before = &w->by.before;
	const struct hl_block *b = &w->by.block;
	struct hl_misuse m = {.trace = path, .count = 1, .address = f->address};

	m.kind = kind_of(w);
	m.freed = hl_call_make(n, f->entry, f->domain, f->stamp, f->stack, f->thread);
	if (w->by.dead && before->entry != HL_ENTRY_COUNT)
		m.freed_before = hl_call_make(n, before->entry, f->domain, before->stamp, before->stack,
					      before->thread);
	if (w->by.has_block) {
		m.block = b->address;
		m.size = b->size;
		m.allocated = hl_call_make(n, b->entry, b->domain, b->stamp, b->stack, b->thread);
	}
	return m;
}

static int same_call(struct hl_names *n, const struct hl_call *a, const struct hl_call *b)
{
	if (a->known != b->known || a->function != b->function || !a->traceback != !b->traceback)
		return 0;
	return !a->traceback || hl_names_canonical(n, a->traceback) == hl_names_canonical(n, b->traceback);
}

static uint64_t hash_call(struct hl_names *n, const struct hl_call *c)
{
	return c->traceback ? hl_mix(hl_names_canonical(n, c->traceback)) : (uint64_t)c->known;
}

static uint64_t hash(struct hl_names *n, const struct hl_misuse *m)
{
	return hl_mix(hl_mix(hash_call(n, &m->freed) + hash_call(n, &m->freed_before)) +
		      hash_call(n, &m->allocated) + m->kind);
}

/* A row of its own, or one more of what an earlier one of the same trace tells. */
static void put(struct hl_misuses *all, struct hl_names *n, struct hl_idset *set, const struct hl_misuse *m)
{
	uint64_t h = hash(n, m);
	size_t pos = 0;
	uint32_t id;

	all->count[m->kind]++;
	all->stackless |= !m->freed.traceback;
	while ((id = hl_idset_next(set, h, &pos)) != HL_ID_NONE) {
		struct hl_misuse *old = &all->row[id];

		if (old->kind == m->kind && same_call(n, &old->freed, &m->freed) &&
		    same_call(n, &old->freed_before, &m->freed_before) &&
		    same_call(n, &old->allocated, &m->allocated)) {
			old->count++;
			return;
		}
	}
	all->row = hl_grow(all->row, &all->room, all->n + 1, sizeof(*all->row));
	hl_idset_add(set, h, (uint32_t)all->n);
	all->row[all->n++] = *m;
}

/* Equal stamps: the events of one thread come in its order. */
static int by_stamp(const void *a, const void *b)
{
	const struct wrong *x = a, *y = b;

	if (x->freed.stamp != y->freed.stamp)
		return x->freed.stamp < y->freed.stamp ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static void release(struct search *s)
{
	free(s->places);
	free(s->wrong);
}

static int search(struct search *s, struct hl_trace *t, struct hl_replay_counts *counts, struct hl_diag *d)
{
	static const struct hl_sink find = {.died = found_died, .moved = found_moved, .bad_free = found_bad};
	static const struct hl_sink see = {
		.born = see_born, .died = see_died, .moved = see_moved, .odd_free = see_odd};
	struct hl_replay_counts again;
	int err = hl_replay(t, UINT64_MAX, &find, s, counts, d);

	if (!err && counts->unexplained_frees) {
		make_places(s);
		err = hl_replay(t, UINT64_MAX, &see, s, &again, d);
	}
	return err;
}

int hl_misuses_count(struct hl_trace *t, uint64_t count[HL_MISUSE_KINDS], struct hl_replay_counts *counts,
		     struct hl_diag *d)
{
	struct search s = {0};
	int err = search(&s, t, counts, d);

	memset(count, 0, HL_MISUSE_KINDS * sizeof(*count));
	for (size_t i = 0; i < s.n; i++)
		count[kind_of(&s.wrong[i])]++;
	release(&s);
	return err;
}

int hl_misuses_add(struct hl_misuses *all, struct hl_trace *t, const char *path, struct hl_names *names,
		   struct hl_stacks *stacks, struct hl_replay_counts *counts, struct hl_diag *d)
{
	struct hl_calls n = {t, names, stacks};
	struct hl_idset set = {0};
	struct search s = {0};
	int err = search(&s, t, counts, d);

	if (!err && s.n) {
		qsort(s.wrong, s.n, sizeof(*s.wrong), by_stamp);
		for (size_t i = 0; i < s.n; i++) {
			struct hl_misuse m = row_of(&n, path, &s.wrong[i]);

			put(all, names, &set, &m);
		}
	}
	all->names = names;
	hl_idset_release(&set);
	release(&s);
	return err;
}

void hl_misuses_release(struct hl_misuses *all)
{
	free(all->row);
	*all = (struct hl_misuses){0};
}
