/*
 * image_restart.h - a system call that our stop interrupted is made again.  Floor 3.
 *
 * The kernel does that for most calls by itself (SA_RESTART), but not for those that a program makes to wait, pause() and poll()
 * among them (signal(7), "Interruption of system calls"): they would return with EINTR, and a thread that main() waits in would
 * go on, perhaps to another exit().  A relative timeout begins anew, but where the kernel wrote what was left of it.
 */
#ifndef HL_PRELOAD_IMAGE_RESTART_H
#define HL_PRELOAD_IMAGE_RESTART_H

#include <stdint.h>

/* What the kernel said of a thread's system call before it got the signal. */
struct hl_call {
	uint8_t known;
	uint32_t number;
	uint64_t first; /* argument */
};

/* At the end of a handler with that context: of a call that has failed with EINTR, and may be made again, have it made again when
 * the handler returns; but not when another signal is due, which interrupts it as well. */
void hl_call_restart(void *context, const struct hl_call *before);

#endif
