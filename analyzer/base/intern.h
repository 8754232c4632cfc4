/*
 * intern.h - one copy of each string: equal strings are equal pointers.  Floor: base.
 *
 * Ownership: the strings live as long as the table.  Running out of memory ends the program (hl_xmalloc).
 * Not thread-safe.
 */
#ifndef HL_BASE_INTERN_H
#define HL_BASE_INTERN_H

#include <stddef.h>

struct hl_intern;
struct hl_intern *hl_intern_new(void);
void hl_intern_free(struct hl_intern *t);

/* The one copy of the NUL-terminated s, or of the n bytes at s (no NUL among them). */
const char *hl_intern_string(struct hl_intern *t, const char *s);
const char *hl_intern_bytes(struct hl_intern *t, const char *s, size_t n);

#endif
