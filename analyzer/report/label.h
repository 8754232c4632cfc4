/*
 * label.h - what a row is called.  Floor: report.
 */
#ifndef HL_REPORT_LABEL_H
#define HL_REPORT_LABEL_H

#include "analyzer/analysis/result.h"
#include "analyzer/analysis/utf8.h"
#include <stdio.h>

/* s with what is not fit for `what` escaped. */
void hl_put_escaped(FILE *out, const char *s, enum hl_escape what);
/* "FILE:LINE" (of a traceback: its oldest frame), "NAME (FILE)", "MODULE", "NAME (TID)"; terminal-safe. */
void hl_put_label(FILE *out, const struct hl_names *n, enum hl_by by, int no_tid, struct hl_key key);
/* The oldest frame of a traceback. */
uint32_t hl_oldest_frame(const struct hl_names *n, uint32_t traceback);

#endif
