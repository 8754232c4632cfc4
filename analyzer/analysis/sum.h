/*
 * sum.h - the rows of several processes as one.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_SUM_H
#define HL_ANALYSIS_SUM_H

#include "analyzer/analysis/result.h"

/* Both have the same names and grouping; zeroes (of sum): no rows yet.  Numbers of a key are added, and of estimates
 * the variances.  A peak is then the sum of what each process had at its own peak: the most that they can have had together.
 * Sorted again.  The caller frees sum->row. */
void hl_rows_add(struct hl_rows *sum, const struct hl_rows *more);
void hl_totals_add(struct hl_totals *sum, const struct hl_totals *more);

#endif
