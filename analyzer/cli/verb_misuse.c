/*
 * verb_misuse.c - heapledger misuse: frees that were wrong.  Floor: cli.
 */
#include "analyzer/analysis/marks.h"
#include "analyzer/analysis/misuse.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include "analyzer/cli/subject.h"
#include <inttypes.h>
#include <stdlib.h>

static const struct hl_option options[] = {
	{HL_Q_ERROR_STATUS, "error-exitcode", "N", "end with status N when there are any (default 0)"},
	{'n', "number", "N", "show N rows (default 10; 0: all)"},
	HL_STACK_OPTIONS,
	HL_FORMAT_OPTION,
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

static void print(const struct hl_misuses *all, const struct hl_query *q)
{
	struct hl_pager pager;

	hl_pager_start(&pager, q->pager && q->format == &hl_format_text);
	q->format->misuses(stdout, &q->style, all);
	hl_pager_end(&pager);
	if (q->format != &hl_format_text)
		return;
	fflush(stdout);
	fprintf(stderr, "double frees: %" PRIu64 ", invalid: %" PRIu64 ", mismatched: %" PRIu64 "\n",
		all->count[HL_MISUSE_DOUBLE], all->count[HL_MISUSE_INVALID],
		all->count[HL_MISUSE_MISMATCHED]);
	if (all->stackless)
		fputs("hint: run --free-stacks records where blocks are freed\n", stderr);
	if (all->lost && all->count[HL_MISUSE_INVALID])
		fputs("warning: events were lost: an invalid free may be of a block whose allocation was\n",
		      stderr);
}

/* The names of what is found stay when the trace is closed. */
static int add(struct hl_misuses *all, const char *operand, const struct hl_query *q, struct hl_names *names,
	       size_t *nothing, struct hl_diag *d)
{
	struct hl_subject s;
	int err = hl_subject_open(&s, operand, q, names, d);

	if (err)
		return err;
	if (!s.trace || s.until != UINT64_MAX)
		err = hl_fail(d, HL_ERR_USAGE, "misuse: %.300s: needs a trace, not a moment of one", operand);
	else
		err = hl_misuses_add(all, s.trace, operand, names, s.stacks, &s.counts, d);
	if (!err) {
		s.totals.lost = hl_subject_lost(s.trace);
		all->lost += s.totals.lost;
		s.nothing = hl_trace_is_empty(s.trace);
		/* all that could be said of them is said already */
		s.counts.unexplained_frees = s.counts.mismatched_frees = 0;
		*nothing += (size_t)hl_notes_warnings(&s);
	}
	hl_subject_release(&s);
	return err;
}

static int misuse(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct hl_misuses all = {0};
	size_t nothing = 0, n = 0;
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = hl_query_parse(&q, verb, argc, argv, HL_OPERANDS_MANY, &first, d);
	for (int i = first; !err && i < argc; i++, n++)
		err = add(&all, argv[i], &q, names, &nothing, d);
	if (!err) {
		print(&all, &q);
		err = all.n ? (int)q.error_status : nothing == n ? 4 : 0;
	}
	hl_misuses_release(&all);
	hl_query_release(&q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_misuse = {.name = "misuse",
				       .summary =
					       "show blocks freed twice, wrongly, or by the wrong function",
				       .operands = "TRACE...",
				       .options = options,
				       .main = misuse};
