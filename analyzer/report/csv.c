/*
 * csv.c - rows for spreadsheets: RFC 4180, but lines end in LF.  Floor: report.
 *
 * The columns of errors are there whether or not the trace is a sample; their cells are empty when it is none.
 */
#include "analyzer/report/csv_put.h"
#include "analyzer/report/sizes.h"
#include <inttypes.h>

static const char *key_columns(enum hl_by by, int no_tid)
{
	switch (by) {
	case HL_BY_TRACEBACK:
		return "traceback,truncated";
	case HL_BY_FUNCTION:
		return "function,file";
	case HL_BY_OBJECT:
		return "module";
	case HL_BY_THREAD:
		return no_tid ? "thread" : "thread,tid";
	default:
		return "file,line";
	}
}

static void put_key(FILE *out, const struct hl_names *n, enum hl_by by, int no_tid, struct hl_key key)
{
	if (by == HL_BY_TRACEBACK) {
		hl_csv_frames(out, n, key.a);
		return;
	}
	hl_csv_text(out, hl_names_string(n, key.a));
	if (by == HL_BY_OBJECT || (by == HL_BY_THREAD && no_tid))
		return;
	fputc(',', out);
	if (by == HL_BY_FUNCTION)
		hl_csv_text(out, hl_names_string(n, key.b));
	else
		fprintf(out, "%" PRIu32, key.b);
}

static void put_size_error(FILE *out, int sampled, double error)
{
	fputc(',', out);
	if (sampled)
		fprintf(out, "%" PRIu64, hl_error_bytes(error));
}

static void put_count_error(FILE *out, int sampled, double error)
{
	fputc(',', out);
	if (sampled)
		fprintf(out, "%.2f", hl_error_blocks(error));
}

static void put_errors(FILE *out, const struct hl_rows *rows, const struct hl_errors *e)
{
	int sampled = rows->sample_bytes != 0;

	put_size_error(out, sampled, e->size);
	put_count_error(out, sampled, e->count);
	if (rows->has_peak)
		put_size_error(out, sampled, e->peak);
	if (!rows->has_totals)
		return;
	put_size_error(out, sampled, e->total);
	put_count_error(out, sampled, e->allocations);
	put_count_error(out, sampled, e->temporary);
}

static void stats(FILE *out, const struct hl_style *style, const struct hl_stats_report *r)
{
	const struct hl_rows *rows = r->rows;

	fprintf(out, "%s,size,count%s%s%s,size_error,count_error%s%s\n", key_columns(rows->by, rows->no_tid),
		rows->has_retained ? ",retained" : "", rows->has_peak ? ",peak" : "",
		rows->has_totals ? ",total,allocations,temporary" : "", rows->has_peak ? ",peak_error" : "",
		rows->has_totals ? ",total_error,allocations_error,temporary_error" : "");
	for (size_t i = 0; i < hl_report_rows(rows->n, style->limit); i++) {
		const struct hl_stat *s = &rows->row[i].stat;

		put_key(out, rows->names, rows->by, rows->no_tid, rows->row[i].key);
		fprintf(out, ",%" PRIu64 ",%" PRIu64, s->size, s->count);
		if (rows->has_retained)
			fprintf(out, ",%" PRIu64, rows->row[i].retained);
		if (rows->has_peak)
			fprintf(out, ",%" PRIu64, s->peak);
		if (rows->has_totals)
			fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, s->total, s->allocations,
				s->temporary);
		put_errors(out, rows, &rows->row[i].error);
		fputc('\n', out);
	}
}

static void put_difference(FILE *out, uint64_t now, uint64_t old)
{
	fprintf(out, ",%s%" PRIu64, now < old ? "-" : "", now < old ? old - now : now - old);
}

