/*
 * unwind.h - the calling thread's stack.  One file per method and CPU behind this header.  Floor 2.
 *
 * Methods (HEAPLEDGER_OPTIONS=unwind=NAME):
 *   cfi        default: call frame information through a cache of rules, verified against the capture before;
 *              no lock, no allocation, no call into libc
 *   walk       the same rules without the memory of the capture before: each frame is stepped through
 *   libunwind  unw_backtrace, loaded when asked for; it takes locks of its own, so a forked child goes on with cfi
 *   check      cfi, each capture compared with libunwind's; differences are counted (HL_LOST_CHECK)
 *   none       the newest frame only
 * errno is kept.
 */
#ifndef HL_PRELOAD_UNWIND_H
#define HL_PRELOAD_UNWIND_H

#include "preload/idtab.h"
#include "preload/thread.h"

/* A captured frame: return address, enum hl_node_flags << 56. */
#define HL_PC_FLAG_SHIFT 56
#define HL_PC(frame)     ((frame) & ((1ull << HL_PC_FLAG_SHIFT) - 1))

/* What a capture found: the outermost `kept` frames of s->trail, then `n` new ones in s->fresh, newest first; when
 * kept is not 0, s->fresh[n] is the newest of the kept ones as it was reached now. */
struct hl_unwound {
	uint32_t kept, n;
	uint32_t node; /* of a stack that was known at once, and the trail stays; HL_STACK_NONE: it was not */
	int truncated; /* deeper than config.depth, and kept is 0: the n frames are the newest ones */
};

/* In the library's constructor, before threads: the libunwind method loads its library. */
void hl_unwind_init(void);
/* The present stack, from the program's newest frame.  s->trail stays as it was until hl_trail_follow.
 *   at     of the active hook
 *   caller return address to use where the stack cannot be walked */
void hl_unwind(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint64_t caller,
	       struct hl_unwound *u);
/* The whole trail's node when it is the present stack still: the hook's caller is its newest frame *top by pc and sp, and has
 * that frame pointer.  HL_STACK_NONE: it is not, or that is not easy to tell. */
uint32_t hl_trail_again(const struct hl_thread *t, const struct hl_trail *trail, const struct hl_frame *top,
			uint64_t fp);
/* The trail becomes the stack that was found, which is not truncated.  hash: of its kept frames. */
void hl_trail_follow(struct hl_stream *s, const struct hl_unwound *u, uint64_t hash);
/* Its arrays are there, all zeroes; HL_PROBES_BEFORE of the probes are dummies from now on. */
#define HL_PROBES_BEFORE 8u
void hl_trail_init(struct hl_trail *trail);

/* The hash of no frames at all; never 0, as no hash below is. */
static inline uint64_t hl_stack_seed(uint32_t epoch)
{
	return 0x243f6a8885a308d3ull + epoch * 0xd6e8feb86659fd93ull;
}

/* The hash of a prefix and one more frame (pc | flags << 56). */
static inline uint64_t hl_stack_hash(uint64_t h, uint64_t frame)
{
	h = (h ^ frame) * 0x9e3779b97f4a7c15ull;
	return (h ^ h >> 29) | 1;
}

/* Hash of a stack to its node, see nodes.h. */
extern struct hl_idtab hl_node_ids __attribute__((visibility("hidden")));

/* A module was unmapped: forget what was known of its code. */
void hl_unwind_flush(void);
/* In a forked child. */
void hl_unwind_forked(void);

/* ---- the methods ---- */
enum hl_unwind_result {
	HL_UNWIND_DONE,
	HL_UNWIND_RETRY, /* the walk needs registers it did not keep: use _cfi_all */
	HL_UNWIND_DEEP   /* more frames than config.room; the trail is as it was */
};
enum hl_unwind_result hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at,
				    struct hl_unwound *u);
/* The plain ones put at most room frames newest first into s->pcs; return how many. */
/* From the program's newest frame; 0: as RETRY. */
uint32_t hl_unwind_walk(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint32_t room);
/* Our own frames included; with every register that a function must preserve. */
uint32_t hl_unwind_cfi_all(struct hl_thread *t, struct hl_stream *s, uint32_t room);
int hl_unwind_libunwind_init(void); /* 0, or -1: not installed */
uint32_t hl_unwind_libunwind(struct hl_stream *s, uint32_t room);

#endif
