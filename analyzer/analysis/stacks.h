/*
 * stacks.h - the frames of a recorded stack, newest first, as the reports count them.  Floor: analysis.
 *
 * Two kinds behind one interface: stack nodes of a trace, named by model/symbols when they are first
 * asked for; and ready tracebacks (an extracted snapshot), whose stack id is the traceback.
 *
 * The recorder may keep more frames than the depth that was asked for (facts->process.depth): a walk ends there,
 * and is truncated.
 *
 * Leading (newest) frames of the allocator itself are dropped; when there are no others, the oldest of
 * them is kept.  Stack 0, and a node whose record was lost, is one <unknown>:0 frame.
 */
#ifndef HL_ANALYSIS_STACKS_H
#define HL_ANALYSIS_STACKS_H

#include "analyzer/analysis/names.h"
#include "analyzer/model/symbols.h"

/* No stack is walked further: what is older is cut, the traceback truncated. */
#define HL_STACK_FRAMES_MAX 65535u

struct hl_stacks;
/* facts and symbols NULL: stack ids are tracebacks of names.  They are not owned. */
struct hl_stacks *hl_stacks_new(struct hl_names *names, const struct hl_facts *facts,
				struct hl_symbols *symbols);
void hl_stacks_free(struct hl_stacks *s);
struct hl_names *hl_stacks_names(const struct hl_stacks *s);

/* A walk from the newest frame to the oldest; it names only what it passes. */
struct hl_walk {
	struct hl_stacks *stacks;
	uint32_t node;      /* node whose frames come next */
	uint32_t next, end; /* frames still to give */
	uint32_t steps;
	uint32_t nodes;   /* passed, at most the depth that was asked for */
	uint32_t pending; /* one frame to give before all others, HL_ID_NONE */
	int truncated;    /* complete only when the walk is over */
	uint64_t pc;      /* of the frame given last, as hl_stacks_addresses has it */
};
void hl_walk_start(struct hl_walk *w, struct hl_stacks *s, uint32_t stack);
/* The next frame's id; HL_ID_NONE after the oldest.  The first call never returns HL_ID_NONE. */
uint32_t hl_walk_next(struct hl_walk *w);

/* The whole of it; memoised. */
uint32_t hl_stacks_traceback(struct hl_stacks *s, uint32_t stack);
/* The address of each of its frames, as many as its depth, newest first: of a call the last byte of its instruction, as
 * valgrind has it; inlined frames have that of the one they are inlined into; 0: not known.  NULL: of none.  The caller
 * frees it. */
uint64_t *hl_stacks_addresses(struct hl_stacks *s, uint32_t stack);

#endif
