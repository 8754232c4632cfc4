/*
 * collect.c - the sink that sums blocks per site.  Floor: analysis.
 *
 * A block remembers its site in b->user: (site + 1) << 1 | counted; 0: outside of the question for
 * good.  `counted` is the verdict on its size, which a realloc can change.
 */
#include "analyzer/analysis/collect.h"

enum { COUNTED = 1, TICK_EVENTS = 1 << 18 };

static enum hl_kind kind_of(uint8_t entry)
{
	switch (entry) {
	case HL_ENTRY_NEW:
	case HL_ENTRY_NEW_ARRAY:
		return HL_KIND_NEW;
	case HL_ENTRY_MMAP:
		return HL_KIND_MMAP;
	case HL_ENTRY_POOL:
		return HL_KIND_POOL;
	default:
		return HL_KIND_MALLOC;
	}
}

static void tick(struct hl_collector *c)
{
	if (!(++c->events % TICK_EVENTS) && c->o.tick)
		c->o.tick(c->o.tick_ctx, c->events);
}

static void enter(struct hl_collector *c, uint32_t site, const struct hl_block *b)
{
	struct hl_stat *s = &c->heap->sites[site].stat;

	s->size += b->size;
	s->count++;
	if (!b->inherited) {
		s->total += b->size;
		s->allocations++;
	}
	if (c->o.view)
		hl_view_track(c->o.view, site, b->size, 1);
}

static void leave(struct hl_collector *c, uint32_t site, uint64_t size)
{
	struct hl_stat *s = &c->heap->sites[site].stat;

	s->size -= size;
	s->count--;
	if (c->o.view)
		hl_view_track(c->o.view, site, -size, 0);
}

/* Decide about a new block and count it. */
static void admit(struct hl_collector *c, struct hl_block *b, uint32_t site)
{
	b->user = (site + 1) << 1;
	if (b->size < c->o.min_size)
		return;
	b->user |= COUNTED;
	enter(c, site, b);
}

static uint32_t site_of(struct hl_collector *c, const struct hl_block *b)
{
	return hl_heap_site(c->heap, b->stack, b->thread, kind_of(b->entry), c->facts);
}

static void born(void *ctx, struct hl_block *b)
{
	struct hl_collector *c = ctx;
	uint32_t site;

	tick(c);
	b->user = 0;
	if (c->o.since && b->stamp <= c->o.since)
		return;
	site = site_of(c, b);
	if (site != HL_ID_NONE)
		admit(c, b, site);
}

static void died(void *ctx, const struct hl_block *b, uint64_t stamp, int temporary)
{
	struct hl_collector *c = ctx;

	(void)stamp;
	tick(c);
	if (!(b->user & COUNTED))
		return;
	leave(c, (b->user >> 1) - 1, b->size);
	c->heap->sites[(b->user >> 1) - 1].stat.temporary += temporary != 0;
}

/* The old block leaves before the new one enters: a row that has both must not see their sum. */
static void moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	struct hl_collector *c = ctx;

	if (old->user & COUNTED)
		leave(c, (old->user >> 1) - 1, old->size);
	if (!c->o.origin) {
		born(c, now);
		return;
	}
	tick(c);
	now->user = old->user;
	if (now->user)
		admit(c, now, (now->user >> 1) - 1);
}

static void shrunk(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp)
{
	struct hl_collector *c = ctx;
	uint32_t site = (b->user >> 1) - 1;

	(void)stamp;
	if (!(b->user & COUNTED))
		return;
	c->heap->sites[site].stat.size -= lost;
	if (c->o.view)
		hl_view_track(c->o.view, site, -lost, 0);
}

const struct hl_sink hl_collect_sink = {.born = born, .died = died, .moved = moved, .shrunk = shrunk};

int hl_collect(struct hl_trace *t, const struct hl_collect_options *o, struct hl_heap *heap,
	       struct hl_replay_counts *counts, struct hl_diag *d)
{
	struct hl_collector c = {.heap = heap, .facts = hl_trace_facts(t), .o = *o};

	return hl_replay(t, o->until, &hl_collect_sink, &c, counts, d);
}
