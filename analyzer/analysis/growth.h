/*
 * growth.h - memory that grows from snapshot to snapshot, by the chain of functions that allocated it.  Floor: analysis.
 *
 * The snapshots that count are those that were asked for or taken by the clock.  Those that were taken because memory
 * had grown do not: of them a program that only warms up has as many as one that never stops.  Nor does the end, where
 * a program may have freed all it had.
 */
#ifndef HL_ANALYSIS_GROWTH_H
#define HL_ANALYSIS_GROWTH_H

#include "analyzer/analysis/leaks.h"
#include "analyzer/analysis/stacks.h"
#include "analyzer/model/replay.h"

/* Fewer snapshots tell a trend from one step by chance only. */
#define HL_GROWTH_SNAPSHOTS_MIN 3

struct hl_growths {
	struct hl_growth *growth; /* the most bytes first */
	size_t n;
	uint32_t snapshots; /* that count */
	uint64_t most;      /* bytes that a chain grew by which grew every time; 0: none did */
};

/* The chains whose live bytes grew from each snapshot to the next, and by more than max from the first to the last.  A
 * chain is known by its functions (baseline.h), its lines are taken together.  t is no sample.  Mapped memory counts,
 * too.  One replay; memory: some 100 bytes a stack that ever allocated.  Errors are those of hl_replay. */
int hl_growth_find(struct hl_growths *out, struct hl_trace *t, struct hl_stacks *stacks, uint64_t max,
		   struct hl_diag *d);
/* Of n growths that were found. */
void hl_growth_free(struct hl_growth *g, size_t n);

#endif
