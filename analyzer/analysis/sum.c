/*
 * sum.c - adding rows by their keys.  Floor: analysis.
 */
#include "analyzer/analysis/sum.h"
#include "analyzer/analysis/idset.h"
#include "analyzer/analysis/order.h"
#include <math.h>
#include <stdlib.h>

static uint64_t key64(struct hl_key k)
{
	return (uint64_t)k.a << 32 | k.b;
}

static void add_stat(struct hl_stat *to, const struct hl_stat *s)
{
	to->size += s->size;
	to->count += s->count;
	to->peak += s->peak;
	to->total += s->total;
	to->allocations += s->allocations;
	to->temporary += s->temporary;
}

/* Independent ones. */
static void add_errors(struct hl_errors *to, const struct hl_errors *e)
{
	to->size = hypot(to->size, e->size);
	to->count = hypot(to->count, e->count);
	to->peak = hypot(to->peak, e->peak);
	to->total = hypot(to->total, e->total);
	to->allocations = hypot(to->allocations, e->allocations);
	to->temporary = hypot(to->temporary, e->temporary);
	to->shared_size += e->shared_size;
	to->shared_count += e->shared_count;
}

void hl_rows_add(struct hl_rows *sum, const struct hl_rows *more)
{
	int first = !sum->names;
	struct hl_idmap map = {0};

	if (first)
		*sum = (struct hl_rows){.by = more->by,
					.sort = more->sort,
					.names = more->names,
					.has_peak = 1,
					.has_totals = 1,
					.no_tid = more->no_tid};
	sum->has_peak &= more->has_peak;
	sum->has_totals &= more->has_totals;
	if (sum->sample_bytes < more->sample_bytes)
		sum->sample_bytes = more->sample_bytes;
	add_stat(&sum->sum, &more->sum);
	add_errors(&sum->sum_error, &more->sum_error);
	sum->row = hl_xrealloc(sum->row, (sum->n + more->n + 1) * sizeof(*sum->row));
	for (size_t i = 0; i < sum->n; i++)
		hl_idmap_add(&map, key64(sum->row[i].key), (uint32_t)i);
	for (size_t i = 0; i < more->n; i++) {
		const struct hl_row *r = &more->row[i];
		uint32_t id = hl_idmap_find(&map, key64(r->key));

		if (id == HL_ID_NONE) {
			sum->row[sum->n++] = *r;
			continue;
		}
		add_stat(&sum->row[id].stat, &r->stat);
		add_errors(&sum->row[id].error, &r->error);
	}
	hl_idmap_release(&map);
	hl_rows_sort(sum);
}

void hl_totals_add(struct hl_totals *sum, const struct hl_totals *more)
{
	sum->size += more->size;
	sum->count += more->count;
	sum->peak += more->peak;
	sum->total += more->total;
	sum->allocations += more->allocations;
	sum->frees += more->frees;
	sum->temporary += more->temporary;
	sum->lost += more->lost;
	if (sum->sample_bytes < more->sample_bytes)
		sum->sample_bytes = more->sample_bytes;
	sum->recorded += more->recorded;
	add_errors(&sum->error, &more->error);
}
