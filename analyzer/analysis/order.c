/*
 * order.c - the orders of rows, from CPython's Statistic._sort_key and StatisticDiff._sort_key.
 * Floor: analysis.
 */
#include "analyzer/analysis/order.h"
#include <stdlib.h>
#include <string.h>

const char *const hl_by_names[HL_BY_COUNT] = {"lineno",    "filename", "function",
					      "traceback", "object",   "thread"};
const char *const hl_sort_names[HL_SORT_NUMBER] = {"live", "peak", "total", "count", "temporary"};

int hl_by_parse(const char *s, enum hl_by *by, struct hl_diag *d)
{
	for (unsigned i = 0; i < HL_BY_COUNT; i++)
		if (!strcmp(s, hl_by_names[i])) {
			*by = i;
			return HL_OK;
		}
	return hl_fail(d, HL_ERR_USAGE,
		       "--by: '%s' is none of lineno, filename, function, traceback, object, thread", s);
}

int hl_sort_parse(const char *s, enum hl_sort *sort, struct hl_diag *d)
{
	for (unsigned i = 0; i < HL_SORT_NUMBER; i++)
		if (!strcmp(s, hl_sort_names[i])) {
			*sort = i;
			return HL_OK;
		}
	return hl_fail(d, HL_ERR_USAGE, "--sort: '%s' is none of live, peak, total, count, temporary", s);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int hl_key_compare(const struct hl_names *n, enum hl_by by, struct hl_key a, struct hl_key b)
{
	int c;

	if (by == HL_BY_TRACEBACK)
		return hl_names_compare_tracebacks(n, a.a, b.a);
	c = hl_names_compare(n, a.a, b.a);
	if (c || a.b == b.b)
		return c;
	return by == HL_BY_FUNCTION ? hl_names_compare(n, a.b, b.b) : compare_u64(a.b, b.b);
}

static uint64_t sort_field(const struct hl_stat *s, enum hl_sort sort)
{
	switch (sort) {
	case HL_SORT_PEAK:
		return s->peak;
	case HL_SORT_TOTAL:
		return s->total;
	case HL_SORT_COUNT:
		return s->allocations;
	case HL_SORT_TEMPORARY:
		return s->temporary;
	default:
		return s->size;
	}
}

static int compare_rows(const void *left, const void *right, void *ctx)
{
	const struct hl_row *a = left, *b = right;
	const struct hl_rows *rows = ctx;
	int c = compare_u64(sort_field(&b->stat, rows->sort), sort_field(&a->stat, rows->sort));

	if (!c)
		c = compare_u64(b->stat.size, a->stat.size);
	if (!c)
		c = compare_u64(b->stat.count, a->stat.count);
	return c ? c : hl_key_compare(rows->names, rows->by, b->key, a->key);
}

void hl_rows_sort(struct hl_rows *rows)
{
	qsort_r(rows->row, rows->n, sizeof(*rows->row), compare_rows, rows);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static int compare_diff_rows(const void *left, const void *right, void *ctx)
{
	const struct hl_diff_row *a = left, *b = right;
	const struct hl_diff *diff = ctx;
	int c = compare_u64(distance(b->new_size, b->old_size), distance(a->new_size, a->old_size));

	if (!c)
		c = compare_u64(b->new_size, a->new_size);
	if (!c)
		c = compare_u64(distance(b->new_count, b->old_count), distance(a->new_count, a->old_count));
	if (!c)
		c = compare_u64(b->new_count, a->new_count);
	return c ? c : hl_key_compare(diff->names, diff->by, b->key, a->key);
}

void hl_diff_sort(struct hl_diff *diff)
{
	qsort_r(diff->row, diff->n, sizeof(*diff->row), compare_diff_rows, diff);
}
