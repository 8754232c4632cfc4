/*
 * check.c - from traces to losses.  Floor: cli.
 */
#include "analyzer/cli/check.h"
#include "analyzer/analysis/growth.h"
#include "analyzer/analysis/lostblocks.h"
#include "analyzer/analysis/marks.h"
#include "analyzer/base/buf.h"
#include "analyzer/cli/files.h"
#include "analyzer/cli/verbs.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (64u << 20)

int hl_check_read(struct hl_check_job *j, struct hl_diag *d)
{
	uint8_t *bytes;
	size_t n;
	int err = HL_OK;

	for (size_t i = 0; !err && i < j->suppressions.n; i++) {
		const char *file = j->suppressions.word[i];

		err = hl_read_file(file, FILE_BYTES_MAX, &bytes, &n, d);
		if (err)
			return err;
		err = hl_suppressions_parse(&j->supp, (const char *)bytes, n, file, d);
		free(bytes);
	}
	return err ? err : hl_check_baseline_read(j, d);
}

const char *hl_check_keep(struct hl_check_job *j, const char *s)
{
	return hl_names_string(j->names, hl_names_intern(j->names, s ? s : ""));
}

static int find_losses(struct hl_check_job *j, struct hl_losses *l, struct hl_leak_subject *s,
		       enum hl_suppress_pass pass, struct hl_diag *d)
{
	unsigned kinds = j->fail_kinds | j->show_kinds | 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_POSSIBLE;
	struct hl_suppressed suppressed;
	int err = hl_suppressed_find(&suppressed, &s->graph, &s->calls, &j->supp, pass,
				     kinds >> HL_LEAK_REACHABLE & 1, j->inherited, d);

	if (!err)
		hl_lost_find(l, &s->graph, &s->calls, kinds, j->inherited, &suppressed);
	hl_suppressed_release(&suppressed);
	return err;
}

static void find_growth(struct hl_check_job *j, struct hl_losses *l, const struct hl_growth_watch *growth)
{
	struct hl_growths found;

	hl_growth_find(&found, growth, j->max_growth);
	l->growth = found.growth;
	l->ngrowths = found.n;
	l->most_growth = found.most;
	l->snapshots = found.snapshots >= HL_GROWTH_SNAPSHOTS_MIN ? found.snapshots : 0;
	if (j->snapshots < found.snapshots)
		j->snapshots = found.snapshots;
}

/* Why what is known of the process cannot be relied on; NULL: it can. */
static const char *incomplete(const struct hl_leak_subject *s, int first)
{
	const char *why = hl_leak_subject_no_losses(s);

	if (why)
		return why;
	if (s->s.totals.lost)
		return "events were lost: a block whose free was lost looks like a leak";
	if (!strcmp(hl_leak_subject_tier(s), "torn"))
		return "a thread could not be stopped: what it moved while the pointers were recorded looks "
		       "like a leak";
	if (hl_trace_facts(s->s.trace)->nunseen)
		return "a library took its memory from elsewhere, unseen: what it held or freed looks like a "
		       "leak";
	if (s->graph.counts.violations)
		return "events were out of order, as when a library frees unseen: what it freed looks like a "
		       "leak";
	/* a program that asks early may have allocated nothing yet */
	if (hl_trace_is_empty(s->s.trace) && first && !(s->image->flags & HL_IMAGE_VERDICT))
		return "nothing was recorded";
	return NULL;
}

/* Of a child only: who starts servers for a test ends them by signals. */
static void tell_unjudged(const struct hl_leak_subject *s)
{
	const struct hl_process *p = &hl_trace_facts(s->s.trace)->process;
	char text[512];

	snprintf(text, sizeof(text),
		 "%.200s (%" PRIu32
		 ") was killed, ended by a system call of its own, or is not over: it is not judged",
		 p->exe ? p->exe : "?", p->pid);
	hl_error(text);
}

/* A program may want none (__lsan_is_turned_off), and then has nothing lost. */
static int is_judged(const struct hl_leak_subject *s)
{
	return s->image && !s->one_image && !hl_trace_facts(s->s.trace)->leaks_off;
}

/* Suppressions that the program brings along.  All processes of a command mostly have the same. */
static void take_programs_own(struct hl_check_job *j, const struct hl_leak_subject *s)
{
	const char *text = hl_trace_facts(s->s.trace)->suppressions;
	struct hl_diag d = {0};

	if (!text)
		return;
	text = hl_check_keep(j, text);
	for (size_t i = 0; i < j->programs_own.n; i++)
		if (j->programs_own.word[i] == text)
			return;
	hl_words_add(&j->programs_own, text);
	/* what the program says wrong is not the fault of who checks it */
	if (hl_suppressions_parse(&j->supp, text, strlen(text), "__lsan_default_suppressions", &d))
		hl_error(d.text);
}

