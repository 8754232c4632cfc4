/*
 * told.h - what the program itself said of leaks up to an image: blocks to be kept, regions that count as roots.
 * Floor: analysis.
 */
#ifndef HL_ANALYSIS_TOLD_H
#define HL_ANALYSIS_TOLD_H

#include "analyzer/input/facts.h"
#include "analyzer/model/replay.h"

struct hl_told {
	struct hl_told_keep {
		uint64_t address, stamp;
	} * keep; /* by address */
	size_t nkeep;
	struct hl_told_region {
		uint64_t start, end;
	} * region; /* those that are registered at the image, in order of time */
	size_t nregions;
};

/* f: as of that stamp. */
void hl_told_load(struct hl_told *t, const struct hl_facts *f, uint64_t stamp);
void hl_told_release(struct hl_told *t);
/* 1: it was said to be kept, after it was allocated, by an address in it. */
int hl_told_keeps(const struct hl_told *t, const struct hl_block *b);
/* 1: the word at that address counts wherever it lies. */
int hl_told_is_root(const struct hl_told *t, uint64_t slot);

#endif
