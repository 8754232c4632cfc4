/*
 * notes.c - totals and warnings on stderr.  Floor: cli.
 */
#include "analyzer/cli/notes.h"
#include "analyzer/report/label.h"
#include "analyzer/report/sizes.h"
#include <inttypes.h>
#include <stdarg.h>

#define UNSEEN_SHOWN 3

/* "PATH: text" */
__attribute__((format(printf, 2, 3))) static void note(const char *path, const char *fmt, ...)
{
	va_list ap;

	hl_put_escaped(stderr, path, HL_ESCAPE_TERMINAL);
	fputs(": ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
}

static void put_sample(const char *path, uint64_t sample_bytes, uint64_t recorded)
{
	char size[HL_SIZE_TEXT];

	if (sample_bytes)
		note(path, "estimates from a sample of one in %s (%" PRIu64 " blocks recorded)",
		     hl_size_text(size, (double)sample_bytes), recorded);
}

/* " (+-3.1%)", nothing when there is no error to tell. */
static const char *error_of(char *text, const struct hl_totals *t, double error, uint64_t of)
{
	char percent[HL_SIZE_TEXT];

	*text = '\0';
	if (t->sample_bytes && of)
		snprintf(text, HL_SIZE_TEXT + 4, " (%s)", hl_error_text(percent, error, of));
	return text;
}

static void put_shown(size_t n, const struct hl_query *q)
{
	size_t shown = hl_report_rows(n, q->style.limit);

	if (shown < n)
		fprintf(stderr, " in %zu rows, %zu of them shown (-n 0: all)\n", n, shown);
	else
		fprintf(stderr, " in %zu rows\n", n);
}

void hl_notes_totals(const struct hl_totals *t, const struct hl_rows *rows, const struct hl_query *q)
{
	char size[HL_SIZE_TEXT], peak[HL_SIZE_TEXT], error[2][HL_SIZE_TEXT + 4];

	fflush(stdout);
	fprintf(stderr, "selected: size=%s%s, count=%" PRIu64, hl_size_text(size, (double)rows->sum.size),
		error_of(error[0], t, rows->sum_error.size, rows->sum.size), rows->sum.count);
	put_shown(rows->n, q);
	fprintf(stderr,
		"heap: size=%s%s, count=%" PRIu64 ", peak=%s%s, allocations=%" PRIu64 ", frees=%" PRIu64
		", temporary=%" PRIu64 "\n",
		hl_size_text(size, (double)t->size), error_of(error[0], t, t->error.size, t->size), t->count,
		hl_size_text(peak, (double)t->peak), error_of(error[1], t, t->error.peak, t->peak),
		t->allocations, t->frees, t->temporary);
}

void hl_notes_diff(const struct hl_diff *diff, const struct hl_query *q)
{
	const struct hl_stat *old = &diff->old_sum, *now = &diff->new_sum;
	char size[HL_SIZE_TEXT], change[HL_SIZE_TEXT], count[HL_SIZE_TEXT];

	fflush(stdout);
	fprintf(stderr, "selected: size=%s (%s", hl_size_text(size, (double)now->size),
		hl_size_diff_text(change, hl_size_diff(now->size, old->size)));
	if (diff->sampled)
		fprintf(stderr, " +-%s", hl_size_text(size, diff->sum_size_error));
	fprintf(stderr, "), count=%" PRIu64 " (%s)", now->count,
		hl_count_diff_text(count, now->count, old->count));
	put_shown(diff->n, q);
}

void hl_notes_exact(const struct hl_subject *s, const struct hl_subject *other)
{
	if (!s->totals.sample_bytes && other->totals.sample_bytes)
		note(s->path, "is complete, no sample: its numbers are exact");
}

static void losses(const char *path, const struct hl_facts *f)
{
	for (unsigned k = 0; k < HL_LOST_KINDS; k++) {
		const char *name = hl_lost_name(k);

		if (f->lost[k] && k != HL_LOST_CHECK && k != HL_LOST_IMAGE && k != HL_LOST_VERDICT)
			note(path, "warning: not recorded: %" PRIu64 " %s", f->lost[k],
			     name ? name : "of another kind");
	}
	/* Not a loss: the stacks were recorded. */
	if (f->lost[HL_LOST_CHECK])
		note(path, "note: %" PRIu64 " %s", f->lost[HL_LOST_CHECK], hl_lost_name(HL_LOST_CHECK));
	for (unsigned k = HL_LOST_IMAGE; k <= HL_LOST_VERDICT; k++)
		if (f->lost[k])
			note(path, "note: %" PRIu64 " %s", f->lost[k], hl_lost_name(k));
}

/* A few of them say enough. */
static void unseen(const char *path, const struct hl_facts *f)
{
	for (size_t i = 0; i < f->nunseen && i < UNSEEN_SHOWN; i++) {
		const struct hl_unseen_module *m = &f->unseen[i];

		hl_put_escaped(stderr, path, HL_ESCAPE_TERMINAL);
		fputs(": warning: what ", stderr);
		hl_put_escaped(stderr, m->path, HL_ESCAPE_TERMINAL);
		fputs(" allocates is not in the trace: ", stderr);
		if (m->why == HL_UNSEEN_NAMESPACE) {
			fputs("dlmopen gave it a libc of its own\n", stderr);
			continue;
		}
		fputs("it takes malloc from ", stderr);
		hl_put_escaped(stderr, *m->from ? m->from : "elsewhere", HL_ESCAPE_TERMINAL);
		fputs(" (loaded with RTLD_DEEPBIND?)\n", stderr);
	}
	if (f->nunseen > UNSEEN_SHOWN)
		note(path, "warning: nor what %zu more libraries allocate", f->nunseen - UNSEEN_SHOWN);
}

static void damage(const char *path, const struct hl_trace_health *h)
{
	if (h->cut_offset)
		note(path, "warning: the trace is cut at offset %" PRIu64, h->cut_offset);
	if (h->bad_blocks)
		note(path, "warning: %" PRIu64 " damaged blocks were skipped, the first at offset %" PRIu64,
		     h->bad_blocks, h->bad_offset);
	if (h->missing_claims)
		note(path, "warning: %" PRIu64 " pieces of the record are missing", h->missing_claims);
	if (!h->bare && !h->finished && !h->cut_offset)
		note(path, "warning: the trace is not finished: still being recorded, its recorder died, or "
			   "the disk was full");
	if (h->unverified_bytes)
		note(path, "note: %" PRIu64 " bytes of unsealed records, which no checksum verifies",
		     h->unverified_bytes);
	if (h->first_problem[0]) {
		hl_put_escaped(stderr, path, HL_ESCAPE_TERMINAL);
		fputs(": warning: ", stderr);
		hl_put_escaped(stderr, h->first_problem, HL_ESCAPE_TERMINAL);
		fputs("\n", stderr);
	}
}

void hl_notes_trace(struct hl_trace *t, const struct hl_replay_counts *c)
{
	const char *path = hl_trace_path(t);

	put_sample(path, c->sample_bytes, c->recorded);
	losses(path, hl_trace_facts(t));
	unseen(path, hl_trace_facts(t));
	damage(path, hl_trace_health(t));
	if (c->violations)
		note(path, "warning: %" PRIu64 " events out of order could not be put right", c->violations);
	if (c->unexplained_frees)
		note(path, "note: %" PRIu64 " frees of what was no live block: heapledger misuse shows them",
		     c->unexplained_frees);
	if (c->mismatched_frees)
		note(path,
		     "note: %" PRIu64
		     " blocks freed by a function that does not go with what allocated them: "
		     "heapledger misuse shows them",
		     c->mismatched_frees);
}

static void unresolved(const char *path, const struct hl_symbols *symbols)
{
	struct hl_symbol_stats st;
	uint64_t without;

	hl_symbols_stats(symbols, &st);
	without = st.pcs - (st.with_line < st.pcs ? st.with_line : st.pcs);
	if (!without)
		return;
	note(path, "note: %" PRIu64 " of %" PRIu64 " frames (%.0f%%) have no line", without, st.pcs,
	     100.0 * (double)without / (double)st.pcs);
	if (st.hint[0]) {
		fputs("hint: ", stderr);
		hl_put_escaped(stderr, st.hint, HL_ESCAPE_TERMINAL);
		fputs("\n", stderr);
	}
}

int hl_notes_warnings(const struct hl_subject *s)
{
	if (!s->trace) {
		put_sample(s->path, s->totals.sample_bytes, s->totals.recorded);
		if (s->totals.lost)
			note(s->path,
			     "warning: not recorded: %" PRIu64 " events of the trace it was taken from",
			     s->totals.lost);
		return 0;
	}
	hl_notes_trace(s->trace, &s->counts);
	unresolved(s->path, s->symbols);
	if (s->totals.lost)
		note(s->path, "warning: a lost free looks like a leak");
	if (s->nothing)
		note(s->path, "error: nothing was recorded: this report says nothing about the program");
	return s->nothing;
}