static void tell_untraced(const struct hl_leak_subject *s)
{
	uint64_t n = hl_trace_facts(s->s.trace)->lost[HL_LOST_CHILD];
	char text[128];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " program%s it started could not be traced: not judged", n,
		 n == 1 ? "" : "s");
	hl_error(text);
}

static int add(struct hl_check_job *j, const char *trace, int first, struct hl_leak_subject *s,
	       const struct hl_growth_watch *growth, struct hl_diag *d)
{
	const struct hl_process *p = &hl_trace_facts(s->s.trace)->process;
	struct hl_losses *l;
	int err = HL_OK;

	tell_untraced(s);
	/* what a process had before exec went with it; what it became is the command then (env, nice, sh -c 'exec ...') */
	if (!s->image && p->end == HL_END_EXEC) {
		if (first)
			j->became = p->pid;
		return HL_OK;
	}
	if (j->became && p->pid == j->became) {
		j->became = 0;
		first = 1;
	}
	if (!first && !s->image && p->end != HL_END_EXIT && p->end != HL_END_FAST &&
	    !hl_trace_facts(s->s.trace)->sample_bytes) {
		tell_unjudged(s);
		return HL_OK;
	}
	j->process = hl_grow(j->process, &j->room, j->n + 1, sizeof(*j->process));
	l = &j->process[j->n++];
	*l = (struct hl_losses){.names = j->names,
				.program = hl_check_keep(j, p->exe),
				.trace = hl_check_keep(j, trace),
				.command_line = hl_check_keep(j, p->cmdline),
				.pid = p->pid,
				.ppid = p->ppid,
				.seconds = s->s.ref.seconds,
				.tier = hl_leak_subject_tier(s),
				.fail_kinds = j->fail_kinds};
	if (s->image)
		l->totals = s->s.totals;
	if (is_judged(s)) {
		take_programs_own(j, s);
		err = find_losses(j, l, s, HL_SUPPRESS_COUNT, d);
	}
	if (growth)
		find_growth(j, l, growth);
	l->why_incomplete = incomplete(s, first);
	if (l->why_incomplete)
		l->why_incomplete = hl_check_keep(j, l->why_incomplete);
	l->incomplete = l->why_incomplete != NULL;
	return err;
}

int hl_check_add(struct hl_check_job *j, const char *trace, int first, struct hl_diag *d)
{
	struct hl_growth_watch *growth = j->max_growth == HL_CHECK_NO_LIMIT ? NULL : hl_growth_watch_new();
	struct hl_leak_subject s;
	int err = hl_leak_subject_open(&s, trace, &j->q, growth, j->names, d);

	if (!err) {
		err = add(j, trace, first, &s, growth, d);
		hl_leak_subject_release(&s);
	}
	hl_growth_watch_free(growth);
	return err;
}

static int is_over_budget(const struct hl_check_job *j)
{
	for (uint32_t i = 0; i < j->supp.n; i++)
		if (hl_suppressions_over(&j->supp, i))
			return 1;
	return 0;
}

/* The sums begin anew; what they are of is the same. */
static int find_again(struct hl_check_job *j, struct hl_losses *l, struct hl_diag *d)
{
	struct hl_leak_subject s;
	int err = hl_leak_subject_open(&s, l->trace, &j->q, NULL, j->names, d);

	if (err)
		return err;
	hl_lost_release(l);
	memset(l->bytes, 0, sizeof(l->bytes));
	memset(l->blocks, 0, sizeof(l->blocks));
	l->suppressed_bytes = l->suppressed_blocks = 0;
	if (is_judged(&s))
		err = find_losses(j, l, &s, HL_SUPPRESS_BUDGET, d);
	hl_leak_subject_release(&s);
	return err;
}

int hl_check_settle(struct hl_check_job *j, struct hl_diag *d)
{
	int err = HL_OK;

	if (!is_over_budget(j))
		return HL_OK;
	for (size_t i = 0; !err && i < j->n; i++)
		if (j->process[i].suppressed_blocks)
			err = find_again(j, &j->process[i], d);
	return err;
}

void hl_check_release(struct hl_check_job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		hl_lost_release(&j->process[i]);
		hl_growth_free((struct hl_growth *)j->process[i].growth, j->process[i].ngrowths);
	}
	for (size_t i = 0; j->where && i < j->supp.n; i++)
		free(j->where[i]);
	free(j->where);
	free(j->used);
	free(j->limits);
	free(j->process);
	free(j->suppressions.word);
	free(j->programs_own.word);
	hl_suppressions_release(&j->supp);
	hl_baseline_release(&j->was);
	hl_baseline_release(&j->now);
}
