/*
 * verb_diff.c - heapledger diff: what changed between two moments.  Floor: cli.
 */
#include "analyzer/analysis/diff.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include "analyzer/cli/subject.h"
#include <stdlib.h>

static const struct hl_option options[] = {HL_GROUP_OPTIONS,  HL_FILTER_OPTIONS,   HL_FORMAT_OPTION,
					   HL_SYMBOL_OPTIONS, HL_TERMINAL_OPTIONS, {0}};

static void print(const struct hl_subject *old, const struct hl_subject *now, const struct hl_query *q,
		  const struct hl_diff *diff)
{
	struct hl_diff_report r = {old->ref, now->ref, old->totals, now->totals, diff};
	struct hl_pager pager;

	hl_pager_start(&pager, q->pager && q->format == &hl_format_text);
	q->format->diff(stdout, &q->style, &r);
	hl_pager_end(&pager);
	if (q->format == &hl_format_text)
		hl_notes_diff(diff, q);
}

static int diff(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct hl_subject old = {0}, now = {0};
	struct hl_rows old_rows = {0}, new_rows = {0};
	struct hl_diff result = {0};
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = hl_query_parse(&q, verb, argc, argv, 2, &first, d);
	if (!err)
		err = hl_grouping_check(&q.grouping, d);
	if (!err)
		err = hl_subject_open(&old, argv[first], &q, names, d);
	if (!err)
		err = hl_subject_open(&now, argv[first + 1], &q, names, d);
	if (err)
		goto out;
	/* thread ids say nothing across processes */
	q.grouping.no_tid = !hl_subject_same_process(&old, &now);
	hl_subject_share(&old, &now);
	err = hl_subject_rows(&old, &q, 0, cli->progress, &old_rows, d);
	if (!err)
		err = hl_subject_rows(&now, &q, 0, cli->progress, &new_rows, d);
	if (err)
		goto out;
	hl_diff_rows(&old_rows, &new_rows, &result);
	print(&old, &now, &q, &result);
	hl_notes_exact(&old, &now);
	hl_notes_exact(&now, &old);
	err = hl_notes_warnings(&old);
	err = hl_notes_warnings(&now) || err ? 4 : 0;
out:
	free(result.row);
	free(old_rows.row);
	free(new_rows.row);
	hl_subject_release(&old);
	hl_subject_release(&now);
	hl_query_release(&q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_diff = {.name = "diff",
				     .summary = "show what changed between two moments or two traces",
				     .operands = "OLD[@SNAP] NEW[@SNAP]",
				     .options = options,
				     .main = diff};
