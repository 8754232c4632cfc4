/*
 * graph_dominators.c - semi-NCA on nodes numbered in depth-first order.  Floor: analysis.
 *
 * Below, nodes are their numbers: arrays are then walked in the order of the search, and a number is less
 * than another when its node may be an ancestor.
 */
#include "analyzer/analysis/graph_csr.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

/* Reversed edges: pred[row[v]..row[v+1]) are v's predecessors. */
struct reversed {
	uint32_t *row, *pred;
};

/* order and parent by number; number[node], and the edges into each node. */
static void number_nodes(const struct hl_csr *c, uint32_t *order, uint32_t *parent, uint32_t *number,
			 uint32_t *indegree)
{
	uint32_t *stack = hl_xmalloc((size_t)c->n * sizeof(*stack)); /* numbers */
	uint32_t *cursor = hl_xmalloc((size_t)c->n * sizeof(*cursor));
	uint32_t depth = 1, next = 1;

	memset(number, 0xff, (size_t)c->n * sizeof(*number));
	order[0] = parent[0] = number[0] = stack[0] = 0;
	cursor[0] = c->row[0];
	while (depth) {
		uint32_t top = depth - 1, v = stack[top], end = c->row[order[v] + 1], i = cursor[top];

		for (; i < end; i++) {
			uint32_t to = c->target[i];

			indegree[to]++;
			if (number[to] == UINT32_MAX) {
				number[to] = next;
				order[next] = to;
				parent[next] = v;
				cursor[top] = i + 1;
				stack[depth] = next++;
				cursor[depth++] = c->row[to];
				break;
			}
		}
		if (i == end)
			depth--;
	}
	free(stack);
	free(cursor);
}

static void reverse_edges(const struct hl_csr *c, const uint32_t *order, const uint32_t *number,
			  const uint32_t *indegree, struct reversed *r)
{
	uint32_t at = 0;

	r->row = hl_xmalloc(((size_t)c->n + 1) * sizeof(*r->row));
	r->pred = hl_xmalloc((size_t)c->row[c->n] * sizeof(*r->pred));
	/* row[v + 1] is where v's next predecessor goes, and in the end where v + 1's begin */
	r->row[0] = 0;
	for (uint32_t v = 0; v < c->n; v++) {
		r->row[v + 1] = at;
		at += indegree[order[v]];
	}
	for (uint32_t v = 0; v < c->n; v++)
		for (uint32_t i = c->row[order[v]]; i < c->row[order[v] + 1]; i++)
			r->pred[r->row[number[c->target[i]] + 1]++] = v;
}

/* The forest of the nodes after `done`: the least semidominator from v up to where its tree ends. */
struct forest {
	uint32_t *ancestor, *best, *stack;
};

static uint32_t least(struct forest *f, uint32_t v, uint32_t done)
{
	uint32_t depth = 0, up;

	while (f->ancestor[v] > done) {
		f->stack[depth++] = v;
		v = f->ancestor[v];
	}
	/* v is the top of its tree; shorten the way of all below it */
	for (up = v; depth; up = v) {
		v = f->stack[--depth];
		if (f->best[up] < f->best[v])
			f->best[v] = f->best[up];
		f->ancestor[v] = f->ancestor[up];
	}
	return f->best[v];
}

static void immediate_dominators(uint32_t n, const struct reversed *r, const uint32_t *parent, uint32_t *idom)
{
	struct forest f = {.ancestor = hl_xmalloc((size_t)n * sizeof(uint32_t)),
			   .best = hl_xmalloc((size_t)n * sizeof(uint32_t)),
			   .stack = hl_xmalloc((size_t)n * sizeof(uint32_t))};
	uint32_t *semi = hl_xmalloc((size_t)n * sizeof(*semi));

	memcpy(f.ancestor, parent, (size_t)n * sizeof(*parent));
	for (uint32_t v = n - 1; v > 0; v--) {
		uint32_t s = parent[v];

		for (uint32_t i = r->row[v]; i < r->row[v + 1]; i++) {
			uint32_t u = r->pred[i], of_u = u <= v ? u : least(&f, u, v);

			if (of_u < s)
				s = of_u;
		}
		semi[v] = f.best[v] = s;
	}
	idom[0] = 0;
	for (uint32_t v = 1; v < n; v++) {
		uint32_t d = parent[v];

		while (d > semi[v])
			d = idom[d];
		idom[v] = d;
	}
	free(f.ancestor);
	free(f.best);
	free(f.stack);
	free(semi);
}

void hl_csr_dominators(struct hl_csr *c, uint32_t *order, uint32_t *idom)
{
	uint32_t n = c->n;
	uint32_t *number = hl_xmalloc((size_t)n * sizeof(*number));
	uint32_t *indegree = hl_xcalloc(n, sizeof(*indegree));
	uint32_t *parent = hl_xmalloc((size_t)n * sizeof(*parent));
	struct reversed r;

	number_nodes(c, order, parent, number, indegree);
	reverse_edges(c, order, number, indegree, &r);
	free(number);
	free(indegree);
	hl_csr_release(c);
	immediate_dominators(n, &r, parent, idom);
	free(parent);
	free(r.row);
	free(r.pred);
}
