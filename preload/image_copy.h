/*
 * image_copy.h - a copy of the process that writes an image while the process goes on.  Floor 3.
 *
 * A fork without what libc and the program do at one: no handlers, no signal to the parent at its end (exit signal 0), and so no
 * wait() of the program's that sees it (wait4(2): only with __WCLONE or __WALL).  It holds none of the program's descriptors but
 * those it is to keep, dies with the thread that made it, and leaves no core.
 */
#ifndef HL_PRELOAD_IMAGE_COPY_H
#define HL_PRELOAD_IMAGE_COPY_H

#include "preload/guest.h"

/* In the copy 0; in the process the copy's pid, or -errno.  One at a time.  It keeps the descriptors below that number. */
long hl_copy_start(uint32_t keep);
/* In the copy. */
void hl_copy_end(int status) __attribute__((noreturn));
/* 1: there is none, any more.  wait: until it is over.  *status, or NULL: of one that ended just now, as exit() was told, or
 * HL_COPY_KILLED; else -1. */
#define HL_COPY_KILLED (-2)
int hl_copy_reap(int wait, int *status);
/* 1: there may be one. */
int hl_copy_runs(void);
void hl_copy_kill(void);
/* In a forked child. */
void hl_copy_forked(void);

#endif
