/*
 * config.h - what the environment asks for.  Floor 2.  While starting only.
 */
#ifndef HL_PRELOAD_CONFIG_H
#define HL_PRELOAD_CONFIG_H

#include "preload/guest.h"

/*
 * Fill in hl_guest.config, region_path, output, library, exe from envp and /proc.
 *
 * HEAPLEDGER_OPTIONS=name=value,...; a name alone is name=1:
 *   depth=N       frames kept of a stack, 1..65535; default 64
 *   sample=SIZE   a sample of one in so many bytes, at least 1; default: everything
 *   mmap=1        mmap family counts as allocation
 *   image=0       no pointer image at the end, see image.h; default 1
 *   on-full=drop  do not wait for a free slot; default wait
 *   follow=all|none|GLOB   which children to trace, by program name; default all
 *   max-disk=SIZE bare: bytes of the trace at most (k, M, G); default 4G, sparse
 *   unwind=cfi|walk|libunwind|check|none   see unwind.h; default cfi
 * Sizes are bytes, or end in k, M or G.  Unknown names and values are counted, and change nothing.
 */
void hl_config_read(char **envp);
/* The trace file of a bare process: hl_guest.output with %p %n %h expanded; attempt 0 the plain name (with .PID
 * when child), 1.. further ones for a later image of the pid.  0 when it does not fit. */
int hl_config_trace_name(char out[HL_PATH_MAX], int attempt);

#endif
