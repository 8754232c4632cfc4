/*
 * text.c - rows as tracemalloc prints its statistics.  Floor: report.
 * Source: CPython 3.11 Lib/tracemalloc.py, Statistic.__str__, StatisticDiff.__str__, Traceback.format.
 */
#include "analyzer/base/diag.h"
#include "analyzer/report/label.h"
#include "analyzer/report/formats.h"
#include "analyzer/report/sizes.h"
#include "analyzer/report/traceback.h"
#include <inttypes.h>
#include <stdlib.h>

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static void put_average(FILE *out, uint64_t size, uint64_t count)
{
	char text[HL_SIZE_TEXT];

	if (count)
		fprintf(out, ", average=%s", hl_size_text(text, (double)size / (double)count));
}

static void put_sort_field(FILE *out, const struct hl_stat *s, enum hl_sort sort)
{
	char text[HL_SIZE_TEXT];

	switch (sort) {
	case HL_SORT_PEAK:
		fprintf(out, ", peak=%s", hl_size_text(text, (double)s->peak));
		break;
	case HL_SORT_TOTAL:
		fprintf(out, ", total=%s", hl_size_text(text, (double)s->total));
		break;
	case HL_SORT_COUNT:
		fprintf(out, ", allocations=%" PRIu64, s->allocations);
		break;
	case HL_SORT_TEMPORARY:
		fprintf(out, ", temporary=%" PRIu64, s->temporary);
		break;
	default:
		break;
	}
}

/* After what tracemalloc prints, so that what reads that goes on. */
static void put_errors(FILE *out, const struct hl_row *row, enum hl_sort sort)
{
	const struct hl_stat *s = &row->stat;
	const struct hl_errors *e = &row->error;
	const struct {
		const char *name;
		double error;
		uint64_t of;
	} fields[HL_SORT_NUMBER] = {
		[HL_SORT_PEAK] = {"peak", e->peak, s->peak},
		[HL_SORT_TOTAL] = {"total", e->total, s->total},
		[HL_SORT_COUNT] = {"allocations", e->allocations, s->allocations},
		[HL_SORT_TEMPORARY] = {"temporary", e->temporary, s->temporary},
	};
	char text[HL_SIZE_TEXT];

	if (s->size)
		fprintf(out, ", error=%s", hl_error_text(text, e->size, s->size));
	if (fields[sort].of)
		fprintf(out, ", %s_error=%s", fields[sort].name,
			hl_error_text(text, fields[sort].error, fields[sort].of));
}

static void stats(FILE *out, const struct hl_style *style, const struct hl_stats_report *r)
{
	const struct hl_rows *rows = r->rows;
	struct hl_sources *sources = hl_sources_new();
	char text[HL_SIZE_TEXT];

	for (size_t i = 0; i < hl_report_rows(rows->n, style->limit); i++) {
		const struct hl_row *row = &rows->row[i];

		fputs(style->color ? BOLD : "", out);
		hl_put_label(out, rows->names, rows->by, rows->no_tid, row->key);
		fputs(style->color ? PLAIN : "", out);
		fprintf(out, ": size=%s, count=%" PRIu64, hl_size_text(text, (double)row->stat.size),
			row->stat.count);
		put_average(out, row->stat.size, row->stat.count);
		put_sort_field(out, &row->stat, rows->sort);
		if (row->retained)
			fprintf(out, ", retained=%s", hl_size_text(text, (double)row->retained));
		if (rows->sample_bytes)
			put_errors(out, row, rows->sort);
		fputs("\n", out);
		if (rows->by == HL_BY_TRACEBACK)
			hl_put_traceback(out, style, rows->names, row->key.a, sources);
	}
	hl_sources_free(sources);
}

static void diff(FILE *out, const struct hl_style *style, const struct hl_diff_report *r)
{
	const struct hl_diff *d = r->diff;
	struct hl_sources *sources = hl_sources_new();
	char text[HL_SIZE_TEXT];

	for (size_t i = 0; i < hl_report_rows(d->n, style->limit); i++) {
		const struct hl_diff_row *row = &d->row[i];
		const char *color = !style->color ? "" : row->new_size > row->old_size ? RED : GREEN;
		const char *plain = style->color ? PLAIN : "";

		fputs(style->color ? BOLD : "", out);
		hl_put_label(out, d->names, d->by, d->no_tid, row->key);
		fprintf(out, "%s: size=%s (%s", plain, hl_size_text(text, (double)row->new_size),
			row->new_size == row->old_size ? "" : color);
		fprintf(out, "%s%s)", hl_size_diff_text(text, hl_size_diff(row->new_size, row->old_size)),
			row->new_size == row->old_size ? "" : plain);
		fprintf(out, ", count=%" PRIu64 " (%s)", row->new_count,
			hl_count_diff_text(text, row->new_count, row->old_count));
		put_average(out, row->new_size, row->new_count);
		/* not in percent: the difference may be 0 */
		if (d->sampled)
			fprintf(out, ", error=+-%s", hl_size_text(text, row->size_error));
		fputs("\n", out);
		if (d->by == HL_BY_TRACEBACK)
			hl_put_traceback(out, style, d->names, row->key.a, sources);
	}
	hl_sources_free(sources);
}

static void put_cell(FILE *out, const struct hl_cell *c)
{
	char text[HL_SIZE_TEXT];

	switch (c->type) {
	case HL_CELL_NUMBER:
		fprintf(out, "%" PRIu64, c->number);
		break;
	case HL_CELL_SIZE:
		fputs(hl_size_text(text, (double)c->number), out);
		break;
	case HL_CELL_SECONDS:
		fprintf(out, "%.3f s", c->real);
		break;
	case HL_CELL_RATIO:
		fprintf(out, "%.2f", c->real);
		break;
	case HL_CELL_TEXT:
		hl_put_escaped(out, c->text, HL_ESCAPE_TERMINAL);
		break;
	case HL_CELL_NONE:
		fputs("-", out);
	}
}

/* name=value after the first column, as the rows of statistics are. */
static void table(FILE *out, const struct hl_style *style, const struct hl_table *t)
{
	(void)style;
	for (size_t i = 0; i < t->nrows; i++) {
		const struct hl_cell *row = t->cells + i * t->ncolumns;

		if (t->indent)
			fprintf(out, "%*s", 2 + 2 * (int)(t->indent[i] < 40 ? t->indent[i] : 40), "");
		for (size_t k = 0; k < t->ncolumns; k++) {
			if (k)
				fprintf(out, "%s%s=", k > 1 ? ", " : ": ", t->columns[k]);
			put_cell(out, &row[k]);
		}
		fputs("\n", out);
	}
}

static void fields(FILE *out, const struct hl_style *style, const struct hl_fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		fprintf(out, "%s: ", f->field[i].name);
		put_cell(out, &f->field[i].value);
		fputs("\n", out);
	}
	if (f->table) {
		fprintf(out, "%s:\n", f->table->name);
		table(out, style, f->table);
	}
}

const struct hl_format hl_format_text = {"text",          stats,        diff,   hl_text_misuses,
					 hl_text_history, hl_text_refs, fields, table};
