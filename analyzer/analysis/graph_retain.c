/*
 * graph_retain.c - what each reached block holds alone.  Floor: analysis.
 *
 * Node 0 is all roots together; the reached blocks follow in order of address.
 */
#include "analyzer/analysis/graph_impl.h"
#include <string.h>

static uint32_t *number_reached(const struct hl_graph *g, uint32_t *n)
{
	uint32_t *node = hl_xmalloc((size_t)g->n * sizeof(*node));

	*n = 1;
	for (uint32_t b = 0; b < g->n; b++)
		node[b] = hl_graph_reached(g, b) ? (*n)++ : 0;
	return node;
}

static size_t count_edges(const struct hl_graph *g)
{
	size_t edges = g->nroots;

	for (uint32_t b = 0; b < g->n; b++)
		if (hl_graph_reached(g, b))
			edges += (size_t)(g->row[b + 1] - g->row[b]) +
				 (hl_graph_around(g, b) != HL_GRAPH_NONE);
	return edges;
}

/* The numbers that edges lead to are nodes; all are reached, as a reached block's targets are. */
static struct hl_csr reached_csr(const struct hl_graph *g, const uint32_t *node, uint32_t n, size_t edges)
{
	struct hl_csr c = {.n = n,
			   .row = hl_xmalloc(((size_t)n + 1) * sizeof(*c.row)),
			   .target = hl_xmalloc(edges * sizeof(*c.target))};
	uint32_t used = 0;

	c.row[0] = 0;
	for (size_t i = 0; i < g->nroots; i++)
		c.target[used++] = node[g->roots[i].target >> 2];
	for (uint32_t b = 0; b < g->n; b++) {
		uint32_t outer = hl_graph_around(g, b);

		if (!node[b])
			continue;
		c.row[node[b]] = used;
		for (uint32_t i = g->row[b]; i < g->row[b + 1]; i++)
			c.target[used++] = node[g->links[i].target >> 2];
		if (outer != HL_GRAPH_NONE)
			c.target[used++] = node[outer];
	}
	c.row[n] = used;
	return c;
}

/* By places in order instead of nodes: a dominator has a lower one than what it dominates. */
static void sum_up(struct hl_graph *g, const uint32_t *block, uint32_t n, const uint32_t *order,
		   const uint32_t *idom)
{
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t b = block[order[i] - 1], d = idom[i] ? block[order[idom[i]] - 1] : HL_GRAPH_NONE;

		g->retained[b] += g->spans[b].size;
		g->dominators[b] = d;
		if (d != HL_GRAPH_NONE)
			g->retained[d] += g->retained[b];
	}
}

int hl_graph_retain(struct hl_graph *g, struct hl_diag *d)
{
	uint32_t n, *node, *order, *idom;
	size_t edges = count_edges(g);
	struct hl_csr csr;

	if (g->retained)
		return 0;
	if (edges > INT32_MAX)
		return hl_fail(d, HL_ERR_FORMAT, "more pointers than can be followed");
	node = number_reached(g, &n);
	csr = reached_csr(g, node, n, edges);
	order = hl_xmalloc((size_t)n * sizeof(*order));
	idom = hl_xmalloc((size_t)n * sizeof(*idom));
	/* from here on node is the other way round: a node is never behind its block */
	for (uint32_t b = 0; b < g->n; b++)
		if (node[b])
			node[node[b] - 1] = b;
	hl_csr_dominators(&csr, order, idom);
	g->retained = hl_xcalloc(g->n, sizeof(*g->retained));
	g->dominators = hl_xmalloc((size_t)g->n * sizeof(*g->dominators));
	memset(g->dominators, 0xff, (size_t)g->n * sizeof(*g->dominators));
	sum_up(g, node, n, order, idom);
	free(node);
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
