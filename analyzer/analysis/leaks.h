/*
 * leaks.h - what processes lost, and whether a check lets that pass: what the reports of leaks see.
 * Floor: analysis.
 *
 * Only names and numbers: nothing here knows a trace.  Sizes are bytes.  All strings and arrays are the
 * maker's, who keeps them until the reports are written.  A NULL string is not known, unless it says so.
 */
#ifndef HL_ANALYSIS_LEAKS_H
#define HL_ANALYSIS_LEAKS_H

#include "analyzer/analysis/leak_kind.h"
#include "analyzer/analysis/result.h"

/* A block of a ring: its pointer at +offset leads to the next one, the last one's to the first. */
struct hl_ring_member {
	uint32_t traceback; /* of its allocation, 0: not recorded */
	uint64_t bytes;
	uint64_t offset;
};

/* Against a baseline; NEW where there is none. */
enum hl_loss_state { HL_LOSS_NEW, HL_LOSS_GROWN, HL_LOSS_KNOWN, HL_LOSS_STATES };
extern const char *const hl_loss_state_names[HL_LOSS_STATES];

/* All groups of one kind whose head has one traceback, rings apart from single blocks; for blocks that are
 * nobody's head (indirect, possible, reachable) all that have this traceback. */
struct hl_loss {
	enum hl_leak_kind kind;
	int cycle;          /* the head is a ring: reference counts never free it */
	uint32_t traceback; /* of the head's allocation, of a ring's first member; 0: not recorded */
	/* One a frame of traceback, newest first, as in that process: of the ends of calls, less one; 0: not known.
	 * May be NULL. */
	const uint64_t *addresses;
	unsigned entry;         /* enum hl_entry of the example below */
	const char *function;   /* that allocated the example below: "operator new[]"; may be NULL */
	uint64_t bytes, blocks; /* of the heads; of rings all members */
	uint64_t indirect_bytes, indirect_blocks; /* lost with them: the blocks of kind indirect they hold */
	uint64_t hash;        /* the same in every run and build: of the chain of functions, without lines */
	uint32_t suppression; /* 1 + its index in hl_losses.used: these blocks are matched; 0: none */
	enum hl_loss_state state;
	uint64_t baseline_bytes, baseline_blocks; /* with a baseline: what it allows */
	int fails;                                /* counts against the check (hl_losses_judge) */
	const struct hl_ring_member *ring;        /* of a cycle: one of them, as an example */
	size_t nring;
	uint64_t address; /* of one head, as an example */
};

#define HL_SUPP_NO_MAX UINT64_MAX

/* A suppression, and what it did. */
struct hl_supp_used {
	const char *text;               /* its pattern or name, never NULL */
	const char *where;              /* "FILE:LINE"; NULL: a symbol of the program */
	uint64_t bytes, blocks;         /* that it matched themselves, without what they hold */
	uint64_t max_bytes, max_blocks; /* that it may match; HL_SUPP_NO_MAX: any number */
	int stale;                      /* it matched nothing */
	int over; /* it matched more: fails the check, and no loss has it for its suppression */
};

/* Live bytes of a chain of functions that grew from every snapshot to the next, by more than they may. */
struct hl_growth {
	uint32_t traceback;        /* of the line with the most of them */
	const uint64_t *addresses; /* as in hl_loss */
	uint64_t hash;             /* as in hl_loss */
	uint32_t times;            /* snapshots after the first, in each of which it had grown */
	uint64_t from_bytes, from_blocks, to_bytes, to_blocks; /* at the first and at the last */
};

/* A bound of the whole process that was asked for (max-leaked, max-peak, max-growth). */
struct hl_limit {
	const char *name;    /* of the option, never NULL */
	const char *text;    /* what was found, one sentence, never NULL: "grew in 5 of 5 snapshots" */
	uint64_t max, value; /* bytes */
	int over;            /* fails the check */
	int is_told;         /* all that is over it is told by itself (growth) */
};

/* One process at one moment. */
struct hl_losses {
	const struct hl_names *names;
	/* definite, possible, indirect, reachable; in each by bytes + indirect_bytes, the most first.  Suppressed
	 * ones are among them. */
	struct hl_loss *loss;
	size_t n;
	uint64_t bytes[HL_LEAK_KINDS], blocks[HL_LEAK_KINDS]; /* of what is live, whether or not in loss */
	/* What suppressions matched and what that holds; not in the sums above. */
	uint64_t suppressed_bytes, suppressed_blocks;
	const struct hl_supp_used *used;
	size_t nused;
	const struct hl_limit *limit;
	size_t nlimits;
	const struct hl_growth *growth; /* each fails the check */
	size_t ngrowths;
	uint32_t snapshots;         /* that growth was asked of; 0: none, or too few */
	uint64_t most_growth;       /* bytes of what grew in all of them, whether or not that is too much */
	const char *program;        /* never NULL */
	const char *trace;          /* as given, never NULL */
	const char *command_line;   /* never NULL */
	uint32_t pid, ppid;         /* ppid 0: not known */
	double seconds;             /* the moment, since the process started being traced */
	const char *tier;           /* how the image was taken: "exact", "conservative", "torn"; NULL: none */
	struct hl_totals totals;    /* of the replay until then, events that were lost included */
	int incomplete;             /* the above cannot be relied on: status 4 */
	const char *why_incomplete; /* one sentence; never NULL when incomplete */
	int baseline;               /* there is one */
	int baseline_is_live; /* of what lived, not of leaks: of nothing in it is told that it is fixed */
	uint64_t fixed;       /* entries of it that are gone */
	unsigned fail_kinds;  /* 1 << enum hl_leak_kind each: which of them fail the check */
	/* What counts against it: losses, and their blocks, each once. */
	uint64_t failing_bytes, failing_blocks;
	size_t failing;
};

/* One verdict over several processes. */
struct hl_check {
	struct hl_losses *process;
	size_t n;
	int judged; /* 0: a list of what is lost, no verdict, and no loss is an error */
	int status; /* when judged, of the command: 0 passed, 4 no verdict, else failed */
};

/* Which losses count against the check: of fail_kinds, neither suppressed nor known.  Sets `fails` of each, and the
 * failing_* sums; blocks held by failing heads are in these once, whether or not they are losses of their own. */
void hl_losses_judge(struct hl_losses *l);
/* Bring loss into the order above, ties by hash, then by traceback. */
void hl_losses_sort(struct hl_losses *l);

#endif
