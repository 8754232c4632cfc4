/*
 * source.h - lines of source files, as Python's linecache.  Floor: report.
 *
 * File names come from debug information: only regular files are opened, never anything that could
 * block or have an effect, none above HL_SOURCE_BYTES_MAX.
 */
#ifndef HL_REPORT_SOURCE_H
#define HL_REPORT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#define HL_SOURCE_BYTES_MAX (16u << 20)

struct hl_sources;
struct hl_sources *hl_sources_new(void);
void hl_sources_free(struct hl_sources *s);
/* The line (from 1) without white space at its ends, malloc'd; NULL when it is not readable or empty. */
char *hl_sources_line(struct hl_sources *s, const char *file, uint32_t line);

#endif
