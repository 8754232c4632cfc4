/*
 * view.c - sites to rows.  Floor: analysis.
 *
 * Not cumulative: a site has one row.  Cumulative: the rows of a site are those of its traceback's
 * frames, found by walking the trie of tracebacks, whose entries remember their row.
 */
#include "analyzer/analysis/view.h"
#include "analyzer/analysis/order.h"
#include <stdlib.h>
#include <string.h>

enum { UNASKED = 0, FILTERED = 1, FIRST_ROW = 2 }; /* a memo is UNASKED, FILTERED or row + FIRST_ROW */

struct hl_view {
	struct hl_heap *heap;
	struct hl_names *names;
	struct hl_grouping g;
	const struct hl_filter *filter;
	struct hl_blame *blame;
	struct hl_row *rows;
	uint64_t *live; /* of rows, while tracking */
	size_t nrows, rows_room, live_room;
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

static void track_row(struct hl_view *v, uint32_t row, uint64_t delta, int grows)
{
	v->live[row] += delta;
	if (grows && v->live[row] > v->rows[row].stat.peak)
		v->rows[row].stat.peak = v->live[row];
}

void hl_view_track(struct hl_view *v, uint32_t site, uint64_t delta, int grows)
{
	uint32_t memo = site < v->nsite_memo ? v->site_memo[site] : UNASKED;

	if (memo == UNASKED)
		memo = ask_site(v, site);
	if (memo == FILTERED)
		return;
	memo -= FIRST_ROW;
	if (!v->g.cumulative) {
		track_row(v, memo, delta, grows);
		return;
	}
	for (uint32_t tb = memo; tb; tb = hl_names_older(v->names, tb)) {
		uint32_t row = row_of_traceback(v, tb);

		if (row != HL_ID_NONE)
			track_row(v, row, delta, grows);
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
	const struct hl_stat *stat = &v->heap->sites[site].stat;
	uint32_t memo = ask_site(v, site);

	if (memo == FILTERED)
		return;
	add_stat(&out->sum, stat);
	memo -= FIRST_ROW;
	if (!v->g.cumulative) {
		add_stat(&v->rows[memo].stat, stat);
		return;
	}
	for (uint32_t tb = memo; tb; tb = hl_names_older(v->names, tb)) {
		uint32_t row = row_of_traceback(v, tb);

		if (row != HL_ID_NONE)
			add_stat(&v->rows[row].stat, stat);
	}
}

void hl_view_rows(struct hl_view *v, enum hl_sort sort, unsigned flags, struct hl_rows *out)
{
	int live_only = sort == HL_SORT_LIVE && !flags;

	*out = (struct hl_rows){.by = v->g.by,
				.sort = sort,
				.names = v->names,
				.has_peak = (flags & HL_VIEW_TRACKED) != 0,
				.has_totals = !live_only,
				.no_tid = v->g.no_tid};
	for (size_t i = 0; i < v->nrows; i++)
		v->rows[i].stat = (struct hl_stat){.peak = v->rows[i].stat.peak};
	/* where only live numbers count, a site without is not asked: its names would be looked up for nothing */
	for (uint32_t i = 0; i < v->heap->nsites; i++)
		if (!live_only || v->heap->sites[i].stat.count)
			add_site(v, i, out);
	out->row = hl_xcalloc(v->nrows + 1, sizeof(*out->row));
	for (size_t i = 0; i < v->nrows; i++)
		if (has_field(&v->rows[i].stat, sort))
			out->row[out->n++] = v->rows[i];
	hl_rows_sort(out);
}
