/*
 * unwind.h - the calling thread's stack.  One file per method.  Floor 1.
 *
 * Keeps errno.  Takes no lock that the program can hold and allocates nothing once it is ready.
 */
#ifndef HL_PRELOAD_UNWIND_H
#define HL_PRELOAD_UNWIND_H

#include <stdint.h>

/* In the library's constructor, before threads: may load a library.  0: ready; -1: hl_unwind gives nothing. */
int hl_unwind_init(void);
/* Return addresses newest first, from somewhere inside our own library outwards, at most room of them.
 * 0: not ready, or nothing found. */
uint32_t hl_unwind(uint64_t *pcs, uint32_t room);
/* In a forked child of a process that had several threads: another thread may have held a lock of the
 * method when the fork came. */
void hl_unwind_forked(int had_threads);

#endif
