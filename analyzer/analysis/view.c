/*
 * view.c - sites to rows.  Floor: analysis.
 *
 * Not cumulative: a site has one row.  Cumulative: the rows of a site are those of its traceback's
 * frames, found by walking the trie of tracebacks, whose entries remember their row.
 *
 * In a sample a row that counts a block n times has n times its deviation, n^2 times its variance: the k-th
 * time that a walk comes to a row adds 2k - 1 variances.
 */
#include "analyzer/analysis/view.h"
#include "analyzer/analysis/order.h"
#include <stdlib.h>
#include <string.h>

enum { UNASKED = 0, FILTERED = 1, FIRST_ROW = 2 }; /* a memo is UNASKED, FILTERED or row + FIRST_ROW */

/* What a row has beside its numbers in a sample.  All are variances. */
struct row_doubt {
	struct hl_errors v;
	double live;   /* of what is live, while tracking */
	uint64_t walk; /* the last walk that came here, and how often */
	uint32_t occurrences;
};

struct hl_view {
	struct hl_heap *heap;
	struct hl_names *names;
	struct hl_grouping g;
	const struct hl_filter *filter;
	struct hl_blame *blame;
	struct hl_row *rows;
	uint64_t *live; /* of rows, while tracking */
	struct row_doubt *doubts;
	size_t nrows, rows_room, live_room, doubts_room;
	uint64_t walks;
	struct hl_idmap row_map;
	uint32_t *site_memo; /* by site: the row, or when cumulative the traceback */
	uint32_t *tb_memo;   /* by traceback, cumulative only */
	size_t nsite_memo, ntb_memo;
};

int hl_grouping_check(const struct hl_grouping *g, struct hl_diag *d)
{
	if (g->cumulative && (g->by == HL_BY_TRACEBACK || g->by == HL_BY_THREAD))
		return hl_fail(d, HL_ERR_USAGE, "--cumulative cannot be used with --by %s",
			       hl_by_names[g->by]);
	if (g->dedup && !g->cumulative)
		return hl_fail(d, HL_ERR_USAGE, "--dedup needs --cumulative");
	return HL_OK;
}

struct hl_view *hl_view_new(struct hl_heap *h, const struct hl_grouping *g, const struct hl_filter *filter,
			    struct hl_blame *blame)
{
	struct hl_view *v = hl_xcalloc(1, sizeof(*v));

	v->heap = h;
	v->names = hl_stacks_names(h->stacks);
	v->g = *g;
	v->filter = filter;
	v->blame = blame;
	return v;
}

void hl_view_free(struct hl_view *v)
{
	if (!v)
		return;
	free(v->rows);
	free(v->live);
	free(v->doubts);
	free(v->site_memo);
	free(v->tb_memo);
	hl_idmap_release(&v->row_map);
	free(v);
}

static uint32_t row_of_key(struct hl_view *v, struct hl_key key)
{
	uint64_t k = (uint64_t)key.a << 32 | key.b;
	uint32_t id = hl_idmap_find(&v->row_map, k);

	if (id != HL_ID_NONE)
		return id;
	id = (uint32_t)v->nrows;
	v->rows = hl_grow(v->rows, &v->rows_room, v->nrows + 1, sizeof(*v->rows));
	v->live = hl_grow(v->live, &v->live_room, v->nrows + 1, sizeof(*v->live));
	v->live[v->nrows] = 0;
	if (v->heap->sample_bytes) {
		v->doubts = hl_grow(v->doubts, &v->doubts_room, v->nrows + 1, sizeof(*v->doubts));
		v->doubts[v->nrows] = (struct row_doubt){0};
	}
	v->rows[v->nrows++] = (struct hl_row){.key = key};
	hl_idmap_add(&v->row_map, k, id);
	return id;
}

static struct hl_key frame_key(const struct hl_view *v, uint32_t frame)
{
	const struct hl_name_frame *f = hl_names_frame_at(v->names, frame);

	switch (v->g.by) {
	case HL_BY_FILENAME:
		return (struct hl_key){f->file, 0};
	case HL_BY_FUNCTION:
		return (struct hl_key){f->function, f->kind == HL_NAME_LINE ? f->file : f->module};
	case HL_BY_OBJECT:
		return (struct hl_key){f->module, 0};
	default:
		return (struct hl_key){f->file, f->line};
	}
}

static struct hl_key site_key(const struct hl_view *v, const struct hl_site *s)
{
	const struct hl_heap_thread *t = &v->heap->threads[s->thread];

