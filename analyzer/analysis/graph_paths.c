/*
 * graph_paths.c - why is a block reached, and which pointers close a ring?  Floor: analysis.
 *
 * Breadth-first searches that note for each block which one led to it first; the pointer itself is looked up
 * again when the way is told, in the one block on the way.
 */
#include "analyzer/analysis/graph_impl.h"
#include "analyzer/base/buf.h"
#include <string.h>

/* via: the block before, or FROM_ROOT | index of the root. */
#define FROM_ROOT 0x80000000u

struct search {
	struct hl_graph *g;
	uint32_t *queue, head, tail;
};

static struct search search_start(struct hl_graph *g)
{
	if (!g->via) {
		g->via = hl_xmalloc((size_t)g->n * sizeof(*g->via));
		memset(g->via, 0xff, (size_t)g->n * sizeof(*g->via));
	}
	return (struct search){g, NULL, 0, 0};
}

static void search_add(struct search *s, size_t *room, uint32_t b, uint32_t via)
{
	if (s->g->via[b] != HL_GRAPH_NONE)
		return;
	s->g->via[b] = via;
	s->queue = hl_grow(s->queue, room, (size_t)s->tail + 1, sizeof(*s->queue));
	s->queue[s->tail++] = b;
}

static void search_end(struct search *s)
{
	for (uint32_t i = 0; i < s->tail; i++)
		s->g->via[s->queue[i]] = HL_GRAPH_NONE;
	free(s->queue);
}

uint32_t hl_graph_end(const struct hl_graph *g, uint32_t b)
{
	uint32_t end = b + 1;

	while (end < g->n && hl_graph_around(g, end) != HL_GRAPH_NONE && hl_graph_around(g, end) >= b)
		end++;
	return end;
}

/* The place in the group's head that a link leads to; HL_GRAPH_NONE: elsewhere. */
static uint32_t head_place(const struct hl_graph *g, const struct hl_link *l, uint32_t group)
{
	uint32_t b = l->target >> 2;

	if (hl_graph_reached(g, b) || g->group_of[b] != group)
		return HL_GRAPH_NONE;
	b = hl_graph_place(g, b);
	return g->kinds[b] == HL_LEAK_DEFINITE ? b : HL_GRAPH_NONE;
}

/* The last place of a shortest ring; HL_GRAPH_NONE is not possible in a head of several places. */
static uint32_t close_ring(struct search *s, uint32_t group)
{
	const struct hl_graph *g = s->g;
	uint32_t head = g->groups[group].head;
	size_t room = 0;

	search_add(s, &room, head, FROM_ROOT);
	while (s->head < s->tail) {
		uint32_t from = s->queue[s->head++], end = g->row[hl_graph_end(g, from)];

		for (uint32_t i = g->row[from]; i < end; i++) {
			uint32_t to = head_place(g, &g->links[i], group);

			if (to == head && from != head)
				return from;
			if (to != HL_GRAPH_NONE)
				search_add(s, &room, to, from);
		}
	}
	return HL_GRAPH_NONE;
}

/* The pointer in one place that leads to another, or in a block to its own start. */
static struct hl_graph_step ring_step(const struct hl_graph *g, uint32_t from, uint32_t to, uint32_t group)
{
	uint32_t end = hl_graph_end(g, from);

	for (uint32_t b = from; b < end; b++)
		for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++) {
			const struct hl_link *l = &g->links[i];

			if (from == to ? l->target == (from << 2 | HL_POINT_START) && b == from
				       : head_place(g, l, group) == to)
				return (struct hl_graph_step){.block = from,
							      .how = (enum hl_point)(l->target & 3),
							      .offset = hl_graph_slot(g, b, l) -
									g->spans[from].address};
		}
	abort();
}

struct hl_graph_step *hl_graph_ring(struct hl_graph *g, uint32_t group, size_t *n)
{
	uint32_t head = g->groups[group].head, last = head, length = 1, to = head;
	struct search s = search_start(g);
	struct hl_graph_step *step = NULL;

