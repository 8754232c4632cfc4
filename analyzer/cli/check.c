/*
 * check.c - from traces to a verdict.  Floor: cli.
 */
#include "analyzer/cli/check.h"
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
	if (err || !j->baseline || j->update_baseline)
		return err;
	err = hl_read_file(j->baseline, FILE_BYTES_MAX, &bytes, &n, d);
	if (err)
		return err;
	err = hl_baseline_parse(&j->was, (const char *)bytes, n, j->baseline, d);
	free(bytes);
	return err;
}

static const char *keep(struct hl_check_job *j, const char *s)
{
	return hl_names_string(j->names, hl_names_intern(j->names, s ? s : ""));
}

/* What a suppression hides is in no sum. */
static void suppress(struct hl_check_job *j, struct hl_losses *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct hl_loss *loss = &l->loss[i];
		uint32_t at =
			hl_suppressions_match(&j->supp, loss->kind, loss->entry, loss->traceback, j->names);

		if (at == HL_ID_NONE)
			continue;
		loss->suppression = at + 1;
		hl_suppressions_count(&j->supp, at, loss->bytes, loss->blocks);
	}
}

/* Why what is known of the process cannot be relied on; NULL: it can. */
static const char *incomplete(const struct hl_leak_subject *s, int first)
{
	if (!s->image)
		return s->why_not;
	if (s->s.totals.lost)
		return "events were lost: a block whose free was lost looks like a leak";
	if (hl_trace_is_empty(s->s.trace) && first)
		return "nothing was recorded";
	return NULL;
}

/* Of a child only: who starts servers for a test ends them by signals. */
static void tell_unjudged(const struct hl_leak_subject *s)
{
	const struct hl_process *p = &hl_trace_facts(s->s.trace)->process;
	char text[512];

	snprintf(text, sizeof(text), "%.200s (%" PRIu32 ") was killed, or is not over: it is not judged",
		 p->exe ? p->exe : "?", p->pid);
	hl_error(text);
}

int hl_check_add(struct hl_check_job *j, const char *trace, int first, struct hl_diag *d)
{
	unsigned kinds = j->fail_kinds | j->show_kinds | 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_POSSIBLE;
	struct hl_leak_subject s;
	const struct hl_process *p;
	struct hl_losses *l;
	int err = hl_leak_subject_open(&s, trace, &j->q, HL_HEURISTICS_ALL, j->names, d);

	if (err)
		return err;
	p = &hl_trace_facts(s.s.trace)->process;
	if (!first && !s.image && !hl_trace_facts(s.s.trace)->sample_bytes) {
		/* what a process had before exec went with it */
		if (p->end != HL_END_EXEC)
			tell_unjudged(&s);
		hl_leak_subject_release(&s);
		return HL_OK;
	}
	j->process = hl_grow(j->process, &j->room, j->n + 1, sizeof(*j->process));
	l = &j->process[j->n++];
	*l = (struct hl_losses){.names = j->names,
				.program = keep(j, p->exe),
				.trace = keep(j, trace),
				.command_line = keep(j, p->cmdline),
				.pid = p->pid,
				.ppid = p->ppid,
				.seconds = s.s.ref.seconds,
				.tier = hl_leak_subject_tier(&s),
				.fail_kinds = j->fail_kinds};
	if (s.image) {
		l->totals = s.s.totals;
		hl_lost_find(l, &s.graph, &s.calls, kinds, j->inherited);
		suppress(j, l);
	}
	l->why_incomplete = incomplete(&s, first);
	if (l->why_incomplete)
		l->why_incomplete = keep(j, l->why_incomplete);
	l->incomplete = l->why_incomplete != NULL;
	hl_leak_subject_release(&s);
	return HL_OK;
}

/* ---- the verdict ---- */

/* Over budget a suppression hides nothing. */
static void settle_suppressions(struct hl_check_job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		struct hl_losses *l = &j->process[i];

		for (size_t k = 0; k < l->n; k++) {
			struct hl_loss *loss = &l->loss[k];

			if (!loss->suppression)
				continue;
			if (hl_suppressions_over(&j->supp, loss->suppression - 1)) {
				loss->suppression = 0;
				continue;
			}
			l->suppressed_bytes += loss->bytes + loss->indirect_bytes;
			l->suppressed_blocks += loss->blocks + loss->indirect_blocks;
			l->bytes[loss->kind] -= loss->bytes;
			l->blocks[loss->kind] -= loss->blocks;
			l->bytes[HL_LEAK_INDIRECT] -= loss->indirect_bytes;
			l->blocks[HL_LEAK_INDIRECT] -= loss->indirect_blocks;
		}
	}
}

