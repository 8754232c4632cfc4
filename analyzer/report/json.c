/*
 * json.c - results for programs: {"schema":1, "snapshot":{}, "sample":{}, "totals":{}, "rows":[]}.  Floor: report.
 *
 * "sample" and all errors are null when the trace is no sample.
 * Sizes are integer bytes.  Text that is not UTF-8 has its invalid bytes as \xNN.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/json_put.h"
#include "analyzer/report/sizes.h"
#include <inttypes.h>

static void put_difference(yajl_gen g, uint64_t now, uint64_t old)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%s%" PRIu64, now < old ? "-" : "",
			 now < old ? old - now : now - old);

	yajl_gen_number(g, text, (size_t)n);
}

static void put_size_error(yajl_gen g, const char *name, int sampled, double error)
{
	hl_json_string(g, name);
	if (sampled)
		hl_json_number(g, hl_error_bytes(error));
	else
		yajl_gen_null(g);
}

static void put_count_error(yajl_gen g, const char *name, int sampled, double error)
{
	char text[48];
	int n = snprintf(text, sizeof(text), "%.2f", hl_error_blocks(error));

	hl_json_string(g, name);
	if (sampled)
		yajl_gen_number(g, text, (size_t)n);
	else
		yajl_gen_null(g);
}

static void put_sample(yajl_gen g, const char *name, const struct hl_totals *t)
{
	hl_json_string(g, name);
	if (!t->sample_bytes) {
		yajl_gen_null(g);
		return;
	}
	yajl_gen_map_open(g);
	hl_json_member(g, "bytes", t->sample_bytes);
	hl_json_member(g, "recorded", t->recorded);
	yajl_gen_map_close(g);
}

static void put_snapshot(yajl_gen g, const char *name, const struct hl_snapshot_ref *s)
{
	hl_json_string(g, name);
	yajl_gen_map_open(g);
	hl_json_text(g, "trace", s->trace);
	hl_json_text(g, "at", s->at);
	if (s->number)
		hl_json_member(g, "number", s->number);
	if (s->number)
		hl_json_text(g, "label", s->label);
	hl_json_string(g, "seconds");
	hl_json_seconds(g, s->seconds);
	yajl_gen_map_close(g);
}

static void put_heap_errors(yajl_gen g, const struct hl_totals *t)
{
	int sampled = t->sample_bytes != 0;

	put_size_error(g, "heap_size_error", sampled, t->error.size);
	put_count_error(g, "heap_count_error", sampled, t->error.count);
	put_size_error(g, "peak_error", sampled, t->error.peak);
	put_size_error(g, "total_error", sampled, t->error.total);
	put_count_error(g, "allocations_error", sampled, t->error.allocations);
	put_count_error(g, "temporary_error", sampled, t->error.temporary);
}

static void put_totals(yajl_gen g, const char *name, const struct hl_totals *t,
		       const struct hl_stat *selected, const struct hl_errors *error, size_t rows)
{
	hl_json_string(g, name);
	yajl_gen_map_open(g);
	hl_json_member(g, "rows", rows);
	hl_json_member(g, "size", selected->size);
	hl_json_member(g, "count", selected->count);
	hl_json_member(g, "heap_size", t->size);
	hl_json_member(g, "heap_count", t->count);
	hl_json_member(g, "peak", t->peak);
	hl_json_member(g, "total", t->total);
	hl_json_member(g, "allocations", t->allocations);
	hl_json_member(g, "frees", t->frees);
	hl_json_member(g, "temporary", t->temporary);
	hl_json_member(g, "lost_events", t->lost);
	put_size_error(g, "size_error", t->sample_bytes != 0, error->size);
	put_count_error(g, "count_error", t->sample_bytes != 0, error->count);
	put_heap_errors(g, t);
	yajl_gen_map_close(g);
}

/* The members of a row of stats that are numbers. */
static void put_stat(yajl_gen g, const struct hl_rows *rows, const struct hl_row *row)
{
	int sampled = rows->sample_bytes != 0;

	hl_json_member(g, "size", row->stat.size);
	hl_json_member(g, "count", row->stat.count);
	put_size_error(g, "size_error", sampled, row->error.size);
	put_count_error(g, "count_error", sampled, row->error.count);
	if (rows->has_retained)
		hl_json_member(g, "retained", row->retained);
	if (rows->has_peak) {
		hl_json_member(g, "peak", row->stat.peak);
		put_size_error(g, "peak_error", sampled, row->error.peak);
	}
	if (!rows->has_totals)
		return;
	hl_json_member(g, "total", row->stat.total);
	hl_json_member(g, "allocations", row->stat.allocations);
	hl_json_member(g, "temporary", row->stat.temporary);
	put_size_error(g, "total_error", sampled, row->error.total);
	put_count_error(g, "allocations_error", sampled, row->error.allocations);
	put_count_error(g, "temporary_error", sampled, row->error.temporary);
}

static void put_key(yajl_gen g, const struct hl_names *n, enum hl_by by, int no_tid, struct hl_key key)
{
	switch (by) {
	case HL_BY_TRACEBACK:
		hl_json_frames(g, n, key.a);
		break;
	case HL_BY_FUNCTION:
		hl_json_text(g, "function", hl_names_string(n, key.a));
		hl_json_text(g, "file", hl_names_string(n, key.b));
		break;
	case HL_BY_OBJECT:
		hl_json_text(g, "module", hl_names_string(n, key.a));
		break;
	case HL_BY_THREAD:
		hl_json_text(g, "thread", hl_names_string(n, key.a));
		if (!no_tid)
			hl_json_member(g, "tid", key.b);
		break;
	default:
		hl_json_text(g, "file", hl_names_string(n, key.a));
		hl_json_member(g, "line", key.b);
	}
}

