/*
 * history.h - the blocks that an address lies in or lay in.  Floor: analysis.
 *
 * One replay.  Memory: that of a replay, and of the lives that are kept.
 */
#ifndef HL_ANALYSIS_HISTORY_H
#define HL_ANALYSIS_HISTORY_H

#include "analyzer/analysis/call.h"
#include "analyzer/model/replay.h"

/* One block, from the call that made it to the one that ended it. */
struct hl_life {
	uint64_t address, size;
	uint64_t
		unmapped; /* bytes of a mapping that were unmapped while it lived: the address may be among them */
	uint8_t domain;    /* enum hl_domain */
	uint8_t live;      /* 1: it lives at the moment that was asked for */
	uint8_t inherited; /* 1: it was the parent's, before the fork */
	struct hl_call allocated;
	struct hl_call ended; /* not known of a block that lives, nor where no record says how it ended */
};

struct hl_history {
	const struct hl_names *names;
	const char *trace; /* as given */
	uint64_t address;
	struct hl_life *life; /* the newest first */
	size_t n;
	uint64_t lives; /* how many there were, those included that are not kept */
	int stackless;  /* 1: some stack of an end was not recorded */
};

/* Of the lives up to the stamp `until` keep the newest `keep` (0: all).  HL_OK, or what hl_replay returns. */
int hl_history_load(struct hl_history *h, const struct hl_calls *calls, uint64_t address, uint64_t until,
		    uint64_t keep, struct hl_replay_counts *counts, struct hl_diag *d);
void hl_history_release(struct hl_history *h);

#endif
