/*
 * replay.h - events to blocks: the live set at any stamp.  Floor: model.
 *
 * The sink sees births, deaths and realloc completions in order; memory is proportional to live
 * blocks.  In stamp order an address must alternate alloc, free, alloc...: an inversion on one
 * address between two threads within HL_REPAIR_NS is repaired and counted, what cannot be repaired is
 * counted.  Mapped ranges are not repaired: mapping over what is mapped replaces it.
 *
 * In a sample the counts below are estimates (sample.h): rounded to whole blocks and bytes, with the
 * standard error of each.  What is said of damage and of order is about what was recorded.  So is `moved`:
 * a realloc of which only one side was recorded is a birth or a death.
 *
 * A forked program's trace begins with what it inherited: those events are replayed silently; the blocks
 * that live at the fork are then born (b->inherited), and everything counted below starts there.
 * live_blocks = inherited_blocks + allocs - frees, always.
 */
#ifndef HL_MODEL_REPLAY_H
#define HL_MODEL_REPLAY_H

#include "analyzer/input/trace.h"

#define HL_REPAIR_NS 20000

struct hl_block {
	uint64_t address;
	uint64_t size;
	uint64_t stamp;  /* of its allocation */
	uint32_t stack;  /* node id */
	uint32_t thread; /* serial of the allocating thread */
	uint32_t user;   /* for the sink: set in born, kept until died; 0 at first */
	uint8_t entry, domain, inherited;
};

/* How a block ended. */
struct hl_death {
	uint64_t stamp;
	uint32_t stack; /* where the free was called; 0: not recorded */
	uint32_t thread;
	uint8_t entry; /* enum hl_entry: FREE, DELETE, DELETE_ARRAY, or REALLOC; HL_ENTRY_COUNT: no record said so */
	uint8_t temporary; /* no other allocation of the allocating thread came between; in a sample the program's
			    * side says so, and never of mappings */
};

/* A free, or the release by a realloc, of what was no block. */
struct hl_bad_free {
	uint64_t address, stamp;
	uint32_t stack, thread;
	uint8_t entry, domain;
};

/* Any callback may be NULL.  Blocks are valid during the call only. */
struct hl_sink {
	/* A block is born (alloc, map_range).  The sink may set b->user. */
	void (*born)(void *ctx, struct hl_block *b);
	/* A block died (free, drop). */
	void (*died)(void *ctx, const struct hl_block *b, const struct hl_death *death);
	/* A realloc is complete: old leaves and now enters at once (no moment with neither or both).
	 * now->user is preset to old->user. */
	void (*moved)(void *ctx, const struct hl_block *old, struct hl_block *now);
	/* FREE_RANGE cut a mapping: the block keeps `size` bytes, `lost` bytes fewer than before. */
	void (*shrunk)(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp);
	/* A snapshot mark. */
	void (*mark)(void *ctx, uint64_t stamp, enum hl_mark reason, const char *label, uint32_t thread);
	/* A free of what is no block now.  When nothing explains it, bad_free follows: after the window for a
	 * repair, so that other events of up to HL_REPAIR_NS later come before. */
	void (*odd_free)(void *ctx, const struct hl_bad_free *odd);
	void (*bad_free)(void *ctx, const struct hl_bad_free *bad);
};

struct hl_replay_counts {
	uint64_t allocs;                  /* blocks born; a completed realloc counts as one */
	uint64_t frees;                   /* blocks died; a completed realloc of a block counts as one */
	uint64_t reallocs;                /* completed ones among them; in a sample: blocks born of realloc */
	uint64_t temporary;               /* died blocks with no allocation of that thread in between */
	uint64_t total_bytes;             /* ever allocated */
	uint64_t live_bytes, live_blocks; /* at the end of the replay */
	uint64_t peak_bytes, peak_stamp;  /* maximum of live_bytes, and when first reached */
	uint64_t in_flight;         /* reallocs that never completed: their blocks are live, not leaked */
	uint64_t repaired;          /* same-address inversions within the window, repaired */
	uint64_t violations;        /* order violations that could not be repaired */
	uint64_t unexplained_frees; /* of addresses that no event allocated */
	uint64_t mismatched_frees;  /* by an entry that does not go with the block's (hl_entry_mismatch) */
	uint64_t inherited_blocks, inherited_bytes; /* live at the fork this trace begins with */
	uint64_t first_stamp, last_stamp;
	uint64_t events;
	uint64_t sample_bytes; /* 0: the trace is complete, all errors are 0 */
	uint64_t recorded;     /* blocks inherited or born that are in the trace */
	/* One standard error each; the peak's is that of live_bytes at peak_stamp. */
	double live_bytes_error, live_blocks_error, peak_bytes_error, total_bytes_error, allocs_error,
		temporary_error;
};

/* operator new goes with operator delete, new[] with delete[], malloc and its kin with free and realloc. */
static inline int hl_entry_mismatch(unsigned alloc, unsigned end)
{
	unsigned want = alloc == HL_ENTRY_NEW         ? HL_ENTRY_DELETE
			: alloc == HL_ENTRY_NEW_ARRAY ? HL_ENTRY_DELETE_ARRAY
						      : HL_ENTRY_FREE;

	return alloc < HL_ENTRY_MMAP && end != HL_ENTRY_COUNT && end != want &&
	       !(end == HL_ENTRY_REALLOC && want == HL_ENTRY_FREE);
}

/* Replay everything with stamp <= until (UINT64_MAX: all).  Inherited blocks count as live, but
 * allocs/frees/total_bytes count only the program's own; so do events, marks and the two stamps.
 * Returns HL_OK. */
int hl_replay(struct hl_trace *t, uint64_t until, const struct hl_sink *sink, void *ctx,
	      struct hl_replay_counts *out, struct hl_diag *d);

/* As hl_replay, then each live block, with live_ctx, in no particular order (in-flight ones included). */
int hl_replay_live(struct hl_trace *t, uint64_t until, const struct hl_sink *sink, void *ctx,
		   void (*live)(void *live_ctx, const struct hl_block *b), void *live_ctx,
		   struct hl_replay_counts *out, struct hl_diag *d);

#endif
