/*
 * check_judge.c - the verdict over all processes.  Floor: cli.
 */
#include "analyzer/analysis/growth.h"
#include "analyzer/cli/check.h"
#include <inttypes.h>
#include <stdio.h>

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

static const char *limit_text(struct hl_check_job *j, const char *what, uint64_t value, uint64_t max)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %" PRIu64 " bytes, at most %" PRIu64 " may be", what, value, max);
	return hl_check_keep(j, text);
}

static const char *growth_text(struct hl_check_job *j, const struct hl_losses *l)
{
	char text[192];

	if (!l->most_growth)
		snprintf(text, sizeof(text), "nothing grew in all of %" PRIu32 " snapshots",
			 l->snapshots - 1);
	else
		snprintf(text, sizeof(text),
			 "what grew most in %" PRIu32 " of %" PRIu32 " snapshots grew by %" PRIu64
			 " bytes, at most %" PRIu64 " may be",
			 l->snapshots - 1, l->snapshots - 1, l->most_growth, j->max_growth);
	return hl_check_keep(j, text);
}

/* With a limit on what is leaked it is the sum that counts, not the losses. */
static void settle_limits(struct hl_check_job *j)
{
	uint64_t leaked = 0;

	for (size_t i = 0; i < j->n; i++) {
		hl_losses_judge(&j->process[i]);
		leaked += j->process[i].failing_bytes;
	}
	j->limits = hl_xcalloc(3 * j->n + 1, sizeof(*j->limits));
	for (size_t i = 0; i < j->n; i++) {
		struct hl_losses *l = &j->process[i];
		struct hl_limit *limit = &j->limits[3 * i];

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
		if (l->snapshots)
			limit[l->nlimits++] = (struct hl_limit){.name = "max-growth",
								.text = growth_text(j, l),
								.max = j->max_growth,
								.value = l->most_growth,
								.over = l->ngrowths != 0,
								.is_told = 1};
	}
}

/* A process of several may have none: what a test starts beside the program. */
static void settle_growth(struct hl_check_job *j)
{
	char text[128];

	if (j->max_growth == HL_CHECK_NO_LIMIT || !j->n || j->snapshots >= HL_GROWTH_SNAPSHOTS_MIN ||
	    j->process[0].incomplete)
		return;
	snprintf(text, sizeof(text), "growth is judged by %d snapshots at least, of which there are %" PRIu32,
		 HL_GROWTH_SNAPSHOTS_MIN, j->snapshots);
	j->process[0].incomplete = 1;
	j->process[0].why_incomplete = hl_check_keep(j, text);
}

int hl_check_judge(struct hl_check_job *j)
{
	int failed = 0, unsure = j->n == 0 || j->became;

	tell_suppressions(j);
	hl_check_baseline_settle(j);
	settle_limits(j);
	settle_growth(j);
	for (size_t i = 0; i < j->n; i++) {
		const struct hl_losses *l = &j->process[i];

		failed |= l->failing != 0 && !l->incomplete;
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
