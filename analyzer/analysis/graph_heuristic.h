/*
 * graph_heuristic.h - does a pointer into the middle of a block have an innocent explanation?  Floor: analysis.
 *
 * Three heuristics look at lengths beside the pointer's target and are decided at once.  The fourth needs to know
 * which words of blocks point to vtables, and words come in order of their addresses: pointers to blocks further
 * on wait until all words are known.  Memory: 16 bytes a pointer that waits, 8 a vtable pointer that is not the
 * first word of a block, a bit a block.
 */
#ifndef HL_ANALYSIS_GRAPH_HEURISTIC_H
#define HL_ANALYSIS_GRAPH_HEURISTIC_H

#include "analyzer/analysis/graph.h"

struct hl_vtable_range {
	uint64_t start, end;
};

/* A pointer that waits: index of its link, or of its root. */
struct hl_waiting {
	uint64_t value;
	uint32_t index;
	int is_root;
};

struct hl_heuristics {
	struct hl_vtable_range *ranges; /* sorted and apart once hl_heuristics_ready was called */
	size_t nranges, ranges_room;
	uint64_t *first;  /* bit per block: its first word points to a vtable; NULL: switched off */
	uint64_t *others; /* slots of vtable pointers elsewhere in blocks */
	size_t nothers, others_room;
	struct hl_waiting *waiting;
	size_t nwaiting, waiting_room;
};

void hl_heuristics_release(struct hl_heuristics *h);
void hl_heuristics_add_range(struct hl_heuristics *h, uint64_t start, uint64_t end);
/* All ranges are known; n blocks. */
void hl_heuristics_ready(struct hl_heuristics *h, uint32_t n);

/* Do lengths explain a pointer to offset > 0 in a block?  allowed: a sum of enum hl_heuristic. */
int hl_heuristic_by_length(unsigned allowed, uint64_t offset, uint64_t size, int64_t before8,
			   int64_t before24);
/* Does a pointer to the end of a block point to an array of no objects, of which there is only the count: 0 (Itanium C++ ABI,
 * 2.7)? */
int hl_heuristic_no_array(unsigned allowed, uint64_t offset, uint64_t size, int64_t before8);

/* Does a word's value point to a vtable?  If so, tell of its slot, and of the blocks that start there. */
int hl_heuristics_is_vtable(const struct hl_heuristics *h, uint64_t value);
void hl_heuristics_note_slot(struct hl_heuristics *h, uint64_t slot);
void hl_heuristics_note_first(struct hl_heuristics *h, uint32_t block);
/* A pointer that lengths do not explain; can vtables, once all words are known? */
void hl_heuristics_wait(struct hl_heuristics *h, uint64_t value, size_t index, int is_root);
/* All words were noted: is the pointer to value in block b explained? */
int hl_heuristic_by_vtables(const struct hl_heuristics *h, uint32_t b, uint64_t value);
/* All words were noted; before the first hl_heuristic_by_vtables. */
void hl_heuristics_close(struct hl_heuristics *h);

#endif