static void diff(FILE *out, const struct hl_style *style, const struct hl_diff_report *r)
{
	const struct hl_diff *d = r->diff;

	fprintf(out,
		"%s,old_size,new_size,diff_size,old_count,new_count,diff_count,diff_size_error,diff_count_"
		"error\n",
		key_columns(d->by, d->no_tid));
	for (size_t i = 0; i < hl_report_rows(d->n, style->limit); i++) {
		const struct hl_diff_row *row = &d->row[i];

		put_key(out, d->names, d->by, d->no_tid, row->key);
		fprintf(out, ",%" PRIu64 ",%" PRIu64, row->old_size, row->new_size);
		put_difference(out, row->new_size, row->old_size);
		fprintf(out, ",%" PRIu64 ",%" PRIu64, row->old_count, row->new_count);
		put_difference(out, row->new_count, row->old_count);
		put_size_error(out, d->sampled, row->size_error);
		put_count_error(out, d->sampled, row->count_error);
		fputc('\n', out);
	}
}

/* ",BY,SECONDS,TRACEBACK", without what is not known. */
static void put_call(FILE *out, const struct hl_names *n, const struct hl_call *c)
{
	if (!c->known) {
		fputs(",,,", out);
		return;
	}
	fputc(',', out);
	hl_csv_text(out, c->function);
	fprintf(out, ",%.6f,", c->seconds);
	hl_csv_traceback(out, n, c->traceback);
}

static void misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all)
{
	fputs("kind,trace,count,address,offset,size,freed_by,freed_seconds,freed_traceback,freed_before_by,"
	      "freed_"
	      "before_seconds,freed_before_traceback,allocated_by,allocated_seconds,allocated_traceback\n",
	      out);
	for (size_t i = 0; i < hl_report_rows(all->n, style->limit); i++) {
		const struct hl_misuse *m = &all->row[i];

		fprintf(out, "%s,", hl_misuse_names[m->kind]);
		hl_csv_text(out, m->trace);
		fprintf(out, ",%" PRIu64 ",0x%" PRIx64, m->count, m->address);
		if (m->allocated.known)
			fprintf(out, ",%" PRIu64 ",%" PRIu64, m->address - m->block, m->size);
		else
			fputs(",,", out);
		put_call(out, all->names, &m->freed);
		put_call(out, all->names, &m->freed_before);
		put_call(out, all->names, &m->allocated);
		fputc('\n', out);
	}
}

static void history(FILE *out, const struct hl_style *style, const struct hl_history *h)
{
	fputs("state,address,offset,size,unmapped,inherited,allocated_by,allocated_seconds,allocated_"
	      "traceback,"
	      "ended_by,ended_seconds,ended_traceback\n",
	      out);
	for (size_t i = 0; i < hl_report_rows(h->n, style->limit); i++) {
		const struct hl_life *l = &h->life[i];

		fprintf(out, "%s,0x%" PRIx64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d",
			l->live ? "live" : "freed", l->address, h->address - l->address, l->size, l->unmapped,
			l->inherited);
		put_call(out, h->names, &l->allocated);
		put_call(out, h->names, &l->ended);
		fputc('\n', out);
	}
}

static void put_cell(FILE *out, const struct hl_cell *c)
{
	switch (c->type) {
	case HL_CELL_NUMBER:
	case HL_CELL_SIZE:
		fprintf(out, "%" PRIu64, c->number);
		break;
	case HL_CELL_SECONDS:
	case HL_CELL_RATIO:
		fprintf(out, "%.6f", c->real);
		break;
	case HL_CELL_TEXT:
		hl_csv_text(out, c->text);
		break;
	case HL_CELL_NONE:
		break;
	}
}

static void fields(FILE *out, const struct hl_style *style, const struct hl_fields *f)
{
	(void)style;
	fputs("name,value\n", out);
	for (size_t i = 0; i < f->n; i++) {
		hl_csv_text(out, f->field[i].name);
		fputc(',', out);
		put_cell(out, &f->field[i].value);
		fputc('\n', out);
	}
}

static void table(FILE *out, const struct hl_style *style, const struct hl_table *t)
{
	(void)style;
	for (size_t k = 0; k < t->ncolumns; k++)
		fprintf(out, "%s%s", k ? "," : "", t->columns[k]);
	fputc('\n', out);
	for (size_t i = 0; i < t->nrows; i++) {
		for (size_t k = 0; k < t->ncolumns; k++) {
			if (k)
				fputc(',', out);
			put_cell(out, &t->cells[i * t->ncolumns + k]);
		}
		fputc('\n', out);
	}
}

const struct hl_format hl_format_csv = {"csv", stats, diff, misuses, history, NULL, fields, table};
