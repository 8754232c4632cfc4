/*
 * lostblocks.h - what a heap graph says of its blocks, as losses for the reports.  Floor: analysis.
 *
 * A loss is all groups of one kind whose head was allocated by one stack.  A stack is named when it has a loss.
 */
#ifndef HL_ANALYSIS_LOSTBLOCKS_H
#define HL_ANALYSIS_LOSTBLOCKS_H

#include "analyzer/analysis/call.h"
#include "analyzer/analysis/heapgraph.h"
#include "analyzer/analysis/leaks.h"
#include "analyzer/analysis/suppressed.h"

/* Losses of these kinds (1 << enum hl_leak_kind each), sorted; sums of all kinds.  Sets of *out: names, loss, n, bytes,
 * blocks; they are released by hl_lost_release.  inherited: 0: blocks that the parent allocated before the fork are the
 * parent's business and in no loss and no sum.  suppressed: what it hides is in the suppressed sums only, and
 * what a suppression matched also in losses of the kind it had, which hold nothing.  NULL: there are no suppressions. */
void hl_lost_find(struct hl_losses *out, struct hl_heapgraph *h, const struct hl_calls *calls, unsigned kinds,
		  int inherited, const struct hl_suppressed *suppressed);
void hl_lost_release(struct hl_losses *l);

#endif
