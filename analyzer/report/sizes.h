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

/* How the error of an estimate is printed: "+-12%" of it, "+-3.4%" when it is below 10, "" when that
 * is 0.  text has HL_SIZE_TEXT bytes; it is returned. */
char *hl_error_text(char *text, double error, uint64_t of);
/* An error as whole bytes, and in blocks; what a damaged trace makes of them is cut to what prints well. */
uint64_t hl_error_bytes(double error);
double hl_error_blocks(double error);

#endif
