/*
 * verb_stats.c - heapledger stats: the heap at one moment, by source line.  Floor: cli.
 */
#include "analyzer/analysis/sum.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include "analyzer/cli/subject.h"
#include <stdlib.h>

static const struct hl_option options[] = {
	HL_GROUP_OPTIONS,
	{HL_Q_SORT, "sort", "FIELD", "live (default), peak, total, count or temporary"},
	HL_FILTER_OPTIONS,
	HL_FORMAT_OPTION,
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

struct answer {
	struct hl_snapshot_ref ref; /* of the first; its strings are the answer's */
	struct hl_totals totals;
	struct hl_rows rows;
	const char **traces;
	size_t ntraces, nothing;
};

static void print(const struct answer *a, const struct hl_query *q)
{
	struct hl_stats_report r = {a->ref, a->totals, &a->rows, a->traces, a->ntraces};
	struct hl_pager pager;

	hl_pager_start(&pager, q->pager && q->format == &hl_format_text);
	q->format->stats(stdout, &q->style, &r);
	hl_pager_end(&pager);
	if (q->format == &hl_format_text)
		hl_notes_totals(&a->totals, &a->rows, q);
}

/* One trace to the answer.  Of several each is closed again before the next: only names stay. */
static int add(struct answer *a, const char *operand, struct hl_subject *s, const struct hl_query *q,
	       struct hl_names *names, int progress, struct hl_diag *d)
{
	struct hl_rows rows = {0};
	int err = hl_subject_open(s, operand, q, names, d);

	if (!err)
		err = hl_subject_rows(s, q, q->format != &hl_format_text, progress, &rows, d);
	if (!err) {
		hl_rows_add(&a->rows, &rows);
		hl_totals_add(&a->totals, &s->totals);
		a->traces[a->ntraces++] = operand;
	}
	free(rows.row);
	return err;
}

static int answer(const struct hl_query *q, char **operands, size_t n, int progress, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct hl_subject s = {0};
	struct answer a = {.traces = hl_xcalloc(n, sizeof(*a.traces))};
	char *label = NULL;
	int err = HL_OK;

	for (size_t i = 0; i < n && !err; i++) {
		err = add(&a, operands[i], &s, q, names, progress, d);
		if (err)
			break;
		if (i == 0) {
			a.ref = s.ref;
			a.ref.label = label = hl_xstrdup(s.ref.label ? s.ref.label : "");
			/* what was asked for, which outlives the subject */
			a.ref.trace = n == 1 ? s.path : operands[0];
		}
		if (n > 1) {
			/* a child that allocated nothing is nothing to warn of */
			a.nothing += s.nothing ? 1 : (size_t)hl_notes_warnings(&s);
			hl_subject_release(&s);
		}
	}
	if (!err) {
		print(&a, q);
		if (n == 1)
			a.nothing = (size_t)hl_notes_warnings(&s);
		else if (a.nothing == n)
			fprintf(stderr, "error: nothing was recorded in any of these traces\n");
		err = a.nothing == n ? 4 : 0;
	}
	free(label);
	free(a.rows.row);
	free(a.traces);
	hl_subject_release(&s);
	hl_names_free(names);
	return err;
}

static int stats(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = hl_query_parse(&q, verb, argc, argv, HL_OPERANDS_MANY, &first, d);
	if (!err)
		err = hl_grouping_check(&q.grouping, d);
	if (!err)
		err = answer(&q, argv + first, (size_t)(argc - first), cli->progress, d);
	hl_query_release(&q);
	return err;
}

const struct hl_verb hl_verb_stats = {
	.name = "stats",
	.summary = "show which lines hold memory at a moment of a trace, or of several",
	.operands = "TRACE[@SNAP]...",
	.options = options,
	.main = stats};
