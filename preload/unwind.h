/*
 * unwind.h - the calling thread's stack.  One file per method and CPU behind this header.  Floor 2.
 *
 * Methods (HEAPLEDGER_OPTIONS=unwind=NAME):
 *   cfi        default: call frame information through a cache of rules, on x86-64 verified against the capture before;
 *              no lock, no allocation, no call into libc
 *   libunwind  unw_backtrace, loaded when asked for; it takes locks of its own, so a forked child goes on with cfi
 *   check      cfi, each capture compared with libunwind's; differences are counted (HL_LOST_CHECK)
 *   none       the newest frame only
 * errno is kept.
 */
#ifndef HL_PRELOAD_UNWIND_H
#define HL_PRELOAD_UNWIND_H

#include "preload/thread.h"

/* A captured frame: return address, enum hl_node_flags << 56. */
#define HL_PC_FLAG_SHIFT 56
#define HL_PC(frame)     ((frame) & ((1ull << HL_PC_FLAG_SHIFT) - 1))

struct hl_unwound {
	uint32_t
		kept; /* outermost frames of s->trail that are those of the capture before, their nodes valid */
	int truncated; /* deeper than depth: the newest `depth` frames are in s->pcs, newest first, and not in the trail */
};

/* In the library's constructor, before threads: the libunwind method loads its library. */
void hl_unwind_init(void);
/* Bring s->trail up to the present stack, from the program's newest frame; s->trail.n 0: nothing found.
 *   at     of the active hook
 *   caller return address to use where the stack cannot be walked */
void hl_unwind(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint64_t caller,
	       struct hl_unwound *u);
/* A module was unmapped: forget what was known of its code. */
void hl_unwind_flush(void);
/* In a forked child of a process that had several threads. */
void hl_unwind_forked(void);

/* ---- the methods ---- */
/* 0: the walk needs registers it did not keep: use _all. */
int hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint32_t depth,
		  struct hl_unwound *u);
/* The plain ones put frames newest first into s->pcs, our own included; return how many. */
uint32_t hl_unwind_cfi_all(struct hl_thread *t, struct hl_stream *s, uint32_t room);
void hl_unwind_cfi_flush(void);
int hl_unwind_libunwind_init(void); /* 0, or -1: not installed */
uint32_t hl_unwind_libunwind(struct hl_stream *s, uint32_t room);

#endif
