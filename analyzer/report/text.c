/*
 * text.c - rows as tracemalloc prints its statistics.  Floor: report.
 * Source: CPython 3.11 Lib/tracemalloc.py, Statistic.__str__, StatisticDiff.__str__, Traceback.format.
 */
#include "analyzer/base/diag.h"
#include "analyzer/report/label.h"
#include "analyzer/report/report.h"
#include "analyzer/report/sizes.h"
#include "analyzer/report/source.h"
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

static void put_frame(FILE *out, const struct hl_names *n, uint32_t frame, struct hl_sources *sources)
{
	const struct hl_name_frame *f = hl_names_frame_at(n, frame);
	const char *file = hl_names_string(n, f->file);
	char *line = f->kind == HL_NAME_LINE ? hl_sources_line(sources, file, f->line) : NULL;

	fputs("  File \"", out);
	hl_put_escaped(out, file, HL_ESCAPE_TERMINAL);
	fprintf(out, "\", line %" PRIu32 "\n", f->line);
	if (line) {
		fputs("    ", out);
		hl_put_escaped(out, line, HL_ESCAPE_SOURCE);
		fputs("\n", out);
	}
	free(line);
}

/* Traceback.format with the meaning its documentation gives to limit: the newest N frames, the oldest -N
 * (its code leaves out the newest -N instead), none.  A cut stack is marked where its oldest frame is shown. */
static void put_traceback(FILE *out, const struct hl_style *style, const struct hl_names *n, uint32_t tb,
			  struct hl_sources *sources)
{
	uint32_t depth = hl_names_depth(n, tb), *frames = hl_xcalloc(depth, sizeof(*frames));
	uint32_t from = 0, to = depth, i = depth; /* 0: the oldest */
	int cut = hl_names_truncated(n, tb);

	for (uint32_t t = tb; t; t = hl_names_older(n, t))
		frames[--i] = hl_names_newest(n, t);
	if (style->has_frames && style->frames > 0 && style->frames < depth)
		from = depth - (uint32_t)style->frames;
	if (style->has_frames && style->frames <= 0 && -style->frames < depth)
		to = (uint32_t)-style->frames;
	if (cut && !from && to && !style->most_recent_first)
		fputs("  [older frames were not recorded]\n", out);
	for (i = from; i < to; i++)
		put_frame(out, n, frames[style->most_recent_first ? to - 1 - (i - from) : i], sources);
	if (cut && !from && to && style->most_recent_first)
		fputs("  [older frames were not recorded]\n", out);
	free(frames);
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
		if (rows->sample_bytes)
			put_errors(out, row, rows->sort);
		fputs("\n", out);
		if (rows->by == HL_BY_TRACEBACK)
			put_traceback(out, style, rows->names, row->key.a, sources);
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
			put_traceback(out, style, d->names, row->key.a, sources);
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

const struct hl_format hl_format_text = {"text", stats, diff, fields, table};
