/*
 * graph_scc.c - strongly connected components with one number a node.  Floor: analysis.
 *
 * Invariant: component[v] is 0 for a node not seen; while v is open, the least place of an open node that it was
 * seen to lead to, or its own place; once its component is done, a number no open node's place exceeds, counted down
 * from n.  So one comparison serves for both.
 */
#include "analyzer/analysis/graph_csr.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>

struct walk {
	const struct hl_csr *c;
	uint32_t *component;
	uint32_t *
		stack; /* from the left the path of the search, from the right finished nodes of open components */
	uint32_t *cursor; /* of each node of the path: the edge it is at */
	uint8_t *root;    /* of each node of the path: it leads to none before it */
	uint32_t depth, right, next, last;
};

static void open_node(struct walk *w, uint32_t v)
{
	w->stack[w->depth] = v;
	w->cursor[w->depth] = w->c->row[v];
	w->root[w->depth++] = 1;
	w->component[v] = w->next++;
	/* all at once: the search itself would wait for each to come from memory */
	for (uint32_t i = w->c->row[v]; i < w->c->row[v + 1]; i++) {
		__builtin_prefetch(&w->component[w->c->target[i]]);
		__builtin_prefetch(&w->c->row[w->c->target[i]]);
	}
}

static void close_node(struct walk *w)
{
	uint32_t v = w->stack[--w->depth];

	if (!w->root[w->depth]) {
		w->stack[--w->right] = v;
		return;
	}
	w->next--;
	while (w->right < w->c->n && w->component[v] <= w->component[w->stack[w->right]]) {
		w->component[w->stack[w->right++]] = w->last;
		w->next--;
	}
	w->component[v] = w->last--;
}

static void search(struct walk *w)
{
	while (w->depth) {
		uint32_t top = w->depth - 1, v = w->stack[top], end = w->c->row[v + 1], i = w->cursor[top];

		for (; i < end; i++) {
			uint32_t to = w->c->target[i];

			if (w->component[to] == 0) {
				/* the edge is looked at again when to is closed */
				w->cursor[top] = i;
				open_node(w, to);
				break;
			}
			if (w->component[to] < w->component[v]) {
				w->component[v] = w->component[to];
				w->root[top] = 0;
			}
		}
		if (i == end)
			close_node(w);
	}
}

uint32_t hl_csr_components(const struct hl_csr *c, uint32_t *component)
{
	struct walk w = {.c = c,
			 .component = component,
			 .stack = hl_xmalloc((size_t)c->n * sizeof(uint32_t)),
			 .cursor = hl_xmalloc((size_t)c->n * sizeof(uint32_t)),
			 .root = hl_xmalloc(c->n),
			 .right = c->n,
			 .next = 1,
			 .last = c->n};

	for (uint32_t v = 0; v < c->n; v++)
		component[v] = 0;
	for (uint32_t v = 0; v < c->n; v++)
		if (component[v] == 0) {
			open_node(&w, v);
			search(&w);
		}
	for (uint32_t v = 0; v < c->n; v++)
		component[v] = c->n - component[v];
	free(w.stack);
	free(w.cursor);
	free(w.root);
	return c->n - w.last;
}

void hl_csr_release(struct hl_csr *c)
{
	free(c->row);
	free(c->target);
	*c = (struct hl_csr){0};
}
