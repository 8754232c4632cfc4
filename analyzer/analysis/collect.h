/*
 * collect.h - a replay summed up per allocation site.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_COLLECT_H
#define HL_ANALYSIS_COLLECT_H

#include "analyzer/analysis/view.h"
#include "analyzer/model/replay.h"

struct hl_collect_options {
	uint64_t until;        /* stamp; UINT64_MAX: everything */
	uint64_t since;        /* only blocks allocated after this stamp; 0: all */
	uint64_t min_size;     /* only blocks of at least this many bytes */
	uint64_t shared_until; /* in a sample: blocks of up to this stamp live at another moment too, see
				* hl_errors; 0: none */
	int origin;            /* a realloc keeps the stack, thread and kind of the first allocation */
	struct hl_view *view;  /* to follow its rows' peaks; NULL: nobody wants them */
	/* called now and then, with the number of events so far; may be NULL */
	void (*tick)(void *ctx, uint64_t events);
	void *tick_ctx;
};

/* The context of hl_collect_sink. */
struct hl_collector {
	struct hl_heap *heap;
	const struct hl_facts *facts; /* for thread names; may be NULL */
	struct hl_collect_options o;
	uint64_t events;
};
extern const struct hl_sink hl_collect_sink;

/* Replay t into heap (initialised, empty); whether it is a sample is set here.  Errors are those of
 * hl_replay. */
int hl_collect(struct hl_trace *t, const struct hl_collect_options *o, struct hl_heap *heap,
	       struct hl_replay_counts *counts, struct hl_diag *d);

#endif
