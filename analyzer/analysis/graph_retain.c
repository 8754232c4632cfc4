/*
 * graph_retain.c - what each reached block holds alone.  Floor: analysis.
 */
#include "analyzer/analysis/graph_dominators.h"
#include "analyzer/analysis/graph_impl.h"
#include <string.h>

#define ROOTS HL_GRAPH_MAX_BLOCKS /* the label of the node that is all roots together */

/* The place of each reached block's node; how many nodes and words there are. */
static uint32_t *place_nodes(const struct hl_graph *g, uint32_t *n, size_t *words)
{
	uint32_t *place = hl_xmalloc((size_t)g->n * sizeof(*place));

	*n = 1;
	*words = 2 + g->nroots;
	for (uint32_t b = 0; b < g->n; b++) {
		if (!hl_graph_reached(g, b))
			continue;
		place[b] = (uint32_t)*words;
		*words += (size_t)2 + (g->row[b + 1] - g->row[b]) + (hl_graph_around(g, b) != HL_GRAPH_NONE);
		++*n;
	}
	return place;
}

/* What a reached block points to is reached, so it has a node. */
static uint32_t *make_nodes(const struct hl_graph *g, const uint32_t *place, size_t words)
{
	uint32_t *word = hl_xmalloc(words * sizeof(*word)), *w = word;

	*w++ = 0;
	*w++ = ROOTS;
	for (size_t i = 0; i < g->nroots; i++)
		*w++ = place[g->roots[i].target >> 2];
	w[-1] |= HL_NODE_LAST;
	for (uint32_t b = 0; b < g->n; b++) {
		uint32_t outer = hl_graph_around(g, b);

		if (!hl_graph_reached(g, b))
			continue;
		*w++ = 0;
		*w++ = b;
		for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++)
			*w++ = place[g->links[i].target >> 2];
		if (outer != HL_GRAPH_NONE)
			*w++ = place[outer];
		w[-1] |= HL_NODE_LAST;
	}
	return word;
}

/* A dominator comes before what it dominates. */
static void sum_up(struct hl_graph *g, uint32_t n, const uint32_t *order, const uint32_t *idom)
{
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t b = order[i], d = idom[i] ? order[idom[i]] : HL_GRAPH_NONE;

		g->retained[b] += g->spans[b].size;
		g->dominators[b] = d;
		if (d != HL_GRAPH_NONE)
			g->retained[d] += g->retained[b];
	}
}

int hl_graph_retain(struct hl_graph *g, struct hl_diag *d)
{
	uint32_t n, *place, *word, *order, *idom;
	size_t words;

	if (g->retained)
		return 0;
	place = place_nodes(g, &n, &words);
	if (words > INT32_MAX) {
		free(place);
		return hl_fail(d, HL_ERR_FORMAT, "more pointers than can be followed");
	}
	word = make_nodes(g, place, words);
	free(place);
	order = hl_xmalloc((size_t)n * sizeof(*order));
	idom = hl_xmalloc((size_t)n * sizeof(*idom));
	hl_dominators(word, n, order, idom);
	g->retained = hl_xcalloc(g->n, sizeof(*g->retained));
	g->dominators = hl_xmalloc((size_t)g->n * sizeof(*g->dominators));
	memset(g->dominators, 0xff, (size_t)g->n * sizeof(*g->dominators));
	sum_up(g, n, order, idom);
	free(order);
	free(idom);
	return 0;
}

uint64_t hl_graph_retained(const struct hl_graph *g, uint32_t block)
{
	return g->retained[block];
}

uint32_t hl_graph_dominator(const struct hl_graph *g, uint32_t block)
{
	return g->dominators[block];
}

/* The tree of dominators downwards: first child and next sibling, HL_GRAPH_NONE: none. */
struct tree {
	uint32_t *child, *sibling;
};

static struct tree tree_of(const struct hl_graph *g)
{
	struct tree t = {hl_xmalloc((size_t)g->n * sizeof(*t.child)),
			 hl_xmalloc((size_t)g->n * sizeof(*t.sibling))};

	memset(t.child, 0xff, (size_t)g->n * sizeof(*t.child));
	for (uint32_t b = g->n; b-- > 0;) {
		uint32_t d = g->dominators[b];

		t.sibling[b] = HL_GRAPH_NONE;
		if (d != HL_GRAPH_NONE) {
			t.sibling[b] = t.child[d];
			t.child[d] = b;
		}
	}
	return t;
}

void hl_graph_retained_by(const struct hl_graph *g, const uint32_t *class_of, uint32_t nclasses,
			  uint64_t *bytes)
{
	struct tree t = tree_of(g);
	uint32_t *open = hl_xcalloc(nclasses, sizeof(*open)); /* blocks of each class above, with this one */

	memset(bytes, 0, (size_t)nclasses * sizeof(*bytes));
	for (uint32_t top = 0; top < g->n; top++) {
		uint32_t b = top;

		if (!hl_graph_reached(g, top) || g->dominators[top] != HL_GRAPH_NONE)
			continue;
		/* down to the first child, else along to the next sibling of the nearest that has one */
		for (;;) {
			uint32_t c = class_of[b];

			if (c != HL_GRAPH_NONE && open[c]++ == 0)
				bytes[c] += g->retained[b];
			if (t.child[b] != HL_GRAPH_NONE) {
				b = t.child[b];
				continue;
			}
			for (;; b = g->dominators[b]) {
				if (class_of[b] != HL_GRAPH_NONE)
					open[class_of[b]]--;
				if (b == top || t.sibling[b] != HL_GRAPH_NONE)
					break;
			}
			if (b == top)
				break;
			b = t.sibling[b];
		}
	}
	free(t.child);
	free(t.sibling);
	free(open);
}
