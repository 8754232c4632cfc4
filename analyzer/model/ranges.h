/*
 * ranges.h - mapped memory as intervals that do not overlap, each a piece of a block.  Floor: model.
 */
#ifndef HL_MODEL_RANGES_H
#define HL_MODEL_RANGES_H

#include <stdint.h>

struct hl_ranges {
	void *root;
};

/* A part that hl_ranges_cut took out of one piece. */
struct hl_cut {
	uint32_t block;
	uint64_t bytes;
	uint64_t piece; /* where the piece began */
	uint64_t left;  /* where what is left of it begins, 0: nothing is */
};

/* Zeroed is empty. */
void hl_ranges_release(struct hl_ranges *r);
/* [start, end) must be free: cut it first. */
void hl_ranges_add(struct hl_ranges *r, uint64_t start, uint64_t end, uint32_t block);
/* Free [start, end).  Takes one piece at a time, the lowest first: 1 and *c filled, 0: nothing is there any more. */
int hl_ranges_cut(struct hl_ranges *r, uint64_t start, uint64_t end, struct hl_cut *c);
/* 1: a piece begins at start; *end is set. */
int hl_ranges_at(const struct hl_ranges *r, uint64_t start, uint64_t *end);

#endif
