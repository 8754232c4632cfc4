/*
 * baseline_live.h - what lived at a moment as a baseline: a leak of no more bytes than its chain of functions had live
 * then is known.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_BASELINE_LIVE_H
#define HL_ANALYSIS_BASELINE_LIVE_H

#include "analyzer/analysis/baseline.h"
#include "analyzer/analysis/heap.h"

/* Add the live blocks of h, but for mapped memory, which is never lost: of each chain one entry, reachable.  h is no
 * sample. */
void hl_baseline_add_live(struct hl_baseline *b, const struct hl_heap *h);
/* As hl_baseline_compare, was made by add_live.  Grown: the losses of these kinds (1 << enum hl_leak_kind each) with that
 * hash have more bytes together than lived. */
enum hl_baseline_state hl_baseline_compare_live(const struct hl_baseline *was, const struct hl_baseline *now,
						unsigned kinds, uint64_t hash,
						const struct hl_baseline_entry **old);

#endif
