/*
 * unwind.h - the calling thread's stack.  One file per method and CPU behind this header.  Floor 2.
 *
 * Methods (HEAPLEDGER_OPTIONS=unwind=NAME):
 *   cfi        default: call frame information through a cache of rules; no lock, no allocation, no call into libc
 *   libunwind  unw_backtrace, loaded when asked for; it takes locks of its own, so a child forked from a process
 *              with several threads goes on with cfi
 *   none       the newest frame only
 * errno is kept.
 */
#ifndef HL_PRELOAD_UNWIND_H
#define HL_PRELOAD_UNWIND_H

#include "preload/thread.h"

/* A captured frame: return address, enum hl_node_flags << 56. */
#define HL_PC_FLAG_SHIFT 56
#define HL_PC(frame)	 ((frame) & ((1ull << HL_PC_FLAG_SHIFT) - 1))

/* In the library's constructor, before threads: the libunwind method loads its library. */
void hl_unwind_init(void);
/* Frames newest first into s->pcs, at most room of them; the first ones may be our own.
 *   frame  frame address of the active hook: [frame] its caller's rbp, [frame + 8] the return address
 * 0: nothing found. */
uint32_t hl_unwind(struct hl_thread *t, struct hl_stream *s, uintptr_t frame, uint32_t room);
/* A module was unmapped: forget what was known of its code. */
void hl_unwind_flush(void);
/* In a forked child of a process that had several threads. */
void hl_unwind_forked(void);

/* ---- the methods ---- */
uint32_t hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, uintptr_t frame, uint32_t room);
void hl_unwind_cfi_flush(void);
int hl_unwind_libunwind_init(void); /* 0, or -1: not installed */
uint32_t hl_unwind_libunwind(struct hl_stream *s, uint32_t room);

#endif
