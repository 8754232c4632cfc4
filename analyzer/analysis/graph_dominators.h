/*
 * graph_dominators.h - which node must one pass by to come to another?  Floor: analysis.
 *
 * A search that goes down into each node as it meets it waits for memory at every step, so all there is of a
 * node is in one place: word[p], room for the work; word[p + 1], its label, below 2^31; then a word for each
 * edge, the p of the node it leads to.  The last of these words, the label when there are no edges, has
 * HL_NODE_LAST added.  Several edges between the same nodes and to oneself are allowed.  Nothing recurses.
 */
#ifndef HL_ANALYSIS_GRAPH_DOMINATORS_H
#define HL_ANALYSIS_GRAPH_DOMINATORS_H

#include <stdint.h>

#define HL_NODE_LAST 0x80000000u

/*
 * Immediate dominators of n nodes as seen from the one at word[0], which leads to all of them.  word, from
 * hl_xmalloc, with each node's first word 0, less than 2^31 words in all, is freed.
 *   order  the nodes' labels in the order of a depth-first search, that of word[0] first
 *   idom   idom[i]: the place in order of the immediate dominator of order[i]; less than i, idom[0] is 0
 * Both have room for n.  Memory: 4 bytes an edge and 20 a node.  Source: L. Georgiadis, R. Tarjan,
 * R. Werneck, Finding Dominators in Practice, 2006: semi-NCA.
 */
void hl_dominators(uint32_t *word, uint32_t n, uint32_t *order, uint32_t *idom);

#endif
