/*
 * valgrind_put.h - losses as valgrind's memcheck counts and names them.  Floor: report.
 * Source: valgrind 3.19, its manual and docs/internals/xml-output-protocol4.txt, and what it prints.
 */
#ifndef HL_REPORT_VALGRIND_PUT_H
#define HL_REPORT_VALGRIND_PUT_H

#include "analyzer/report/leaks.h"

/* A loss record and the number it goes by, from 1. */
struct hl_vg_record {
	const struct hl_loss *loss;
	size_t number;
};
/* All losses of p with their numbers, the largest last; suppressed ones are numbered but left out, as are the first
 * ones when the style has a limit.  malloc'd, *n of them. */
struct hl_vg_record *hl_vg_records(const struct hl_losses *p, const struct hl_style *style, size_t *n);
/* "64 (32 direct, 32 indirect) bytes in 1 blocks are definitely lost in loss record 5 of 5" */
void hl_vg_put_what(FILE *out, const struct hl_losses *p, const struct hl_vg_record *r);
/* "1,234" */
void hl_vg_put_number(FILE *out, uint64_t v);
/* Losses that are suppressed, and how many suppressions did it. */
void hl_vg_suppressed(const struct hl_losses *p, size_t *losses, size_t *suppressions);

/* A line of a stack; strings belong to names or style. */
struct hl_vg_frame {
	uint64_t ip;      /* 0: not known */
	const char *obj;  /* NULL: none */
	const char *fn;   /* NULL: not known */
	const char *file; /* whole path; NULL: not known */
	uint32_t line;    /* 0: not known */
};
/* Call f for each frame of l, newest first: the allocating function in our library, where it is known, then
 * its callers, as many as style's frames allow; one without anything when the stack was not recorded. */
void hl_vg_frames(const struct hl_losses *p, const struct hl_loss *l, const struct hl_check_style *style,
		  void (*f)(void *ctx, size_t i, const struct hl_vg_frame *frame), void *ctx);

#endif
