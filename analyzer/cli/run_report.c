/*
 * run_report.c - the summary of a run.  Floor: cli.
 */
#include "analyzer/cli/run_report.h"
#include "analyzer/cli/verbs.h"
#include "analyzer/collect/names.h"
#include "analyzer/model/replay.h"
#include "analyzer/report/sizes.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hl_run_report_take(struct hl_run_report *r, const struct hl_message *m)
{
	switch (m->type) {
	case HL_MSG_WARN:
		hl_error(m->text);
		break;
	case HL_MSG_TRACE:
		if (r->ntraces == HL_TRACES_TOLD)
			break;
		r->traces[r->ntraces++] = (struct hl_run_trace){
			.path = hl_xstrdup(m->text), .pid = m->pid, .flags = m->flags, .refused = m->refused};
		break;
	case HL_MSG_SUMMARY:
		r->total = m->image;
		r->flags = m->flags;
		r->orphaned = m->refused;
		r->untraced = m->status > 0 ? (uint32_t)m->status : 0;
		r->complete = 1;
		break;
	}
}

void hl_run_report_release(struct hl_run_report *r)
{
	for (unsigned i = 0; i < r->ntraces; i++)
		free(r->traces[i].path);
}

/* What was not recorded, in a few words.  Kinds that are not events are told apart.  1: records are missing. */
static int losses_text(char *text, size_t room, const struct hl_facts *f, const struct hl_trace_health *h,
		       uint64_t refused)
{
	static const uint8_t events[] = {HL_LOST_FULL, HL_LOST_NESTED, HL_LOST_THREAD, HL_LOST_EXITED,
					 HL_LOST_STARTUP};
	uint64_t lost = 0;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(events); i++)
		lost += f->lost[events[i]];
	*text = 0;
#define SAY(count, what)                                                                                     \
	if ((count) && n < room)                                                                             \
		n += (size_t)snprintf(text + n, room - n, "%s%" PRIu64 " " what, n ? ", " : "",              \
				      (uint64_t)(count));
	SAY(lost, "events lost")
	SAY(f->lost[HL_LOST_STACK], "stacks lost")
	SAY(f->lost[HL_LOST_CHILD], "programs not traced")
	SAY(f->nunseen, "libraries not seen")
	SAY(f->lost[HL_LOST_OPTION], "unknown options")
	SAY(refused, "bytes of records not written")
	SAY(h->missing_claims, "pieces missing")
#undef SAY
	if (!*text)
		snprintf(text, room, "nothing lost");
	return lost || refused || h->missing_claims;
}

struct totals {
	struct hl_replay_counts counts;
	uint64_t wrong; /* frees; not those of what may be a block whose allocation was lost or not seen */
	char program[256];
	char losses[256];
};

static int read_totals(const struct hl_run_trace *run, struct totals *t, struct hl_diag *d)
{
	struct hl_sink none = {0};
	struct hl_trace *trace;
	const struct hl_facts *f;
	int err = hl_trace_open(&trace, run->path, d);

	if (err)
		return err;
	memset(t, 0, sizeof(*t));
	err = hl_replay(trace, UINT64_MAX, &none, NULL, &t->counts, d);
	if (!err) {
		f = hl_trace_facts(trace);
		snprintf(t->program, sizeof(t->program), "%s",
			 f->process.exe && *f->process.exe ? hl_base_name(f->process.exe) : "?");
		if (!losses_text(t->losses, sizeof(t->losses), f, hl_trace_health(trace), run->refused))
			t->wrong =
				t->counts.mismatched_frees + (f->nunseen ? 0 : t->counts.unexplained_frees);
	}
	hl_trace_close(trace);
	return err;
}

/* "" when the trace is complete. */
static const char *sample_text(char *text, size_t room, const struct hl_replay_counts *c)
{
	char size[HL_SIZE_TEXT];

	*text = 0;
	if (c->sample_bytes)
		snprintf(text, room, " of a sample of one in %s",
			 hl_size_text(size, (double)c->sample_bytes));
	return text;
}

/* A size, and in a sample its error. */
static const char *estimate_text(char *text, size_t room, const struct hl_replay_counts *c, uint64_t size,
				 double error)
{
	char number[HL_SIZE_TEXT], percent[HL_SIZE_TEXT];

	hl_size_text(number, (double)size);
	hl_error_text(percent, error, size);
	if (c->sample_bytes && size)
		snprintf(text, room, "%s (%s)", number, percent);
	else
		snprintf(text, room, "%s", number);
	return text;
}

