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
};

struct hl_rows {
	enum hl_by by;
	enum hl_sort sort;
	const struct hl_names *names;
	struct hl_row *row; /* sorted, those only whose sort field is not 0 */
	size_t n;
	struct hl_stat sum; /* of the blocks that the filters passed, each once; no peak */
	int has_peak;       /* else the peaks of rows are 0 */
	int has_totals;     /* else total, allocations, temporary are not complete */
	int no_tid;         /* threads are grouped by name alone */
};

struct hl_diff_row {
	struct hl_key key;
	uint64_t old_size, old_count, new_size, new_count;
};

struct hl_diff {
	enum hl_by by;
	const struct hl_names *names;
	struct hl_diff_row *row;
	size_t n;
	struct hl_stat old_sum, new_sum;
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
	uint64_t lost; /* events that were not recorded */
};

#endif
