/*
 * graph_dominators.c - semi-NCA on nodes numbered in depth-first order.  Floor: analysis.
 *
 * Below, nodes are their numbers: arrays are then walked in the order of the search, and a number is less
 * than another when its node may be an ancestor.
 */
#include "analyzer/analysis/graph_dominators.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

/* Reversed edges: pred[row[v]..row[v+1]) are v's predecessors. */
struct reversed {
	uint32_t *row, *pred;
};

/* A node's first word, while nodes are numbered: 2 * how many edges lead to it, + SEEN when it has a number; then the
 * place for its next predecessor. */
#define SEEN 1u

struct search {
	uint32_t *word;
	uint32_t *order, *parent; /* the nodes' p, and the numbers of their parents, by number */
	uint32_t *stack, *cursor; /* numbers, and the last word of the node that was looked at */
	uint32_t depth, next;
};

static void open_node(struct search *s, uint32_t p, uint32_t parent)
{
	uint32_t *word = s->word;

	word[p] |= SEEN;
	s->order[s->next] = p;
	s->parent[s->next] = parent;
	s->stack[s->depth] = s->next++;
	s->cursor[s->depth++] = p + 1;
	/* all at once: the search itself would wait for each to come from memory */
	for (uint32_t i = p + 1; !(word[i] & HL_NODE_LAST); i++)
		word[word[i + 1] & ~HL_NODE_LAST] += 2;
}

static void number_nodes(struct search *s, uint32_t n)
{
	const uint32_t *word = s->word;

	s->stack = hl_xmalloc((size_t)n * sizeof(*s->stack));
	s->cursor = hl_xmalloc((size_t)n * sizeof(*s->cursor));
	open_node(s, 0, 0);
	while (s->depth) {
		uint32_t top = s->depth - 1, i = s->cursor[top], to;

		for (to = 0; !(word[i] & HL_NODE_LAST); to = 0) {
			to = word[++i] & ~HL_NODE_LAST;
			if (!(word[to] & SEEN))
				break;
		}
		/* node 0 is seen first, so nothing leads to it any more */
		if (to == 0) {
			s->depth--;
		} else {
			s->cursor[top] = i;
			open_node(s, to, s->stack[top]);
		}
	}
	free(s->stack);
	free(s->cursor);
}

#define AHEAD 8 /* nodes that are fetched before they are needed */

/* Afterwards order holds labels. */
static void reverse_edges(const struct search *s, uint32_t n, struct reversed *r)
{
	uint32_t *word = s->word, at = 0;

	r->row = hl_xmalloc(((size_t)n + 1) * sizeof(*r->row));
	for (uint32_t v = 0; v < n; v++) {
		uint32_t here = word[s->order[v]] / 2;

		r->row[v] = word[s->order[v]] = at;
		at += here;
	}
	r->row[n] = at;
	r->pred = hl_xmalloc((size_t)at * sizeof(*r->pred));
	for (uint32_t v = 0; v < n; v++) {
		uint32_t i = s->order[v] + 1;

		__builtin_prefetch(&word[s->order[v + AHEAD < n ? v + AHEAD : v]]);
		s->order[v] = word[i] & ~HL_NODE_LAST;
		for (; !(word[i] & HL_NODE_LAST); i++)
			r->pred[word[word[i + 1] & ~HL_NODE_LAST]++] = v;
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

void hl_dominators(uint32_t *word, uint32_t n, uint32_t *order, uint32_t *idom)
{
	uint32_t *parent = hl_xmalloc((size_t)n * sizeof(*parent));
	struct search s = {.word = word, .order = order, .parent = parent};
	struct reversed r;

	number_nodes(&s, n);
	reverse_edges(&s, n, &r);
	free(word);
	immediate_dominators(n, &r, parent, idom);
	free(parent);
	free(r.row);
	free(r.pred);
}
