/*
 * csv_put.h - what all CSV is made of: RFC 4180, but lines end in LF.  Floor: report.
 *
 * A cell of text that a spreadsheet would take for a formula (first character = + - @, tab or CR) gets a
 * quote before it; control characters and bytes that are not UTF-8 are escaped as in text.
 */
#ifndef HL_REPORT_CSV_PUT_H
#define HL_REPORT_CSV_PUT_H

#include "analyzer/report/report.h"

/* A cell. */
void hl_csv_text(FILE *out, const char *s);
/* "FILE:LINE;FILE:LINE", newest first; empty: not known. */
void hl_csv_traceback(FILE *out, const struct hl_names *n, uint32_t tb);
/* That and the cell "truncated", 0 or 1. */
void hl_csv_frames(FILE *out, const struct hl_names *n, uint32_t tb);

#endif