static void tell_suppressions(struct hl_check_job *j)
{
	if (!j->supp.n || !j->n)
		return;
	j->used = hl_xcalloc(j->supp.n, sizeof(*j->used));
	j->where = hl_xcalloc(j->supp.n, sizeof(*j->where));
	for (size_t i = 0; i < j->supp.n; i++) {
		const struct hl_supp *s = &j->supp.entry[i];

		if (asprintf(&j->where[i], "%s:%u", s->file, s->line) < 0)
			j->where[i] = NULL;
		j->used[i] = (struct hl_supp_used){.text = s->text,
						   .where = j->where[i],
						   .bytes = s->bytes,
						   .blocks = s->blocks,
						   .max_bytes = s->max_bytes,
						   .max_blocks = s->max_blocks,
						   .stale = !s->blocks,
						   .over = hl_suppressions_over(&j->supp, (uint32_t)i)};
	}
	/* each process's losses name theirs; what they did over all is told once */
	for (size_t i = 0; i < j->n; i++)
		j->process[i].used = j->used;
	j->process[0].nused = j->supp.n;
}

static void settle_baseline(struct hl_check_job *j)
{
	const struct hl_baseline_entry *old;

	for (size_t i = 0; i < j->n; i++)
		for (size_t k = 0; k < j->process[i].n; k++) {
			const struct hl_loss *l = &j->process[i].loss[k];

			if (!l->suppression)
				hl_baseline_add(&j->now, l->kind, l->traceback, l->bytes, l->blocks,
						j->names);
		}
	if (!j->baseline || j->update_baseline)
		return;
	for (size_t i = 0; i < j->n; i++) {
		struct hl_losses *p = &j->process[i];

		p->baseline = 1;
		for (size_t k = 0; k < p->n; k++) {
			struct hl_loss *l = &p->loss[k];

			l->state = (enum hl_loss_state)hl_baseline_compare(&j->was, &j->now, l->kind, l->hash,
									   &old);
			if (old) {
				l->baseline_bytes = old->bytes;
				l->baseline_blocks = old->blocks;
			}
		}
	}
	if (j->n)
		j->process[0].fixed = hl_baseline_mark_fixed(
			&j->was, &j->now, j->fail_kinds | 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_POSSIBLE);
}

static const char *limit_text(struct hl_check_job *j, const char *what, uint64_t value, uint64_t max)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %" PRIu64 " bytes, at most %" PRIu64 " may be", what, value, max);
	return keep(j, text);
}

/* With a limit on what is leaked it is the sum that counts, not the losses. */
static void settle_limits(struct hl_check_job *j)
{
	uint64_t leaked = 0;

	for (size_t i = 0; i < j->n; i++) {
		hl_losses_judge(&j->process[i]);
		leaked += j->process[i].failing_bytes;
	}
	j->limits = hl_xcalloc(2 * j->n + 1, sizeof(*j->limits));
	for (size_t i = 0; i < j->n; i++) {
		struct hl_losses *l = &j->process[i];
		struct hl_limit *limit = &j->limits[2 * i];

		l->limit = limit;
		if (j->max_leaked != HL_CHECK_NO_LIMIT && i == 0)
			limit[l->nlimits++] =
				(struct hl_limit){.name = "max-leaked",
						  .text = limit_text(j, "leaked", leaked, j->max_leaked),
						  .max = j->max_leaked,
						  .value = leaked,
						  .over = leaked > j->max_leaked};
		if (j->max_leaked != HL_CHECK_NO_LIMIT && leaked <= j->max_leaked) {
			l->fail_kinds = 0;
			hl_losses_judge(l);
		}
		if (j->max_peak != HL_CHECK_NO_LIMIT)
			limit[l->nlimits++] = (struct hl_limit){
				.name = "max-peak",
				.text = limit_text(j, "the peak was", l->totals.peak, j->max_peak),
				.max = j->max_peak,
				.value = l->totals.peak,
				.over = l->totals.peak > j->max_peak};
	}
}

int hl_check_judge(struct hl_check_job *j)
{
	int failed = 0, unsure = j->n == 0;

	settle_suppressions(j);
	tell_suppressions(j);
	settle_baseline(j);
	settle_limits(j);
	for (size_t i = 0; i < j->n; i++) {
		const struct hl_losses *l = &j->process[i];

		failed |= l->failing != 0;
		unsure |= l->incomplete;
		for (size_t k = 0; k < l->nlimits; k++)
			failed |= l->limit[k].over;
		for (size_t k = 0; k < l->nused; k++)
			failed |= l->used[k].over;
	}
	if (failed)
		return (int)j->status;
	return unsure ? HL_CHECK_INCOMPLETE : 0;
}

void hl_check_release(struct hl_check_job *j)
{
	for (size_t i = 0; i < j->n; i++)
		hl_lost_release(&j->process[i]);
	for (size_t i = 0; j->where && i < j->supp.n; i++)
		free(j->where[i]);
	free(j->where);
	free(j->used);
	free(j->limits);
	free(j->process);
	free(j->suppressions.word);
	hl_suppressions_release(&j->supp);
	hl_baseline_release(&j->was);
	hl_baseline_release(&j->now);
}
