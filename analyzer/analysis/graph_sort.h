/*
 * graph_sort.h - blocks in order of address, and which is inside which.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_GRAPH_SORT_H
#define HL_ANALYSIS_GRAPH_SORT_H

#include "analyzer/analysis/graph_index.h"
#include <stddef.h>

struct hl_block_in {
	uint64_t address, size;
	uint32_t user;
};

/* By address up, then size down, then as they came.  *blocks may be moved to another place.  Memory: as much again
 * while it works, unless they are sorted already. */
void hl_blocks_sort(struct hl_block_in **blocks, size_t n);
/* For each of the sorted spans the last one before it that holds its first byte, UINT32_MAX: none.
 * NULL: there is no such one at all.  The caller frees it. */
uint32_t *hl_blocks_around(const struct hl_graph_span *spans, uint32_t n);

#endif
