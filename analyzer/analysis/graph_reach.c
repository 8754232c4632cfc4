/*
 * graph_reach.c - what the roots lead to.  Floor: analysis.
 *
 * Invariant: kinds only rise, and a block is on the stack once for each rise.  All that is reachable is found before the
 * first possible block, and the stack is empty in between, so that it holds each block once at most.
 *
 * Blocks are looked at in any order, so one taken from the stack goes through a short queue first, while its
 * row and then its links come from memory.
 */
#include "analyzer/analysis/graph_impl.h"

#define QUEUE 16

struct marks {
	struct hl_graph *g;
	uint32_t *stack, n;
};

/* The block and all around it. */
static inline void mark(struct marks *m, uint32_t b, enum hl_leak_kind kind)
{
	for (; b != HL_GRAPH_NONE && m->g->kinds[b] < kind; b = hl_graph_around(m->g, b)) {
		m->g->kinds[b] = (uint8_t)kind;
		m->stack[m->n++] = b;
	}
}

static void mark_roots(struct marks *m, int weak, enum hl_leak_kind kind)
{
	for (size_t i = m->g->nfollowed; i < m->g->nroots; i++)
		if (((m->g->roots[i].target & 3) == HL_POINT_INTERIOR) == weak)
			mark(m, m->g->roots[i].target >> 2, kind);
}

static void mark_targets(struct marks *m, uint32_t b, enum hl_leak_kind kind)
{
	const struct hl_graph *g = m->g;
	uint32_t end = g->row[b + 1];

	for (uint32_t i = g->row[b]; i < end; i++)
		if (kind == HL_LEAK_POSSIBLE || (g->links[i].target & 3) != HL_POINT_INTERIOR)
			mark(m, g->links[i].target >> 2, kind);
}

static void mark_from_stack(struct marks *m, enum hl_leak_kind kind)
{
	uint32_t queue[QUEUE], in = 0, out = 0;

	while (m->n || out < in) {
		if (m->n) {
			uint32_t b = m->stack[--m->n];

			__builtin_prefetch(&m->g->row[b]);
			queue[in++ % QUEUE] = b;
			if (in - out > QUEUE / 2)
				__builtin_prefetch(&m->g->links[m->g->row[queue[(in - QUEUE / 2) % QUEUE]]]);
			if (in - out < QUEUE)
				continue;
		}
		mark_targets(m, queue[out++ % QUEUE], kind);
	}
}

static void mark_weak_targets(struct marks *m)
{
	const struct hl_graph *g = m->g;

	for (uint32_t b = 0; b < g->n; b++)
		if (g->kinds[b] == HL_LEAK_REACHABLE)
			for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++)
				if ((g->links[i].target & 3) == HL_POINT_INTERIOR)
					mark(m, g->links[i].target >> 2, HL_LEAK_POSSIBLE);
}

void hl_graph_mark(struct hl_graph *g)
{
	struct marks m = {g, hl_xmalloc((size_t)g->n * sizeof(*m.stack)), 0};

	if (!g->kinds)
		g->kinds = hl_xcalloc(g->n, 1);
	for (uint32_t b = 0; b < g->n; b++)
		if (!hl_graph_reached(g, b))
			g->kinds[b] = HL_LEAK_INDIRECT;
	mark_roots(&m, 0, HL_LEAK_REACHABLE);
	mark_from_stack(&m, HL_LEAK_REACHABLE);
	mark_roots(&m, 1, HL_LEAK_POSSIBLE);
	mark_weak_targets(&m);
	mark_from_stack(&m, HL_LEAK_POSSIBLE);
	g->nfollowed = g->nroots;
	free(m.stack);
}