	if (v->g.by == HL_BY_TRACEBACK) {
		uint32_t tb = hl_stacks_traceback(v->heap->stacks, s->stack);

		return (struct hl_key){hl_names_canonical(v->names, tb), 0};
	}
	if (v->g.by == HL_BY_THREAD)
		return (struct hl_key){t->name, v->g.no_tid ? 0 : t->tid};
	return frame_key(v, hl_blame_frame(v->blame, v->heap->stacks, s->stack));
}

static void grow_memo(uint32_t **memo, size_t *n, size_t want)
{
	size_t more = want + want / 2 + 64;

	if (want <= *n)
		return;
	*memo = hl_xrealloc(*memo, more * sizeof(**memo));
	memset(*memo + *n, 0, (more - *n) * sizeof(**memo));
	*n = more;
}

/* A site's memo, past UNASKED. */
static uint32_t ask_site(struct hl_view *v, uint32_t site)
{
	const struct hl_site *s = &v->heap->sites[site];
	uint32_t *memo;

	grow_memo(&v->site_memo, &v->nsite_memo, (size_t)site + 1);
	memo = &v->site_memo[site];
	if (*memo != UNASKED)
		return *memo;
	if (v->filter && !hl_filter_passes(v->filter, v->blame, v->heap, s))
		*memo = FILTERED;
	else if (v->g.cumulative)
		*memo = hl_stacks_traceback(v->heap->stacks, s->stack) + FIRST_ROW;
	else
		*memo = row_of_key(v, site_key(v, s)) + FIRST_ROW;
	return *memo;
}

/* The row of the newest frame of a traceback; HL_ID_NONE: dedup, an older frame has the same row. */
static uint32_t row_of_traceback(struct hl_view *v, uint32_t tb)
{
	uint32_t *memo, row;

	grow_memo(&v->tb_memo, &v->ntb_memo, (size_t)tb + 1);
	memo = &v->tb_memo[tb];
	if (*memo == UNASKED) {
		struct hl_key key = frame_key(v, hl_names_newest(v->names, tb));

		row = row_of_key(v, key);
		*memo = row + FIRST_ROW;
		for (uint32_t t = hl_names_older(v->names, tb); v->g.dedup && t;
		     t = hl_names_older(v->names, t)) {
			struct hl_key k = frame_key(v, hl_names_newest(v->names, t));

			if (k.a == key.a && k.b == key.b) {
				*memo = FILTERED;
				break;
			}
		}
	}
	return *memo == FILTERED ? HL_ID_NONE : *memo - FIRST_ROW;
}

/* How many variances of a block the row takes now that the walk is at it. */
static double take_variances(struct hl_view *v, uint32_t row)
{
	struct row_doubt *doubt = &v->doubts[row];

	doubt->occurrences = doubt->walk == v->walks ? doubt->occurrences + 1 : 1;
	doubt->walk = v->walks;
	return 2.0 * doubt->occurrences - 1;
}

static void track_row(struct hl_view *v, uint32_t row, uint64_t delta, double variance, int grows)
{
	struct hl_stat *stat = &v->rows[row].stat;

	v->live[row] += delta;
	if (v->heap->sample_bytes)
		v->doubts[row].live += variance * take_variances(v, row);
	if (!grows || v->live[row] <= stat->peak)
		return;
	stat->peak = v->live[row];
	if (v->heap->sample_bytes)
		v->doubts[row].v.peak = v->doubts[row].live;
}

void hl_view_track(struct hl_view *v, uint32_t site, uint64_t delta, double variance, int grows)
{
	uint32_t memo = site < v->nsite_memo ? v->site_memo[site] : UNASKED;

	if (memo == UNASKED)
		memo = ask_site(v, site);
	if (memo == FILTERED)
		return;
	memo -= FIRST_ROW;
	v->walks++;
	if (!v->g.cumulative) {
		track_row(v, memo, delta, variance, grows);
		return;
	}
	for (uint32_t tb = memo; tb; tb = hl_names_older(v->names, tb)) {
		uint32_t row = row_of_traceback(v, tb);

		if (row != HL_ID_NONE)
			track_row(v, row, delta, variance, grows);
	}
}

static void add_stat(struct hl_stat *to, const struct hl_stat *s)
{
	to->size += s->size;
	to->count += s->count;
	to->total += s->total;
	to->allocations += s->allocations;
	to->temporary += s->temporary;
}

static void add_variances(struct hl_errors *to, const struct hl_errors *v, double n)
{
	to->size += n * v->size;
	to->count += n * v->count;
	to->total += n * v->total;
	to->allocations += n * v->allocations;
	to->temporary += n * v->temporary;
	to->shared_size += n * v->shared_size;
	to->shared_count += n * v->shared_count;
}

/* A site's numbers for one row. */
static void add_to_row(struct hl_view *v, uint32_t row, uint32_t site)
{
	add_stat(&v->rows[row].stat, &v->heap->sites[site].stat);
	if (v->heap->sample_bytes)
		add_variances(&v->doubts[row].v, &v->heap->variances[site], take_variances(v, row));
}

