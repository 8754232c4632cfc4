/*
 * limits.h - which records of a program's streams a forked child inherited.  Floor: input.
 */
#ifndef HL_INPUT_LIMITS_H
#define HL_INPUT_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct hl_source;

struct hl_limit {
	uint32_t stream, claim, used;
};

/* As HL_FACT_FORK says; zeroed: nothing is inherited. */
struct hl_limits {
	uint32_t next_serial;
	struct hl_limit *list; /* sorted by stream */
	size_t n, cap;
};

void hl_limits_add(struct hl_limits *l, const struct hl_limit *one);
/* After the last add, before the first question. */
void hl_limits_sort(struct hl_limits *l);
void hl_limits_release(struct hl_limits *l);

/* 1: of this stream all claims below *claim are in, and *used bytes of that one; 0: nothing is.
 * l NULL: everything is. */
int hl_limits_of(const struct hl_limits *l, uint32_t stream, uint32_t *claim, uint32_t *used);
/* Claims inside the limits that the source does not have. */
uint64_t hl_limits_missing(const struct hl_limits *l, const struct hl_source *s);

#endif
