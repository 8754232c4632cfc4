/*
 * unseen.h - libraries of the program whose allocations pass us by, told at the end of exit().  Floor 4.
 *
 * A library loaded with RTLD_DEEPBIND finds libc's malloc before ours; one loaded with dlmopen has a libc of its own.
 * Neither is prevented: the program may mean it.  Only what is still loaded at exit() is looked at: finding it takes the
 * loader's lock, which no hook may, nor a forked child.
 *
 * Sources: glibc 2.36 elf/dl-load.c, dlopen(3); glibc 2.35 elf/link.h, struct r_debug_extended (gdb's protocol).
 */
#ifndef HL_PRELOAD_UNSEEN_H
#define HL_PRELOAD_UNSEEN_H

#include "preload/thread.h"

/* In our constructor: what is loaded now was found by symbols in the usual order. */
void hl_unseen_start(void);
/* By the owner of t, inside a hook, in exit(). */
void hl_unseen_tell(struct hl_thread *t);

/* Before dlclose, by the same: what may be gone then is told now.  handle: of dlopen, as far as the caller knows. */
void hl_unseen_closes(struct hl_thread *t, const void *handle);

#endif
