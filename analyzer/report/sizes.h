/*
 * sizes.h - sizes as tracemalloc prints them.  Floor: report.
 * Source: CPython 3.11 Lib/tracemalloc.py, _format_size.
 */
#ifndef HL_REPORT_SIZES_H
#define HL_REPORT_SIZES_H

#include <stdint.h>

#define HL_SIZE_TEXT 48 /* room for any of them */

/* "10.0 KiB".  text has HL_SIZE_TEXT bytes; it is returned. */
char *hl_size_text(char *text, double size);
/* "+10.0 KiB", "-66 B", "+0 B" */
char *hl_size_diff_text(char *text, double size);
/* The exact difference of two sizes, as a double and as text of an integer with its sign. */
double hl_size_diff(uint64_t now, uint64_t old);
char *hl_count_diff_text(char *text, uint64_t now, uint64_t old);

#endif
