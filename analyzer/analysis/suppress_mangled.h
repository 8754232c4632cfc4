/*
 * suppress_mangled.h - patterns on linkers' names of C++ functions, for names that are demangled.  Floor: analysis.
 *
 * valgrind compares linkers' names (its manual, 2.5: "C++ function names must be mangled"); ours are demangled.  A
 * pattern without wildcards is demangled.  One with wildcards is translated: the identifiers that it spells, in
 * their order and joined by "::" where they are neighbours, everything else any run.  That is wider than the
 * pattern: parameters' types do not count.
 * Source of the fact: Itanium C++ ABI, chapter 5.1 (mangling).
 */
#ifndef HL_ANALYSIS_SUPPRESS_MANGLED_H
#define HL_ANALYSIS_SUPPRESS_MANGLED_H

/* The demangled pattern for hl_supp_glob_words; malloc'd; NULL: the text is no such pattern.  *literal: it is for
 * hl_supp_glob_literal. */
char *hl_supp_demangled(const char *text, int *literal);
/* "app::make<int>(int)" of "int* app::make<int>(int)": of templates the type comes first, where a linker's name has
 * it behind.  A part of function. */
const char *hl_supp_without_type(const char *function);

#endif
