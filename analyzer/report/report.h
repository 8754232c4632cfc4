/*
 * report.h - results in the format that was asked for: one vtable per format, one file each.
 * Floor: report.  Sees results of the analysis only, so no two formats can disagree on a number.
 */
#ifndef HL_REPORT_REPORT_H
#define HL_REPORT_REPORT_H

#include "analyzer/analysis/history.h"
#include "analyzer/analysis/misuse.h"
#include "analyzer/analysis/refs.h"
#include "analyzer/analysis/result.h"
#include <stdio.h>

/* How to print; rows only are printed, whatever is said about them goes to stderr by others. */
struct hl_style {
	uint64_t limit;        /* rows; 0: all */
	int color;             /* text: 1 */
	int64_t frames;        /* text tracebacks: > 0 the newest, < 0 the oldest so many */
	int has_frames;        /* 0: all frames */
	int most_recent_first; /* text tracebacks: else oldest first */
};

struct hl_stats_report {
	struct hl_snapshot_ref snapshot;
	struct hl_totals totals;
	const struct hl_rows *rows;
	const char *const
		*traces; /* of a sum of several processes all that were asked for; snapshot is the first's */
	size_t ntraces;
};

struct hl_diff_report {
	struct hl_snapshot_ref old, now;
	struct hl_totals old_totals, new_totals;
	const struct hl_diff *diff;
};

/* One cell. */
struct hl_cell {
	enum hl_cell_type {
		HL_CELL_NUMBER,
		HL_CELL_SIZE,
		HL_CELL_SECONDS,
		HL_CELL_RATIO,
		HL_CELL_TEXT,
		HL_CELL_NONE
	} type;
	uint64_t number;  /* NUMBER, SIZE */
	double real;      /* SECONDS, RATIO */
	const char *text; /* TEXT, not NULL */
};

/* `info`: names and values.  JSON members have the names with '_' for ' '. */
struct hl_fields {
	const struct hl_field {
		const char *name;
		struct hl_cell value;
	} * field;
	size_t n;
	const struct hl_table *table; /* follows them, in JSON as a member, in CSV not at all; NULL: none */
};

/* `snapshots`: named columns. */
struct hl_table {
	const char *name; /* of the JSON member that holds the rows */
	const char *trace;
	const char *const *columns;
	size_t ncolumns;
	const struct hl_cell *cells; /* row by row */
	const uint32_t *indent;      /* text: how deep each row lies in a tree; NULL: in none */
	size_t nrows;
};

struct hl_format {
	const char *name;
	void (*stats)(FILE *out, const struct hl_style *style, const struct hl_stats_report *r);
	void (*diff)(FILE *out, const struct hl_style *style, const struct hl_diff_report *r);
	void (*misuses)(FILE *out, const struct hl_style *style, const struct hl_misuses *all);
	void (*history)(FILE *out, const struct hl_style *style, const struct hl_history *h);
	void (*refs)(FILE *out, const struct hl_style *style,
		     const struct hl_refs *r); /* NULL: no such rows */
	void (*fields)(FILE *out, const struct hl_style *style, const struct hl_fields *f);
	void (*table)(FILE *out, const struct hl_style *style, const struct hl_table *t);
};
/* Write errors stay in the FILE for ferror. */
extern const struct hl_format hl_format_text, hl_format_json, hl_format_csv;
/* "text", "json", "csv"; NULL. */
const struct hl_format *hl_format_find(const char *name);

/* Rows that a limit leaves. */
static inline size_t hl_report_rows(size_t n, uint64_t limit)
{
	return limit && limit < n ? (size_t)limit : n;
}

#endif
