/*
 * capture.h - the calling thread's stack as a node id.  Floor 3.
 */
#ifndef HL_PRELOAD_CAPTURE_H
#define HL_PRELOAD_CAPTURE_H

#include "preload/thread.h"

/* The newest frame is the caller of the outermost hook of ours that is active; caller is its return
 * address, used alone where the stack cannot be walked.  HL_STACK_NONE (counted) when nodes cannot be
 * recorded. */
uint32_t hl_capture(struct hl_thread *t, struct hl_stream *s, uint64_t caller);

#endif
