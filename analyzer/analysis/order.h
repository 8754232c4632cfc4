/*
 * order.h - the orders of rows.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_ORDER_H
#define HL_ANALYSIS_ORDER_H

#include "analyzer/analysis/result.h"
#include "analyzer/base/diag.h"

/* "lineno", ...; HL_ERR_USAGE. */
int hl_by_parse(const char *s, enum hl_by *by, struct hl_diag *d);
int hl_sort_parse(const char *s, enum hl_sort *sort, struct hl_diag *d);

/* Total order of keys of one grouping: as tracemalloc orders tracebacks, else by the strings that are
 * printed, then by number. */
int hl_key_compare(const struct hl_names *n, enum hl_by by, struct hl_key a, struct hl_key b);

/* Descending by (sort field, size, count, key). */
void hl_rows_sort(struct hl_rows *rows);
/* Descending by (|size difference|, new size, |count difference|, new count, key). */
void hl_diff_sort(struct hl_diff *diff);

#endif