static void stats(FILE *out, const struct hl_style *style, const struct hl_stats_report *r)
{
	const struct hl_rows *rows = r->rows;
	yajl_gen g = hl_json_start(out);

	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	put_snapshot(g, "snapshot", &r->snapshot);
	if (r->ntraces > 1) {
		hl_json_string(g, "traces");
		yajl_gen_array_open(g);
		for (size_t i = 0; i < r->ntraces; i++)
			hl_json_string(g, r->traces[i]);
		yajl_gen_array_close(g);
	}
	put_sample(g, "sample", &r->totals);
	put_totals(g, "totals", &r->totals, &rows->sum, &rows->sum_error, rows->n);
	hl_json_text(g, "by", hl_by_names[rows->by]);
	hl_json_text(g, "sort", hl_sort_names[rows->sort]);
	hl_json_string(g, "rows");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < hl_report_rows(rows->n, style->limit); i++) {
		const struct hl_row *row = &rows->row[i];

		yajl_gen_map_open(g);
		put_key(g, rows->names, rows->by, rows->no_tid, row->key);
		put_stat(g, rows, row);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}

static void diff(FILE *out, const struct hl_style *style, const struct hl_diff_report *r)
{
	const struct hl_diff *d = r->diff;
	yajl_gen g = hl_json_start(out);
	size_t old_rows = 0, new_rows = 0;

	for (size_t i = 0; i < d->n; i++) {
		old_rows += d->row[i].old_count != 0;
		new_rows += d->row[i].new_count != 0;
	}
	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	put_snapshot(g, "old", &r->old);
	put_snapshot(g, "new", &r->now);
	hl_json_string(g, "sample");
	yajl_gen_map_open(g);
	put_sample(g, "old", &r->old_totals);
	put_sample(g, "new", &r->new_totals);
	yajl_gen_map_close(g);
	hl_json_string(g, "totals");
	yajl_gen_map_open(g);
	put_totals(g, "old", &r->old_totals, &d->old_sum, &d->old_sum_error, old_rows);
	put_totals(g, "new", &r->new_totals, &d->new_sum, &d->new_sum_error, new_rows);
	hl_json_string(g, "diff");
	yajl_gen_map_open(g);
	hl_json_string(g, "size");
	put_difference(g, d->new_sum.size, d->old_sum.size);
	hl_json_string(g, "count");
	put_difference(g, d->new_sum.count, d->old_sum.count);
	put_size_error(g, "size_error", d->sampled, d->sum_size_error);
	put_count_error(g, "count_error", d->sampled, d->sum_count_error);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
	hl_json_text(g, "by", hl_by_names[d->by]);
	hl_json_string(g, "rows");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < hl_report_rows(d->n, style->limit); i++) {
		const struct hl_diff_row *row = &d->row[i];

		yajl_gen_map_open(g);
		put_key(g, d->names, d->by, d->no_tid, row->key);
		hl_json_member(g, "old_size", row->old_size);
		hl_json_member(g, "new_size", row->new_size);
		hl_json_string(g, "diff_size");
		put_difference(g, row->new_size, row->old_size);
		hl_json_member(g, "old_count", row->old_count);
		hl_json_member(g, "new_count", row->new_count);
		hl_json_string(g, "diff_count");
		put_difference(g, row->new_count, row->old_count);
		put_size_error(g, "diff_size_error", d->sampled, row->size_error);
		put_count_error(g, "diff_count_error", d->sampled, row->count_error);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}

static void put_cell(yajl_gen g, const struct hl_cell *c)
{
	switch (c->type) {
	case HL_CELL_NUMBER:
	case HL_CELL_SIZE:
		hl_json_number(g, c->number);
		break;
	case HL_CELL_SECONDS:
	case HL_CELL_RATIO:
		hl_json_seconds(g, c->real);
		break;
	case HL_CELL_TEXT:
		hl_json_string(g, c->text);
		break;
	case HL_CELL_NONE:
		yajl_gen_null(g);
	}
}

static void put_table(yajl_gen g, const struct hl_table *t)
{
	hl_json_string(g, t->name);
	yajl_gen_array_open(g);
	for (size_t i = 0; i < t->nrows; i++) {
		yajl_gen_map_open(g);
		for (size_t k = 0; k < t->ncolumns; k++) {
			hl_json_string(g, t->columns[k]);
			put_cell(g, &t->cells[i * t->ncolumns + k]);
		}
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void fields(FILE *out, const struct hl_style *style, const struct hl_fields *f)
{
	yajl_gen g = hl_json_start(out);

	(void)style;
	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	for (size_t i = 0; i < f->n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s", f->field[i].name);
		for (char *p = name; *p; p++)
			if (*p == ' ')
				*p = '_';
		hl_json_string(g, name);
		put_cell(g, &f->field[i].value);
	}
	if (f->table)
		put_table(g, f->table);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}

static void table(FILE *out, const struct hl_style *style, const struct hl_table *t)
{
	yajl_gen g = hl_json_start(out);

	(void)style;
	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	hl_json_text(g, "trace", t->trace);
	put_table(g, t);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}

const struct hl_format hl_format_json = {"json",          stats,        diff,   hl_json_misuses,
					 hl_json_history, hl_json_refs, fields, table};