static int has_field(const struct hl_stat *s, enum hl_sort sort)
{
	switch (sort) {
	case HL_SORT_PEAK:
	case HL_SORT_TOTAL:
	case HL_SORT_COUNT:
		return s->allocations || s->count || s->peak;
	case HL_SORT_TEMPORARY:
		return s->temporary != 0;
	default:
		return s->count != 0;
	}
}

static void add_site(struct hl_view *v, uint32_t site, struct hl_rows *out)
{
	uint32_t memo = ask_site(v, site);

	if (memo == FILTERED)
		return;
	add_stat(&out->sum, &v->heap->sites[site].stat);
	if (v->heap->sample_bytes)
		add_variances(&out->sum_error, &v->heap->variances[site], 1);
	memo -= FIRST_ROW;
	v->walks++;
	if (!v->g.cumulative) {
		add_to_row(v, memo, site);
		return;
	}
	for (uint32_t tb = memo; tb; tb = hl_names_older(v->names, tb)) {
		uint32_t row = row_of_traceback(v, tb);

		if (row != HL_ID_NONE)
			add_to_row(v, row, site);
	}
}

/* From units to whole bytes and blocks. */
static void round_stat(struct hl_stat *s, uint64_t sample_bytes)
{
	s->size = hl_sample_bytes(sample_bytes, s->size);
	s->count = hl_sample_blocks(sample_bytes, s->count);
	s->peak = hl_sample_bytes(sample_bytes, s->peak);
	s->total = hl_sample_bytes(sample_bytes, s->total);
	s->allocations = hl_sample_blocks(sample_bytes, s->allocations);
	s->temporary = hl_sample_blocks(sample_bytes, s->temporary);
}

static struct hl_errors errors_of(const struct hl_errors *v)
{
	return (struct hl_errors){.size = hl_sample_error(v->size),
				  .count = hl_sample_error(v->count),
				  .peak = hl_sample_error(v->peak),
				  .total = hl_sample_error(v->total),
				  .allocations = hl_sample_error(v->allocations),
				  .temporary = hl_sample_error(v->temporary),
				  .shared_size = v->shared_size,
				  .shared_count = v->shared_count};
}

static struct hl_row finished_row(const struct hl_view *v, size_t i)
{
	struct hl_row row = v->rows[i];

	if (!v->heap->sample_bytes)
		return row;
	round_stat(&row.stat, v->heap->sample_bytes);
	row.error = errors_of(&v->doubts[i].v);
	return row;
}

void hl_view_rows(struct hl_view *v, enum hl_sort sort, unsigned flags, struct hl_rows *out)
{
	int live_only = sort == HL_SORT_LIVE && !flags;

	*out = (struct hl_rows){.by = v->g.by,
				.sort = sort,
				.names = v->names,
				.has_peak = (flags & HL_VIEW_TRACKED) != 0,
				.has_totals = !live_only,
				.sample_bytes = v->heap->sample_bytes,
				.no_tid = v->g.no_tid};
	for (size_t i = 0; i < v->nrows; i++) {
		v->rows[i].stat = (struct hl_stat){.peak = v->rows[i].stat.peak};
		if (v->heap->sample_bytes)
			v->doubts[i].v = (struct hl_errors){.peak = v->doubts[i].v.peak};
	}
	/* where only live numbers count, a site without is not asked: its names would be looked up for nothing */
	for (uint32_t i = 0; i < v->heap->nsites; i++)
		if (!live_only || v->heap->sites[i].stat.count)
			add_site(v, i, out);
	out->row = hl_xcalloc(v->nrows + 1, sizeof(*out->row));
	for (size_t i = 0; i < v->nrows; i++)
		if (has_field(&v->rows[i].stat, sort))
			out->row[out->n++] = finished_row(v, i);
	if (v->heap->sample_bytes) {
		round_stat(&out->sum, v->heap->sample_bytes);
		out->sum_error = errors_of(&out->sum_error);
	}
	hl_rows_sort(out);
}

uint32_t hl_view_row_of_site(struct hl_view *v, uint32_t site)
{
	uint32_t memo = v->g.cumulative ? FILTERED : ask_site(v, site);

	return memo == FILTERED ? HL_ID_NONE : memo - FIRST_ROW;
}

uint32_t hl_view_row_of_key(const struct hl_view *v, struct hl_key key)
{
	return hl_idmap_find(&v->row_map, (uint64_t)key.a << 32 | key.b);
}

uint32_t hl_view_nrows(const struct hl_view *v)
{
	return (uint32_t)v->nrows;
}
