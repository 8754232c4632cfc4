/*
 * graph_csr.h - strongly connected components of a plain directed graph.  Floor: analysis.
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

#endif
