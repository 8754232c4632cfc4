/*
 * growth.c - live bytes by chains of functions at each snapshot, compared with those before.  Floor: analysis.
 *
 * A chain needs no more than its first and its last sum: one that did not grow once is out of the question for good, as
 * is one that is first seen after the second snapshot.
 */
#include "analyzer/analysis/growth.h"
#include "analyzer/analysis/baseline.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

struct site {
	uint64_t bytes, blocks; /* that live */
	uint32_t stack;
	uint32_t chain; /* HL_ID_NONE: it did not live at a snapshot yet */
};

struct chain {
	uint64_t hash;
	uint64_t first_bytes, first_blocks, last_bytes, bytes, blocks;
	uint64_t largest; /* bytes of the site below, now */
	uint32_t stack;
	int grew; /* every time */
};

struct hl_growth_watch {
	struct hl_stacks *stacks;
	struct hl_idmap by_stack;
	struct hl_idset by_hash;
	struct site *sites;
	struct chain *chains;
	size_t nsites, sites_room, nchains, chains_room;
	uint32_t snapshots;
};

static void born(void *ctx, struct hl_block *b)
{
	struct hl_growth_watch *w = ctx;
	uint32_t id = hl_idmap_find(&w->by_stack, b->stack);

	if (id == HL_ID_NONE) {
		id = (uint32_t)w->nsites;
		w->sites = hl_grow(w->sites, &w->sites_room, w->nsites + 1, sizeof(*w->sites));
		w->sites[w->nsites++] = (struct site){.stack = b->stack, .chain = HL_ID_NONE};
		hl_idmap_add(&w->by_stack, b->stack, id);
	}
	w->sites[id].bytes += b->size;
	w->sites[id].blocks++;
	b->user = id;
}

static void died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	struct hl_growth_watch *w = ctx;

	(void)death;
	w->sites[b->user].bytes -= b->size;
	w->sites[b->user].blocks--;
}

static void moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	died(ctx, old, NULL);
	born(ctx, now);
}

static void shrunk(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp)
{
	struct hl_growth_watch *w = ctx;

	(void)stamp;
	w->sites[b->user].bytes -= lost;
}

static uint32_t chain_of(struct hl_growth_watch *w, uint32_t stack)
{
	uint64_t hash = hl_baseline_hash(hl_stacks_names(w->stacks), hl_stacks_traceback(w->stacks, stack));
	uint32_t id;

	for (size_t pos = 0; (id = hl_idset_next(&w->by_hash, hl_mix(hash), &pos)) != HL_ID_NONE;)
		if (w->chains[id].hash == hash)
			return id;
	id = (uint32_t)w->nchains;
	w->chains = hl_grow(w->chains, &w->chains_room, w->nchains + 1, sizeof(*w->chains));
	w->chains[w->nchains++] = (struct chain){.hash = hash, .grew = w->snapshots <= 1};
	hl_idset_add(&w->by_hash, hl_mix(hash), id);
	return id;
}

static void sum_up(struct hl_growth_watch *w)
{
	for (size_t i = 0; i < w->nchains; i++)
		w->chains[i].bytes = w->chains[i].blocks = w->chains[i].largest = 0;
	for (size_t i = 0; i < w->nsites; i++) {
		struct site *s = &w->sites[i];
		struct chain *c;

		if (!s->blocks)
			continue;
		if (s->chain == HL_ID_NONE)
			s->chain = chain_of(w, s->stack);
		c = &w->chains[s->chain];
		c->bytes += s->bytes;
		c->blocks += s->blocks;
		if (s->bytes >= c->largest) {
			c->largest = s->bytes;
			c->stack = s->stack;
		}
	}
}

static void mark(void *ctx, uint64_t stamp, enum hl_mark reason, const char *label, uint32_t thread)
{
	struct hl_growth_watch *w = ctx;

	(void)stamp;
	(void)label;
	(void)thread;
	if (reason == HL_MARK_END || reason == HL_MARK_GROWTH)
		return;
	sum_up(w);
	for (size_t i = 0; i < w->nchains; i++) {
		struct chain *c = &w->chains[i];

		if (!w->snapshots) {
			c->first_bytes = c->bytes;
			c->first_blocks = c->blocks;
		} else if (c->bytes <= c->last_bytes) {
			c->grew = 0;
		}
		c->last_bytes = c->bytes;
	}
	w->snapshots++;
}

const struct hl_sink hl_growth_sink = {
	.born = born, .died = died, .moved = moved, .shrunk = shrunk, .mark = mark};

static int most_first(const void *x, const void *y)
{
	const struct hl_growth *a = x, *b = y;
	uint64_t of_a = a->to_bytes - a->from_bytes, of_b = b->to_bytes - b->from_bytes;

	if (of_a != of_b)
		return of_a > of_b ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

void hl_growth_find(struct hl_growths *out, const struct hl_growth_watch *w, uint64_t max)
{
	size_t room = 0;

	*out = (struct hl_growths){.snapshots = w->snapshots};
	for (size_t i = 0; i < w->nchains && w->snapshots >= HL_GROWTH_SNAPSHOTS_MIN; i++) {
		const struct chain *c = &w->chains[i];
		uint64_t by = c->bytes - c->first_bytes;

		if (!c->grew)
			continue;
		out->most = by > out->most ? by : out->most;
		if (by <= max)
			continue;
		out->growth = hl_grow(out->growth, &room, out->n + 1, sizeof(*out->growth));
		out->growth[out->n++] =
			(struct hl_growth){.traceback = hl_stacks_traceback(w->stacks, c->stack),
					   .addresses = hl_stacks_addresses(w->stacks, c->stack),
					   .hash = c->hash,
					   .times = w->snapshots - 1,
					   .from_bytes = c->first_bytes,
					   .from_blocks = c->first_blocks,
					   .to_bytes = c->bytes,
					   .to_blocks = c->blocks};
	}
	if (out->n)
		qsort(out->growth, out->n, sizeof(*out->growth), most_first);
}

struct hl_growth_watch *hl_growth_watch_new(void)
{
	return hl_xcalloc(1, sizeof(struct hl_growth_watch));
}

void hl_growth_watch_start(struct hl_growth_watch *w, struct hl_stacks *stacks)
{
	w->stacks = stacks;
}

void hl_growth_watch_free(struct hl_growth_watch *w)
{
	if (!w)
		return;
	hl_idmap_release(&w->by_stack);
	hl_idset_release(&w->by_hash);
	free(w->sites);
	free(w->chains);
	free(w);
}

void hl_growth_free(struct hl_growth *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((uint64_t *)g[i].addresses);
	free(g);
}
