/*
 * lifecycle.h - the process: start, fork, exec, exit.  Floor 4.
 */
#ifndef HL_PRELOAD_LIFECYCLE_H
#define HL_PRELOAD_LIFECYCLE_H

#include "heapledger/format.h"

/* Record how the image ends.  No system call: a sandbox may kill for one.  Not for a vfork child. */
void hl_lifecycle_end(enum hl_end end, int status);

/* In our constructor: to be called at the end of exit(), with its status. */
void hl_lifecycle_setup(void);

#endif
