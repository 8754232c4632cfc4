/*
 * view.h - a heap seen through filters and grouped into rows.  Floor: analysis.
 *
 * Which rows a site belongs to is found once and remembered, so that rows can follow a replay event
 * by event: only so the peak of a row is its own maximum and not the heap's.
 */
#ifndef HL_ANALYSIS_VIEW_H
#define HL_ANALYSIS_VIEW_H

#include "analyzer/analysis/filter.h"

struct hl_grouping {
	enum hl_by by;
	int cumulative; /* each frame of the stack counts, as often as it occurs */
	int dedup;      /* with cumulative: a row counts a block once */
	int no_tid;     /* threads by name alone: those of two processes are compared */
};
/* HL_ERR_USAGE: cumulative with traceback or thread; dedup without cumulative. */
int hl_grouping_check(const struct hl_grouping *g, struct hl_diag *d);

struct hl_view;
/* All arguments must outlive the view and stay as they are; filter, blame may be NULL. */
struct hl_view *hl_view_new(struct hl_heap *h, const struct hl_grouping *g, const struct hl_filter *filter,
			    struct hl_blame *blame);
void hl_view_free(struct hl_view *v);

/* Following a replay: bytes enter or leave site (signs by two's complement; in a sample in its units), and
 * with them the variance of their sum; a growing row's peak is raised. */
void hl_view_track(struct hl_view *v, uint32_t site, uint64_t delta_bytes, double delta_variance, int grows);

/* What the rows must hold beyond size and count. */
enum hl_view_flags {
	HL_VIEW_TRACKED = 1, /* peaks: hl_view_track saw every event */
	HL_VIEW_FULL = 2     /* total, allocations, temporary, whatever the sort */
};
/* The sorted rows from the numbers of all sites, in a sample rounded to whole bytes and blocks.  The caller frees rows->row. */
void hl_view_rows(struct hl_view *v, enum hl_sort sort, unsigned flags, struct hl_rows *rows);

/* The row of a site, or of a key, as a number below 2^32 - 1 that stays; HL_ID_NONE: it has none, or, cumulative, several. */
uint32_t hl_view_row_of_site(struct hl_view *v, uint32_t site);
uint32_t hl_view_row_of_key(const struct hl_view *v, struct hl_key key);
/* How many such numbers there are. */
uint32_t hl_view_nrows(const struct hl_view *v);

#endif
