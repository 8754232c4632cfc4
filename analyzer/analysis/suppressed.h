/*
 * suppressed.h - blocks of a heap graph that suppressions match: kept as if a root led to them.  Floor: analysis.
 *
 * As LeakSanitizer has it: each block that is lost or possibly lost is matched by the stack of its own allocation, be it
 * the head of a group or in the middle of one.  It and all that it leads to are out of every loss then: what a block
 * that is not matched leads to as well is not counted with that one.  A possible block that only pointers into its middle
 * lead to then, too, stays possible.
 */
#ifndef HL_ANALYSIS_SUPPRESSED_H
#define HL_ANALYSIS_SUPPRESSED_H

#include "analyzer/analysis/call.h"
#include "analyzer/analysis/heapgraph.h"
#include "analyzer/analysis/suppress.h"

/* Both by blocks of the graph; NULL: nothing was matched. */
struct hl_suppressed {
	uint32_t *entry; /* 1 + index of the suppression that matched it, 0: none */
	uint8_t *was;    /* enum hl_leak_kind before it was kept, or something that leads to it */
};

enum hl_suppress_pass {
	HL_SUPPRESS_COUNT, /* what each entry matches counts for it; budgets are not looked at */
	HL_SUPPRESS_BUDGET /* nothing counts any more, and an entry over its budget hides nothing */
};

/* Match, keep and solve h again, as often as that makes another kind of a block match; h is solved once when nothing
 * does.  reachable: blocks that are reachable anyhow are matched, too, which changes nothing but their entry.
 * inherited 0: blocks that the parent allocated before the fork are kept when they match, but count for nothing.
 * Errors as of hl_heapgraph_keep; out is to be released all the same. */
int hl_suppressed_find(struct hl_suppressed *out, struct hl_heapgraph *h, const struct hl_calls *calls,
		       struct hl_suppressions *s, enum hl_suppress_pass pass, int reachable, int inherited,
		       struct hl_diag *d);
void hl_suppressed_release(struct hl_suppressed *s);

/* 1: a suppression matched it, or it is held by what one matched and by no root. */
static inline int hl_suppressed_hides(const struct hl_suppressed *s, uint32_t block, enum hl_leak_kind kind)
{
	return s->entry && (s->entry[block] || (kind >= HL_LEAK_POSSIBLE && kind > s->was[block]));
}

#endif
