/*
 * match.h - file name patterns with the meaning they have in Python's fnmatch and tracemalloc.
 * Floor: analysis.
 *
 * `*` any run of characters, `/` too; `?` one character; `[seq]` `[!seq]` ranges; a bracket that is
 * not closed is itself; backslash is no escape.  A character is a UTF-8 sequence; bytes that are none
 * count as one each.  Source: CPython 3.11 fnmatch.translate, tracemalloc._normalize_filename.
 */
#ifndef HL_ANALYSIS_MATCH_H
#define HL_ANALYSIS_MATCH_H

/* 1 when the whole of s matches.  Time: at most length of s times length of pattern. */
int hl_match(const char *pattern, const char *s);
/* The same with tracemalloc's normalisation of both: a trailing ".pyc" reads ".py". */
int hl_match_file(const char *pattern, const char *file);

#endif
