/*
 * utf8.h - names from elsewhere, made fit for a terminal or for JSON.  Floor: analysis.
 *
 * Names come from files, programs and traces: any byte can be in them.
 */
#ifndef HL_ANALYSIS_UTF8_H
#define HL_ANALYSIS_UTF8_H

#include <stdint.h>

/* One UTF-8 character of s (not empty) into *c; its length in bytes.  A byte that starts no valid
 * sequence: length 1 and *c = 0xdc00 + byte, as Python's surrogateescape. */
unsigned hl_utf8_decode(const char *s, uint32_t *c);

enum hl_escape {
	HL_ESCAPE_INVALID,  /* bytes that are not UTF-8: JSON has no form for them */
	HL_ESCAPE_TERMINAL, /* those, C0, DEL, C1, line separators and bidirectional controls */
	HL_ESCAPE_SOURCE    /* as TERMINAL, but tabs stay: a line of source text */
};
/* A malloc'd copy with each such byte as \xNN; NULL when s needs none. */
char *hl_utf8_escape(const char *s, enum hl_escape what);

#endif
