/*
 * ask.h - asking a running process for a pointer image.  Floor: collect.
 *
 * The library's handler of one real-time signal stands in the process (preload/image_signal.h).  The request is posted in the
 * image table, then a thread that would run the handler gets the signal; the process records the mark and goes on, and its
 * copy writes the image.
 */
#ifndef HL_COLLECT_ASK_H
#define HL_COLLECT_ASK_H

#include "analyzer/collect/mail.h"

/* An image of pid, with a mark of that label; when it returns both are in the trace.  HL_ERR_NOTFOUND with one line: the process
 * cannot be asked, or did not answer. */
int hl_ask_image(struct hl_found *f, pid_t pid, const char *label, uint64_t *stamp, struct hl_diag *d);

#endif