	if (g->groups[group].cycle) {
		if (g->groups[group].heads > 1)
			last = close_ring(&s, group);
		for (uint32_t b = last; b != head; b = g->via[b])
			length++;
		step = hl_xmalloc(length * sizeof(*step));
		*n = length;
		for (uint32_t b = last; length; b = g->via[b]) {
			step[--length] = ring_step(g, b, to, group);
			to = b;
		}
	}
	search_end(&s);
	return step;
}

static void reach_block(struct search *s, uint32_t block, int strong)
{
	const struct hl_graph *g = s->g;
	size_t room = 0;

	for (size_t i = 0; i < g->nroots; i++)
		if (!strong || (g->roots[i].target & 3) != HL_POINT_INTERIOR)
			search_add(s, &room, g->roots[i].target >> 2, FROM_ROOT | (uint32_t)i);
	while (s->g->via[block] == HL_GRAPH_NONE) {
		uint32_t b = s->queue[s->head++], outer = hl_graph_around(g, b);

		for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++)
			if (!strong || (g->links[i].target & 3) != HL_POINT_INTERIOR)
				search_add(s, &room, g->links[i].target >> 2, b);
		if (outer != HL_GRAPH_NONE)
			search_add(s, &room, outer, b);
	}
}

/* The strongest pointer from one block to another, of these the first. */
static struct hl_graph_step path_step(const struct hl_graph *g, uint32_t from, uint32_t to, int strong)
{
	struct hl_graph_step step = {.block = from, .how = HL_POINT_AROUND};

	for (uint32_t i = g->row[from]; i < g->row[from + 1]; i++) {
		const struct hl_link *l = &g->links[i];

		enum hl_point how = (enum hl_point)(l->target & 3);

		if (l->target >> 2 == to && how < step.how && !(strong && how == HL_POINT_INTERIOR)) {
			step.how = how;
			step.offset = hl_graph_slot(g, from, l) - g->spans[from].address;
		}
	}
	return step;
}

int hl_graph_path(struct hl_graph *g, uint32_t block, struct hl_graph_path *path)
{
	int strong = g->kinds[block] == HL_LEAK_REACHABLE;
	struct search s;
	size_t n = 1;
	uint32_t b;

	if (!hl_graph_reached(g, block))
		return 0;
	s = search_start(g);
	reach_block(&s, block, strong);
	for (b = block; !(g->via[b] & FROM_ROOT); b = g->via[b])
		n++;
	path->root = g->roots[g->via[b] & ~FROM_ROOT].root;
	path->how = (enum hl_point)(g->roots[g->via[b] & ~FROM_ROOT].target & 3);
	path->nsteps = n;
	path->step = hl_xmalloc(n * sizeof(*path->step));
	path->step[--n] = (struct hl_graph_step){.block = block};
	for (b = block; n; b = g->via[b])
		path->step[--n] = path_step(g, g->via[b], b, strong);
	search_end(&s);
	return 1;
}

void hl_graph_referrers(const struct hl_graph *g, uint32_t block,
			void (*one)(void *ctx, const struct hl_graph_referrer *r), void *ctx)
{
	for (size_t i = 0; i < g->nroots; i++)
		if (g->roots[i].target >> 2 == block) {
			struct hl_graph_referrer r = {.root = g->roots[i].root,
						      .block = HL_GRAPH_NONE,
						      .how = (enum hl_point)(g->roots[i].target & 3)};

			one(ctx, &r);
		}
	for (uint32_t b = 0; b < g->n; b++)
		for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++)
			if (g->links[i].target >> 2 == block) {
				struct hl_graph_referrer r = {.root = HL_GRAPH_NONE,
							      .block = b,
							      .offset = hl_graph_slot(g, b, &g->links[i]) -
									g->spans[b].address,
							      .how = (enum hl_point)(g->links[i].target & 3)};

				one(ctx, &r);
			}
}

void hl_graph_referents(const struct hl_graph *g, uint32_t block,
			void (*one)(void *ctx, const struct hl_graph_referent *r), void *ctx)
{
	for (uint32_t i = g->row[block]; i < g->row[block + 1]; i++) {
		struct hl_graph_referent r = {.block = g->links[i].target >> 2,
					      .offset = hl_graph_slot(g, block, &g->links[i]) -
							g->spans[block].address,
					      .how = (enum hl_point)(g->links[i].target & 3)};

		one(ctx, &r);
	}
}
