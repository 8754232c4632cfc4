/*
 * filter.h - which sites a question is about.  Floor: analysis.
 *
 * As tracemalloc's filters: of the inclusive patterns at least one must match, of the exclusive none,
 * on the newest frame (that --blame picks) unless all_frames.  The other conditions must hold too; of
 * several threads, modules or kinds one must match.
 */
#ifndef HL_ANALYSIS_FILTER_H
#define HL_ANALYSIS_FILTER_H

#include "analyzer/analysis/blame.h"
#include "analyzer/analysis/heap.h"

struct hl_pattern {
	char *text;
	int64_t line; /* -1: any; 0 is a value */
};

struct hl_patterns {
	struct hl_pattern *p;
	size_t n, room;
};

/* Start with zeroes. */
struct hl_filter {
	struct hl_patterns include, exclude;
	struct hl_patterns threads; /* a name pattern, or digits: a tid */
	struct hl_patterns modules; /* path or base name of the module */
	unsigned kinds;             /* bit per enum hl_kind, 0: all */
	int all_frames;             /* for include, exclude, modules */
};

/* Add "PATTERN" or, where with_line, "PATTERN:LINE". */
void hl_filter_add(struct hl_patterns *p, const char *text, int with_line);
/* "malloc", "new", ...; HL_ERR_USAGE. */
int hl_filter_add_kind(struct hl_filter *f, const char *name, struct hl_diag *d);
void hl_filter_release(struct hl_filter *f);
int hl_filter_is_empty(const struct hl_filter *f);
/* 1: the site passes. */
int hl_filter_passes(const struct hl_filter *f, struct hl_blame *blame, const struct hl_heap *h,
		     const struct hl_site *site);

#endif
