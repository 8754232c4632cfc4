/*
 * trace_impl.h - what trace.c and merge.c share.  Floor: input.
 */
#ifndef HL_INPUT_TRACE_IMPL_H
#define HL_INPUT_TRACE_IMPL_H

#include "analyzer/input/limits.h"
#include "analyzer/input/source.h"

#define HL_ANCESTORS_MAX 64

struct hl_trace {
	struct hl_facts facts;
	/* The file itself, then its ancestors, nearest first. */
	struct hl_source *sources[1 + HL_ANCESTORS_MAX];
	/* limits[k]: what sources[k - 1] inherited of sources[k]; limits[0] is not used */
	struct hl_limits limits[1 + HL_ANCESTORS_MAX];
	size_t nsources;
	struct hl_trace_health *health; /* put together when asked for */
};

#endif
