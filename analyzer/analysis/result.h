/*
 * result.h - what an analysis hands to a report: rows, sums, where they come from.  Floor: analysis.
 *
 * Only names and numbers: nothing here knows a trace.  Sizes are bytes.
 */
#ifndef HL_ANALYSIS_RESULT_H
#define HL_ANALYSIS_RESULT_H

#include "analyzer/analysis/names.h"

enum hl_by {
	HL_BY_LINENO,
	HL_BY_FILENAME,
	HL_BY_FUNCTION,
	HL_BY_TRACEBACK,
	HL_BY_OBJECT,
	HL_BY_THREAD,
	HL_BY_COUNT
};
enum hl_sort { HL_SORT_LIVE, HL_SORT_PEAK, HL_SORT_TOTAL, HL_SORT_COUNT, HL_SORT_TEMPORARY, HL_SORT_NUMBER };
/* Their names on the command line. */
extern const char *const hl_by_names[HL_BY_COUNT];
extern const char *const hl_sort_names[HL_SORT_NUMBER];

struct hl_stat {
	uint64_t size, count;        /* live now */
	uint64_t peak;               /* the largest size was over time */
	uint64_t total, allocations; /* ever */
	uint64_t temporary;          /* freed with no other allocation of that thread in between */
};

/* One standard error of each number of a hl_stat, where they are estimates from a sample; else 0.  That of
 * a peak is the error of the size at the moment of the peak; that the largest of many estimates was picked,
 * which makes it rather too large than too small, is not in it. */
struct hl_errors {
	double size, count, peak, total, allocations, temporary;
	/* The part of size and count, as variances, that blocks have which live at the other moment of a
	 * comparison too (hl_collect_options.shared_until): it cancels in the difference. */
	double shared_size, shared_count;
};

/* What a row is about; a row's key is the same whatever trace it comes from, within one hl_names.
 *   lineno, filename  file, line          function  function, file
 *   traceback         canonical, 0        object    module, 0
 *   thread            name, tid */
struct hl_key {
	uint32_t a, b;
};

struct hl_row {
	struct hl_key key;
	struct hl_stat stat;
	struct hl_errors error;
	uint64_t retained; /* bytes of its blocks, and of all that nothing but them leads to */
};

struct hl_rows {
	enum hl_by by;
	enum hl_sort sort;
	const struct hl_names *names;
	struct hl_row *row; /* sorted, those only whose sort field is not 0 */
	size_t n;
	struct hl_stat sum; /* of the blocks that the filters passed, each once; no peak */
	struct hl_errors sum_error;
	uint64_t
		sample_bytes; /* all numbers are estimates, from a sample of one in so many bytes; 0: exact */
	int has_peak;         /* else the peaks of rows are 0 */
	int has_totals;       /* else total, allocations, temporary are not complete */
	int no_tid;           /* threads are grouped by name alone */
	int has_retained;     /* else nobody asked */
};

struct hl_diff_row {
	struct hl_key key;
	uint64_t old_size, old_count, new_size, new_count;
	double size_error, count_error; /* of the differences */
};

struct hl_diff {
	enum hl_by by;
	const struct hl_names *names;
	struct hl_diff_row *row;
	size_t n;
	struct hl_stat old_sum, new_sum;
	struct hl_errors old_sum_error, new_sum_error;
	double sum_size_error, sum_count_error; /* of the differences of the sums */
	int sampled;                            /* one side is a sample at least */
	int no_tid;
};

/* Which moment of which trace. */
struct hl_snapshot_ref {
	const char *trace; /* path as given */
	const char *at;    /* "end", "peak" or "mark" */
	uint64_t number;   /* of the mark, 0: none */
	const char *label; /* of the mark, "" none */
	double seconds;    /* since the process started being traced */
};

/* Totals of the replay up to that moment, before any filter. */
struct hl_totals {
	uint64_t size, count, peak, total, allocations, frees, temporary;
	uint64_t lost;         /* events that were not recorded */
	uint64_t sample_bytes; /* the numbers above are estimates; 0: they are exact */
	uint64_t recorded;     /* blocks that were recorded */
	struct hl_errors error;
};

#endif
