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

/* By node, together, because both are needed when an edge to it is seen. */
struct node {
	uint32_t row;
	uint32_t edges_in; /* while nodes are numbered 2 * how many + SEEN; then where the next one goes */
};
#define SEEN 1

struct search {
	const uint32_t *target;
	struct node *node;
	uint32_t *order, *parent;
	uint32_t *stack, *cursor; /* numbers, and the edge each is at */
	uint32_t depth, next;
};

static struct node *nodes_of(struct hl_csr *c)
{
	struct node *node = hl_xmalloc(((size_t)c->n + 1) * sizeof(*node));

	for (uint32_t v = 0; v <= c->n; v++)
		node[v] = (struct node){c->row[v], 0};
	free(c->row);
	c->row = NULL;
	return node;
}

static void open_node(struct search *s, uint32_t v, uint32_t parent)
{
	uint32_t end = s->node[v + 1].row;

	s->node[v].edges_in |= SEEN;
	s->order[s->next] = v;
	s->parent[s->next] = parent;
	s->stack[s->depth] = s->next++;
	s->cursor[s->depth++] = s->node[v].row;
	/* all at once: the search itself would wait for each to come from memory */
	for (uint32_t i = s->node[v].row; i < end; i++) {
		struct node *to = &s->node[s->target[i]];

		__builtin_prefetch(&s->target[to->row]);
		to->edges_in += 2;
	}
}

static void number_nodes(struct search *s, uint32_t n)
{
	s->stack = hl_xmalloc((size_t)n * sizeof(*s->stack));
	s->cursor = hl_xmalloc((size_t)n * sizeof(*s->cursor));
	open_node(s, 0, 0);
	while (s->depth) {
		uint32_t top = s->depth - 1, v = s->stack[top], i = s->cursor[top];
		uint32_t end = s->node[s->order[v] + 1].row;

		while (i < end && (s->node[s->target[i]].edges_in & SEEN))
			i++;
		if (i == end) {
			s->depth--;
		} else {
			s->cursor[top] = i + 1;
			open_node(s, s->target[i], v);
		}
	}
	free(s->stack);
	free(s->cursor);
}

static void reverse_edges(const struct search *s, uint32_t n, struct reversed *r)
{
	uint32_t at = 0;

	r->row = hl_xmalloc(((size_t)n + 1) * sizeof(*r->row));
	for (uint32_t v = 0; v < n; v++) {
		struct node *node = &s->node[s->order[v]];
		uint32_t here = node->edges_in / 2;

		r->row[v] = node->edges_in = at;
		at += here;
	}
	r->row[n] = at;
	r->pred = hl_xmalloc((size_t)at * sizeof(*r->pred));
	for (uint32_t v = 0; v < n; v++) {
		uint32_t end = s->node[s->order[v] + 1].row;

		for (uint32_t i = s->node[s->order[v]].row; i < end; i++)
			r->pred[s->node[s->target[i]].edges_in++] = v;
	}
}

/* The nodes done make a forest: the least semidominator from each up to where its tree ends. */
struct tree_node {
	uint32_t ancestor, least;
};

static uint32_t least_above(struct tree_node *t, uint32_t *stack, uint32_t v, uint32_t doing)
{
	uint32_t depth = 0, up;

	while (t[v].ancestor > doing) {
		stack[depth++] = v;
		v = t[v].ancestor;
	}
	/* v is the top of its tree; shorten the way of all below it */
	for (up = v; depth; up = v) {
		v = stack[--depth];
		if (t[up].least < t[v].least)
			t[v].least = t[up].least;
		t[v].ancestor = t[up].ancestor;
	}
	return t[v].least;
}

#define AHEAD 4 /* nodes whose predecessors are fetched before they are needed */

static void immediate_dominators(uint32_t n, const struct reversed *r, const uint32_t *parent, uint32_t *idom)
{
	struct tree_node *t = hl_xmalloc((size_t)n * sizeof(*t));
	uint32_t *stack = hl_xmalloc((size_t)n * sizeof(*stack));

	/* idom holds semidominators first: one loop needs the other's up to its own node only */
	for (uint32_t v = n - 1; v > 0; v--) {
		uint32_t semi = parent[v], ahead = v > AHEAD ? v - AHEAD : 0;

		for (uint32_t i = r->row[ahead]; i < r->row[ahead + 1]; i++)
			__builtin_prefetch(&t[r->pred[i]]);
		for (uint32_t i = r->row[v]; i < r->row[v + 1]; i++) {
			uint32_t u = r->pred[i], of_u = u <= v ? u : least_above(t, stack, u, v);

			if (of_u < semi)
				semi = of_u;
		}
		idom[v] = semi;
		t[v] = (struct tree_node){parent[v], semi};
	}
	idom[0] = 0;
	for (uint32_t v = 1; v < n; v++) {
		uint32_t d = parent[v];

		while (d > idom[v])
			d = idom[d];
		idom[v] = d;
	}
	free(t);
	free(stack);
}

void hl_csr_dominators(struct hl_csr *c, uint32_t *order, uint32_t *idom)
{
	uint32_t n = c->n, *parent = hl_xmalloc((size_t)n * sizeof(*parent));
	struct search s = {.target = c->target, .node = nodes_of(c), .order = order, .parent = parent};
	struct reversed r;

	number_nodes(&s, n);
	reverse_edges(&s, n, &r);
	free(s.node);
	hl_csr_release(c);
	immediate_dominators(n, &r, parent, idom);
	free(parent);
	free(r.row);
	free(r.pred);
}
