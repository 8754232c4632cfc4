/*
 * subject.c - a trace or an extracted snapshot as a heap.  Floor: cli.
 */
#include "analyzer/cli/subject.h"
#include "analyzer/cli/files.h"
#include "analyzer/cli/progress.h"
#include "analyzer/cli/snapref.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPFILE_BYTES_MAX (1u << 30)

static int open_snapfile(struct hl_subject *s, const char *snap, const struct hl_query *q,
			 struct hl_names *names, struct hl_diag *d)
{
	uint8_t *bytes;
	size_t n;
	int err;

	if (snap && strcmp(snap, "end"))
		return hl_fail(d, HL_ERR_NOTFOUND, "%s: an extracted snapshot holds no others", s->path);
	if (q->since || q->min_size || q->origin)
		return hl_fail(d, HL_ERR_USAGE,
			       "%s: an extracted snapshot holds no single blocks: %s needs the trace",
			       s->path,
			       q->since      ? "--since"
			       : q->min_size ? "--min-size"
					     : "--realloc");
	err = hl_read_file(s->path, SNAPFILE_BYTES_MAX, &bytes, &n, d);
	if (err)
		return err;
	s->stacks = hl_stacks_new(names, NULL, NULL);
	hl_heap_init(&s->heap, s->stacks);
	err = hl_snapfile_read(bytes, n, s->path, &s->provenance, &s->heap, d);
	free(bytes);
	if (err)
		return err;
	if (!s->provenance.complete && q->sort != HL_SORT_LIVE)
		return hl_fail(d, HL_ERR_USAGE, "%s: extracted without --all: --sort %s needs the trace",
			       s->path, hl_sort_names[q->sort]);
	if (q->sort == HL_SORT_PEAK)
		return hl_fail(d, HL_ERR_USAGE,
			       "%s: an extracted snapshot has no past: --sort peak needs the trace", s->path);
	s->ref = (struct hl_snapshot_ref){s->path, s->provenance.at, s->provenance.number,
					  s->provenance.label, s->provenance.seconds};
	s->totals = s->provenance.totals;
	return HL_OK;
}

double hl_subject_seconds(struct hl_trace *t, uint64_t stamp)
{
	const struct hl_process *p = &hl_trace_facts(t)->process;

	return hl_trace_seconds(t, p->seen ? p->start_stamp : hl_trace_header(t)->start_stamp, stamp);
}

static int open_trace(struct hl_subject *s, const char *snap, const struct hl_query *q,
		      struct hl_names *names, struct hl_diag *d)
{
	struct hl_symbol_options o = {.debug_dirs = q->debug_dirs.word,
				      .sysroot = q->sysroot,
				      .path_maps = q->path_maps.word,
				      .inlines = !q->no_inlines,
				      .perf_map = q->perf_map,
				      .variables = q->variables,
				      .owner = geteuid()};
	struct stat st;
	struct hl_snapshot_ref since = {0};
	int err = hl_trace_open(&s->trace, s->path, d);

	if (err)
		return err;
	err = hl_snapref_resolve(s->trace, snap, &s->until, &s->ref, d);
	if (err)
		return err;
	s->ref.trace = s->path;
	s->label = (char *)s->ref.label;
	if (q->since) {
		err = hl_snapref_resolve(s->trace, q->since, &s->since, &since, d);
		free((char *)since.label);
		if (err)
			return err;
	}
	if (stat(s->path, &st) == 0)
		o.owner = st.st_uid;
	s->symbols = hl_symbols_new(hl_trace_facts(s->trace), &o);
	s->stacks = hl_stacks_new(names, hl_trace_facts(s->trace), s->symbols);
	hl_heap_init(&s->heap, s->stacks);
	return HL_OK;
}

int hl_subject_open(struct hl_subject *s, const char *operand, const struct hl_query *q,
		    struct hl_names *names, struct hl_diag *d)
{
	uint8_t magic[HL_SNAPFILE_MAGIC_BYTES];
	char *snap = NULL;
	int err;

	*s = (struct hl_subject){0};
	err = hl_snapref_split(operand, &s->path, &snap, d);
	if (err)
		return err;
	if (hl_snapfile_is(magic, hl_peek_file(s->path, magic, sizeof(magic))))
		err = open_snapfile(s, snap, q, names, d);
	else
		err = open_trace(s, snap, q, names, d);
	free(snap);
	if (err)
		hl_subject_release(s);
	return err;
}

