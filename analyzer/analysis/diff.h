/*
 * diff.h - two sets of rows compared by their keys.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_DIFF_H
#define HL_ANALYSIS_DIFF_H

#include "analyzer/analysis/result.h"

/* Rows of both, sorted; a row that is missing on one side is 0 there.  Both have the same names and
 * grouping.  The caller frees out->row.
 *
 * Errors of the differences add the variances of both sides, as is right for independent samples.  What
 * one side says to share with the other (hl_errors) is the same estimate on both and cancels exactly; where
 * nothing is said of blocks that both have (an extracted snapshot, a parent's and its child's trace), the
 * sum is an upper bound. */
void hl_diff_rows(const struct hl_rows *old, const struct hl_rows *now, struct hl_diff *out);

#endif
