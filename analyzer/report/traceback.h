/*
 * traceback.h - a stack as tracemalloc prints it, with lines of source where they can be read.  Floor: report.
 */
#ifndef HL_REPORT_TRACEBACK_H
#define HL_REPORT_TRACEBACK_H

#include "analyzer/report/report.h"
#include "analyzer/report/source.h"

/* Two lines a frame; which, and in what order, style says.  Terminal-safe. */
void hl_put_traceback(FILE *out, const struct hl_style *style, const struct hl_names *n, uint32_t tb,
		      struct hl_sources *sources);

#endif
