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

/* What a replay of a trace, which is no sample, is told with hl_growth_sink.  Memory: some 100 bytes a stack that ever
 * allocated. */
struct hl_growth_watch;
struct hl_growth_watch *hl_growth_watch_new(void);
void hl_growth_watch_free(struct hl_growth_watch *w);
/* Before the replay: the stacks of its trace. */
void hl_growth_watch_start(struct hl_growth_watch *w, struct hl_stacks *stacks);
extern const struct hl_sink hl_growth_sink;

/* After it: the chains whose live bytes grew from each snapshot to the next, and by more than max from the first to the last.  A
 * chain is known by its functions (baseline.h), its lines are taken together.  Mapped memory counts, too. */
void hl_growth_find(struct hl_growths *out, const struct hl_growth_watch *w, uint64_t max);
/* Of n growths that were found. */
void hl_growth_free(struct hl_growth *g, size_t n);

#endif
