/*
 * graph_groups.c - lost blocks by what would free them all.  Floor: analysis.
 *
 * Nodes here are places: an unreached block with all that is inside it.  Their numbers go up with their
 * addresses, because what is inside a block are the ids right after it.
 */
#include "analyzer/analysis/graph_impl.h"
#include "analyzer/base/buf.h"
#include <string.h>

uint32_t hl_graph_place(const struct hl_graph *g, uint32_t b)
{
	for (;;) {
		uint32_t outer = hl_graph_around(g, b);

		if (outer == HL_GRAPH_NONE || hl_graph_reached(g, outer))
			return b;
		b = outer;
	}
}

struct places {
	struct hl_csr csr;
	uint32_t *of;    /* place of each block, HL_GRAPH_NONE: reached */
	uint32_t *block; /* the outermost of each place */
	uint8_t *self;   /* that block points at its own start */
	uint8_t *held;   /* of each component: another points to it */
};

/* 0: everything is reached. */
static int number_places(const struct hl_graph *g, struct places *p)
{
	uint32_t n = 0, lost = 0;

	for (uint32_t b = 0; b < g->n; b++)
		lost += !hl_graph_reached(g, b);
	if (!lost)
		return 0;
	p->of = hl_xmalloc((size_t)g->n * sizeof(*p->of));
	p->block = hl_xmalloc((size_t)lost * sizeof(*p->block));
	for (uint32_t b = 0; b < g->n; b++) {
		uint32_t outer = hl_graph_around(g, b);

		if (hl_graph_reached(g, b)) {
			p->of[b] = HL_GRAPH_NONE;
		} else if (outer != HL_GRAPH_NONE && !hl_graph_reached(g, outer)) {
			p->of[b] = p->of[outer];
		} else {
			p->block[n] = b;
			p->of[b] = n++;
		}
	}
	p->csr.n = n;
	return 1;
}

static void link_places(const struct hl_graph *g, struct places *p)
{
	size_t room = 0;
	uint32_t used = 0, next = 0;

	p->csr.row = hl_xmalloc(((size_t)p->csr.n + 1) * sizeof(*p->csr.row));
	p->self = hl_xcalloc(p->csr.n, 1);
	for (uint32_t b = 0; b < g->n; b++) {
		uint32_t from = p->of[b];

		if (from == HL_GRAPH_NONE)
			continue;
		if (from == next)
			p->csr.row[next++] = used;
		p->csr.target = hl_grow(p->csr.target, &room, used + (g->row[b + 1] - g->row[b]),
					sizeof(*p->csr.target));
		for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++) {
			uint32_t target = g->links[i].target, to = p->of[target >> 2];

			if (to != HL_GRAPH_NONE && to != from)
				p->csr.target[used++] = to;
			else if (target == (b << 2 | HL_POINT_START) && b == p->block[from])
				p->self[from] = 1;
		}
	}
	p->csr.row[p->csr.n] = used;
}

/* Everything the place leads to that is in no group yet is in this one. */
static void gather(struct places *p, uint32_t from, uint32_t group, uint32_t *group_of, uint32_t *queue)
{
	const struct hl_csr *c = &p->csr;
	uint32_t n = 0;

	group_of[from] = group;
	queue[n++] = from;
	for (uint32_t i = 0; i < n; i++) {
		/* those that come soon are on their way from memory */
		__builtin_prefetch(&c->row[queue[i + 8 < n ? i + 8 : i]]);
		__builtin_prefetch(&c->target[c->row[queue[i + 4 < n ? i + 4 : i]]]);
		for (uint32_t k = c->row[queue[i]]; k < c->row[queue[i] + 1]; k++)
			if (group_of[c->target[k]] == HL_GRAPH_NONE) {
				group_of[c->target[k]] = group;
				queue[n++] = c->target[k];
			}
	}
}

static void find_groups(struct hl_graph *g, struct places *p, const uint32_t *component, uint32_t *group_of,
			uint32_t *queue)
{
	for (uint32_t v = 0; v < p->csr.n; v++) {
		struct hl_graph_group *group;

		/* of a head the first place comes first, and the others are in its group then */
		if (p->held[component[v]])
			continue;
		g->kinds[p->block[v]] = HL_LEAK_DEFINITE;
		if (group_of[v] != HL_GRAPH_NONE) {
			group = &g->groups[group_of[v]];
			group->cycle = 1;
		} else {
			g->groups = hl_grow(g->groups, &g->groups_room, g->ngroups + 1, sizeof(*g->groups));
			group = &g->groups[g->ngroups];
			*group = (struct hl_graph_group){.head = p->block[v], .cycle = p->self[v]};
			gather(p, v, (uint32_t)g->ngroups++, group_of, queue);
		}
		group->heads++;
		group->bytes += g->spans[p->block[v]].size;
	}
}

void hl_graph_make_groups(struct hl_graph *g)
{
	struct places p = {0};
	uint32_t *component, *group_of, *queue, ncomponents;

	if (!number_places(g, &p))
		return;
	link_places(g, &p);
	component = hl_xmalloc((size_t)p.csr.n * sizeof(*component));
	ncomponents = hl_csr_components(&p.csr, component);
	p.held = hl_xcalloc(ncomponents, 1);
	for (uint32_t v = 0; v < p.csr.n; v++)
		for (uint32_t i = p.csr.row[v]; i < p.csr.row[v + 1]; i++)
			if (component[p.csr.target[i]] != component[v])
				p.held[component[p.csr.target[i]]] = 1;
	group_of = hl_xmalloc((size_t)p.csr.n * sizeof(*group_of));
	queue = hl_xmalloc((size_t)p.csr.n * sizeof(*queue));
	memset(group_of, 0xff, (size_t)p.csr.n * sizeof(*group_of));
	find_groups(g, &p, component, group_of, queue);
	g->group_of = p.of;
	for (uint32_t b = 0; b < g->n; b++) {
		struct hl_graph_group *group;

		if (hl_graph_reached(g, b))
			continue;
		g->group_of[b] = group_of[p.of[b]];
		group = &g->groups[g->group_of[b]];
		if (g->kinds[b] == HL_LEAK_INDIRECT) {
			group->indirect_bytes += g->spans[b].size;
			group->indirect_blocks++;
		}
	}
	hl_csr_release(&p.csr);
	free(p.block);
	free(p.self);
	free(p.held);
	free(component);
	free(group_of);
	free(queue);
}

const struct hl_graph_group *hl_graph_groups(const struct hl_graph *g, size_t *n)
{
	*n = g->ngroups;
	return g->groups;
}
