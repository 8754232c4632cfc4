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

static struct hl_weight weigh(const struct hl_collector *c, const struct hl_block *b)
{
	return hl_weigh(c->heap->sample_bytes, b->domain, b->size);
}

static void vary_live(struct hl_collector *c, uint32_t site, const struct hl_block *b,
		      const struct hl_weight *w, double sign)
{
	struct hl_errors *v = &c->heap->variances[site];

	v->size += sign * w->bytes_variance;
	v->count += sign * w->blocks_variance;
	if (c->o.shared_until && b->stamp <= c->o.shared_until) {
		v->shared_size += sign * w->bytes_variance;
		v->shared_count += sign * w->blocks_variance;
	}
	/* without blocks there is no error, whatever rounding has left */
	if (!c->heap->sites[site].stat.count)
		v->size = v->count = v->shared_size = v->shared_count = 0;
}

static void enter(struct hl_collector *c, uint32_t site, const struct hl_block *b)
{
	struct hl_stat *s = &c->heap->sites[site].stat;
	struct hl_weight w = weigh(c, b);

	s->size += w.bytes;
	s->count += w.blocks;
	if (!b->inherited) {
		s->total += w.bytes;
		s->allocations += w.blocks;
	}
	if (c->heap->sample_bytes) {
		vary_live(c, site, b, &w, 1);
		if (!b->inherited) {
			c->heap->variances[site].total += w.bytes_variance;
			c->heap->variances[site].allocations += w.blocks_variance;
		}
	}
	if (c->o.view)
		hl_view_track(c->o.view, site, w.bytes, w.bytes_variance, 1);
}

static void leave(struct hl_collector *c, uint32_t site, const struct hl_block *b, int temporary)
{
	struct hl_stat *s = &c->heap->sites[site].stat;
	struct hl_weight w = weigh(c, b);

	s->size -= w.bytes;
	s->count -= w.blocks;
	s->temporary += temporary ? w.blocks : 0;
	if (c->heap->sample_bytes) {
		vary_live(c, site, b, &w, -1);
		c->heap->variances[site].temporary += temporary ? w.blocks_variance : 0;
	}
	if (c->o.view)
		hl_view_track(c->o.view, site, -w.bytes, -w.bytes_variance, 0);
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

static void died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	struct hl_collector *c = ctx;

	tick(c);
	if (!(b->user & COUNTED))
		return;
	leave(c, (b->user >> 1) - 1, b, death->temporary);
}

/* The old block leaves before the new one enters: a row that has both must not see their sum. */
static void moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	struct hl_collector *c = ctx;

	if (old->user & COUNTED)
		leave(c, (old->user >> 1) - 1, old, 0);
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
	/* of mappings nothing is left out of a sample: no variance leaves */
	lost = hl_weigh(c->heap->sample_bytes, HL_DOMAIN_MMAP, lost).bytes;
	c->heap->sites[site].stat.size -= lost;
	if (c->o.view)
		hl_view_track(c->o.view, site, -lost, 0, 0);
}

const struct hl_sink hl_collect_sink = {.born = born, .died = died, .moved = moved, .shrunk = shrunk};

int hl_collect(struct hl_trace *t, const struct hl_collect_options *o, struct hl_heap *heap,
	       struct hl_replay_counts *counts, struct hl_diag *d)
{
	struct hl_collector c = {.heap = heap, .facts = hl_trace_facts(t), .o = *o};

	heap->sample_bytes = c.facts->sample_bytes;
	return hl_replay(t, o->until, &hl_collect_sink, &c, counts, d);
}