void hl_subject_release(struct hl_subject *s)
{
	hl_heap_release(&s->heap);
	hl_stacks_free(s->stacks);
	if (s->symbols)
		hl_symbols_free(s->symbols);
	if (s->trace)
		hl_trace_close(s->trace);
	hl_provenance_release(&s->provenance);
	free(s->path);
	free(s->label);
	*s = (struct hl_subject){0};
}

uint64_t hl_subject_lost(const struct hl_trace *t)
{
	const struct hl_facts *f = hl_trace_facts(t);

	return f->lost[HL_LOST_FULL] + f->lost[HL_LOST_NESTED] + f->lost[HL_LOST_THREAD] +
	       f->lost[HL_LOST_EXITED] + f->lost[HL_LOST_STARTUP];
}

struct hl_totals hl_subject_totals(const struct hl_subject *s)
{
	const struct hl_replay_counts *c = &s->counts;

	return (struct hl_totals){.size = c->live_bytes,
				  .count = c->live_blocks,
				  .peak = c->peak_bytes,
				  .total = c->total_bytes,
				  .allocations = c->allocs,
				  .frees = c->frees,
				  .temporary = c->temporary,
				  .lost = hl_subject_lost(s->trace),
				  .sample_bytes = c->sample_bytes,
				  .recorded = c->recorded,
				  .error = {.size = c->live_bytes_error,
					    .count = c->live_blocks_error,
					    .peak = c->peak_bytes_error,
					    .total = c->total_bytes_error,
					    .allocations = c->allocs_error,
					    .temporary = c->temporary_error}};
}

int hl_subject_load(struct hl_subject *s, const struct hl_query *q, struct hl_view *view, int progress,
		    struct hl_diag *d)
{
	struct hl_progress p;
	struct hl_collect_options o = {.until = s->until,
				       .since = s->since,
				       .min_size = q->min_size,
				       .shared_until = s->shared_until,
				       .origin = q->origin,
				       .view = view,
				       .tick = progress ? hl_progress_tick : NULL,
				       .tick_ctx = &p};
	const struct hl_replay_counts *c = &s->counts;
	int err;

	if (!s->trace)
		return HL_OK;
	hl_progress_start(&p, s->path);
	err = hl_collect(s->trace, &o, &s->heap, &s->counts, d);
	hl_progress_end(&p);
	if (err)
		return err;
	s->ref.seconds = hl_subject_seconds(s->trace, s->until == UINT64_MAX ? c->last_stamp : s->until);
	s->totals = hl_subject_totals(s);
	if (!c->allocs && !c->frees && !c->unexplained_frees && !c->inherited_blocks)
		s->nothing = hl_trace_is_empty(s->trace);
	return HL_OK;
}

int hl_subject_rows(struct hl_subject *s, const struct hl_query *q, int full, int progress,
		    struct hl_rows *rows, struct hl_diag *d)
{
	int track = s->trace && (full || q->sort == HL_SORT_PEAK);
	unsigned flags = track ? HL_VIEW_TRACKED : 0;
	struct hl_view *v = hl_view_new(&s->heap, &q->grouping, &q->filter, q->blame);
	int err = hl_subject_load(s, q, track ? v : NULL, progress, d);

	if (full && (s->trace || s->provenance.complete))
		flags |= HL_VIEW_FULL;
	if (!err)
		hl_view_rows(v, q->sort, flags, rows);
	hl_view_free(v);
	return err;
}

void hl_subject_uuid(const struct hl_subject *s, char hex[33])
{
	if (!s->trace) {
		memcpy(hex, s->provenance.uuid, 33);
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", hl_trace_header(s->trace)->uuid[i]);
}

int hl_subject_same_process(const struct hl_subject *a, const struct hl_subject *b)
{
	char x[33], y[33];

	hl_subject_uuid(a, x);
	hl_subject_uuid(b, y);
	return !strcmp(x, y) &&
	       (a->trace ? hl_trace_header(a->trace)->image_id : a->provenance.image) ==
		       (b->trace ? hl_trace_header(b->trace)->image_id : b->provenance.image);
}

void hl_subject_share(struct hl_subject *a, struct hl_subject *b)
{
	struct hl_subject *later = a->until > b->until ? a : b, *earlier = later == a ? b : a;

	if (a->trace && b->trace && hl_subject_same_process(a, b) &&
	    hl_trace_facts(a->trace)->sample_bytes == hl_trace_facts(b->trace)->sample_bytes)
		later->shared_until = earlier->until;
}
