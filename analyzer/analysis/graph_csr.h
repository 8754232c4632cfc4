/*
 * graph_csr.h - algorithms on plain directed graphs.  Floor: analysis.
 *
 * Nodes 0..n-1, the edges of v lead to target[row[v]] ... target[row[v + 1] - 1]; several between the same
 * nodes and to oneself are allowed.  Nothing recurses: chains of millions of nodes are everyday.
 */
#ifndef HL_ANALYSIS_GRAPH_CSR_H
#define HL_ANALYSIS_GRAPH_CSR_H

#include <stdint.h>

struct hl_csr {
	uint32_t n;
	uint32_t *row; /* n + 1 */
	uint32_t *target;
};

void hl_csr_release(struct hl_csr *c);

/* component[v]: the number of v's strongly connected component, from 0; an edge between two components
 * leads to the lower number.  Returns how many there are.  Memory: 12 bytes a node.  Source: D. Pearce, A
 * space-efficient algorithm for finding strongly connected components, 2016; it is Tarjan's with one array. */
uint32_t hl_csr_components(const struct hl_csr *c, uint32_t *component);

/*
 * Dominators of all nodes as seen from node 0, which must lead to all of them.  c, of less than 2^31 edges, is
 * released.
 *   order  the nodes in depth-first order, order[0] is 0
 *   idom   idom[i]: the place in order of the immediate dominator of order[i]; less than i, idom[0] is 0
 * Both have room for n.  Memory: 4 bytes an edge more than c, 24 a node.  Source: L. Georgiadis, R. Tarjan, R. Werneck,
 * Finding Dominators in Practice, 2006: semi-NCA.
 */
void hl_csr_dominators(struct hl_csr *c, uint32_t *order, uint32_t *idom);

#endif
