/*
 * arena.h - the library's own memory: anonymous maps, never returned, so that nothing of ours is
 * ever in the program's heap.  Floor 1.  Lock-free, async-signal-safe, errno kept.
 */
#ifndef HL_PRELOAD_ARENA_H
#define HL_PRELOAD_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* bytes > 0, zeroed, aligned to 64; NULL when the kernel has no memory.  Lives as long as the process. */
void *hl_arena_alloc(size_t bytes);
/* Every map so far, newest first.  What others add meanwhile may be missed. */
void hl_arena_each(void (*visit)(void *ctx, uintptr_t start, uintptr_t end), void *ctx);

#endif
