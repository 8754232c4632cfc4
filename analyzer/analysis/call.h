/*
 * call.h - a call that made or ended a block, as reports show it.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_CALL_H
#define HL_ANALYSIS_CALL_H

#include "analyzer/analysis/stacks.h"
#include "analyzer/input/trace.h"

struct hl_call {
	int known;
	const char *function; /* "operator delete[]"; constant */
	uint32_t traceback;   /* of names; 0: its stack was not recorded */
	double seconds;       /* since the process started being traced */
	uint32_t thread;      /* its name, a string of names */
	uint32_t tid;         /* 0 unknown */
};

/* What calls are made of, not owned. */
struct hl_calls {
	struct hl_trace *trace;
	struct hl_names *names; /* those of stacks */
	struct hl_stacks *stacks;
};

/* "operator new[]", of an enum hl_entry. */
const char *hl_call_function(unsigned entry, unsigned domain);

/* entry: enum hl_entry; stack: a node, 0: not recorded; thread: a serial. */
struct hl_call hl_call_make(const struct hl_calls *c, unsigned entry, unsigned domain, uint64_t stamp,
			    uint32_t stack, uint32_t thread);

#endif
