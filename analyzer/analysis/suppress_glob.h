/*
 * suppress_glob.h - the wildcards of suppression files, compiled.  Floor: analysis.
 *
 * Two meanings of a pattern's text:
 *   LeakSanitizer  a substring; `*` any run, `^` first: at the start, `$`: at the end (what follows it does not
 *                  count).  Case matters.  Never matches an empty string.
 *   valgrind       the whole string; `*` any run, `?` one byte, and in a pattern with one of these a backslash takes
 *                  away the next byte's meaning (at the end: matches nothing).  Case matters.
 * Sources: Clang documentation, LeakSanitizer and SanitizerSpecialCaseList; compiler-rt's suppressions; Valgrind
 * manual 2.5 "Suppressing errors", and the behaviour of its matcher.  Unlike LeakSanitizer we find "ab$" in "abab".
 */
#ifndef HL_ANALYSIS_SUPPRESS_GLOB_H
#define HL_ANALYSIS_SUPPRESS_GLOB_H

#include <stddef.h>
#include <stdint.h>

/* Which pairs of bytes are in a string: a string that lacks one of a pattern's cannot match it. */
struct hl_supp_pairs {
	uint64_t bits[8];
};

struct hl_supp_glob {
	int16_t *code; /* bytes, or what is in suppress_glob.c */
	struct hl_supp_pairs pairs;
};

void hl_supp_glob_lsan(struct hl_supp_glob *g, const char *text);
void hl_supp_glob_valgrind(struct hl_supp_glob *g, const char *text);
/* As valgrind's with `*` alone, and HL_SUPP_BOUNDARY where a word may not go on: what suppress_mangled.h makes. */
#define HL_SUPP_BOUNDARY '\1'
void hl_supp_glob_words(struct hl_supp_glob *g, const char *text);
/* The text has no wildcards. */
void hl_supp_glob_literal(struct hl_supp_glob *g, const char *text);
void hl_supp_glob_release(struct hl_supp_glob *g);

void hl_supp_pairs_of(struct hl_supp_pairs *p, const char *s);
/* 1: s, whose pairs are p, matches.  Time: at most length of s times length of the pattern. */
int hl_supp_glob_match(const struct hl_supp_glob *g, const char *s, const struct hl_supp_pairs *p);

#endif