/* Everything here came from a traced process: through hl_error, which makes it fit for a terminal. */
static void print_trace(const struct hl_run_trace *run, const struct totals *t)
{
	char text[PATH_MAX + 1024], peak[HL_SIZE_TEXT], live[HL_SIZE_TEXT], sample[64];

	snprintf(text, sizeof(text), "%s (%u): %" PRIu64 " events%s, peak %s, live %s, %s: %s%s", t->program,
		 run->pid, t->counts.events, sample_text(sample, sizeof(sample), &t->counts),
		 hl_size_text(peak, (double)t->counts.peak_bytes),
		 hl_size_text(live, (double)t->counts.live_bytes), t->losses, run->path,
		 run->flags & HL_TRACE_LIVE ? " (goes on)" : "");
	hl_error(text);
}

static void print_main(const struct hl_run_trace *run, const struct totals *t)
{
	char text[PATH_MAX + 1024], peak[2 * HL_SIZE_TEXT + 4], live[2 * HL_SIZE_TEXT + 4],
		size[HL_SIZE_TEXT];
	const struct hl_replay_counts *c = &t->counts;

	snprintf(text, sizeof(text),
		 "peak %s, live at the end %s in %" PRIu64 " blocks; %" PRIu64
		 " calls to allocation functions, %" PRIu64 " temporary; %s",
		 estimate_text(peak, sizeof(peak), c, c->peak_bytes, c->peak_bytes_error),
		 estimate_text(live, sizeof(live), c, c->live_bytes, c->live_bytes_error), c->live_blocks,
		 c->allocs, c->temporary, t->losses);
	hl_error(text);
	if (!c->allocs && !c->sample_bytes)
		hl_error("no allocation was seen: either the command makes none, or by an allocator of its "
			 "own (see "
			 "heapledger doctor)");
	if (c->sample_bytes) {
		snprintf(text, sizeof(text),
			 "these are estimates from a sample of one in %s (%" PRIu64 " blocks recorded)",
			 hl_size_text(size, (double)c->sample_bytes), c->recorded);
		hl_error(text);
	}
	snprintf(text, sizeof(text), "trace: %s", run->path);
	hl_error(text);
}

/* A path as a word of a shell. */
static void quote(char *out, size_t room, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
	size_t n = 0;

	if (s[strspn(s, plain)] == 0) {
		snprintf(out, room, "%s", s);
		return;
	}
	out[n++] = '\'';
	for (; *s && n + 6 < room; s++) {
		if (*s == '\'') {
			memcpy(out + n, "'\\''", 4);
			n += 4;
		} else {
			out[n++] = *s;
		}
	}
	out[n++] = '\'';
	out[n] = 0;
}

void hl_run_report_print(const struct hl_run_report *r)
{
	char text[2 * PATH_MAX], word[2 * PATH_MAX - 64];
	const struct hl_run_trace *first = r->ntraces ? &r->traces[0] : NULL, *wrong_in = NULL;
	struct totals t, main_totals;
	int have_main = 0;
	struct hl_diag d;
	uint64_t wrong = 0;
	unsigned nwrong = 0;

	for (unsigned i = 0; i < r->ntraces; i++) {
		const struct hl_run_trace *run = &r->traces[i];

		if (read_totals(run, &t, &d) < 0) {
			/* why was said when it happened; that the file is missing or cut now is no reason */
			snprintf(text, sizeof(text),
				 "%s: could not be written; %" PRIu64 " bytes of records not written",
				 run->path, run->refused);
			hl_error(run->refused ? text : d.text);
			continue;
		}
		print_trace(run, &t);
		if (t.wrong && !nwrong++)
			wrong_in = run;
		wrong += t.wrong;
		if (run->flags & HL_TRACE_MAIN) {
			main_totals = t;
			have_main = 1;
		}
	}
	if (r->total > r->ntraces) {
		snprintf(text, sizeof(text), "and %u more traces", r->total - r->ntraces);
		hl_error(text);
	}
	if (r->orphaned) {
		snprintf(text, sizeof(text), "%" PRIu64 " bytes of records belong to no known program",
			 r->orphaned);
		hl_error(text);
	}
	if (r->untraced) {
		snprintf(text, sizeof(text), "%u programs not traced: the library did not start in them",
			 r->untraced);
		hl_error(text);
	}
	if (have_main)
		print_main(first, &main_totals);
	if (!first)
		return;
	if (wrong) {
		/* the other traces' names begin with the first one's */
		quote(word, sizeof(word), nwrong > 1 ? first->path : wrong_in->path);
		snprintf(text, sizeof(text), "%" PRIu64 " frees look wrong: heapledger misuse %s%s", wrong,
			 word, nwrong > 1 ? "*" : "");
		hl_error(text);
	}
	quote(word, sizeof(word), first->path);
	snprintf(text, sizeof(text), "next: heapledger stats %s", word);
	hl_error(text);
}
