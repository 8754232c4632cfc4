/*
 * misuse.h - frees that the ledger sees to be wrong.  Floor: analysis.
 *
 *   double       of the start of a block that had been freed before
 *   invalid      of any other address that is no live block's start
 *   mismatched   of a block that another kind of function allocated (hl_entry_mismatch)
 *
 * A replay finds them; a second one, when there are bad frees, finds the last block that covered each of
 * their addresses.  Memory: that of a replay, and of the misuses.
 *
 * What the ledger cannot tell apart: an address that was handed out again between two frees.  Then the wrong free
 * ends the new block, and the new owner's free is the one that is reported, with the wrong one as the free before it.
 */
#ifndef HL_ANALYSIS_MISUSE_H
#define HL_ANALYSIS_MISUSE_H

#include "analyzer/analysis/call.h"
#include "analyzer/model/replay.h"

enum hl_misuse_kind { HL_MISUSE_DOUBLE, HL_MISUSE_INVALID, HL_MISUSE_MISMATCHED, HL_MISUSE_KINDS };
/* "double free" and so on. */
extern const char *const hl_misuse_names[HL_MISUSE_KINDS];

struct hl_misuse {
	const char *trace; /* as given */
	enum hl_misuse_kind kind;
	uint64_t count;       /* of equal calls; what follows is of the first */
	uint64_t address;     /* that was freed */
	uint64_t block, size; /* the block that is or was there, when `allocated` is known */
	struct hl_call freed, freed_before, allocated; /* the wrong free, the one before it, the allocation */
};

struct hl_misuses {
	const struct hl_names *names;
	struct hl_misuse *row; /* of each trace in order of time */
	size_t n, room;
	uint64_t count[HL_MISUSE_KINDS];
	uint64_t lost; /* events that were not recorded: what is called invalid may be right */
	int stackless; /* 1: some free's stack was not recorded */
};

/* How many of each kind, without their stacks.  HL_OK, or what hl_replay returns. */
int hl_misuses_count(struct hl_trace *t, uint64_t count[HL_MISUSE_KINDS], struct hl_replay_counts *counts,
		     struct hl_diag *d);
/* Add what t holds.  names: those of stacks.  HL_OK, or what hl_replay returns. */
int hl_misuses_add(struct hl_misuses *all, struct hl_trace *t, const char *path, struct hl_names *names,
		   struct hl_stacks *stacks, struct hl_replay_counts *counts, struct hl_diag *d);
void hl_misuses_release(struct hl_misuses *all);

#endif
