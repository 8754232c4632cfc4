/*
 * marks.h - the snapshots of a trace and the moments that @SNAP can name.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_MARKS_H
#define HL_ANALYSIS_MARKS_H

#include "analyzer/model/replay.h"
#include <stddef.h>

struct hl_snapshot {
	uint64_t number; /* from 1; 0: the end of the trace, which nobody marked */
	uint64_t stamp;
	enum hl_mark reason;
	char *label;                                /* never NULL */
	uint64_t live_bytes, live_blocks;           /* of hl_snapshots_replay */
	double live_bytes_error, live_blocks_error; /* one standard error in a sample, else 0 */
};

struct hl_snapshots {
	struct hl_snapshot *s; /* in order of time */
	size_t n, room;
};

/* All marks of the trace.  Reads the events, replays nothing: no live numbers. */
void hl_snapshots_list(struct hl_trace *t, struct hl_snapshots *out);
/* The same with what was live at each, by one replay, and a last entry for the end unless a mark is
 * already there. */
int hl_snapshots_replay(struct hl_trace *t, struct hl_snapshots *out, struct hl_replay_counts *counts,
			struct hl_diag *d);
void hl_snapshots_release(struct hl_snapshots *s);
/* "api", "command", "interval", "growth", "signal", "end" */
const char *hl_mark_name(enum hl_mark m);

/* The snapshot that a name means: a number, else a label (the newest of equal ones).  NULL: none. */
const struct hl_snapshot *hl_snapshots_find(const struct hl_snapshots *s, const char *name);

/* 1: the trace holds no event but marks. */
int hl_trace_is_empty(struct hl_trace *t);

#endif
