/*
 * verb_stats.c - heapledger stats: the heap at one moment, by source line.  Floor: cli.
 */
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include "analyzer/cli/subject.h"
#include <stdlib.h>

enum { OPT_SORT = HL_Q_OWN };

static const struct hl_option options[] = {
	HL_GROUP_OPTIONS,
	{OPT_SORT, "sort", "FIELD", "live (default), peak, total, count or temporary"},
	HL_FILTER_OPTIONS,
	HL_FORMAT_OPTION,
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

static int parse(struct hl_query *q, const struct hl_verb *v, int argc, char **argv, int *first,
		 struct hl_diag *d)
{
	struct hl_options o;
	const char *arg;
	int id, err = HL_OK;

	hl_options_start(&o, v, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0) {
		if (err < 0)
			continue;
		err = id == OPT_SORT ? hl_sort_parse(arg, &q->sort, d) : hl_query_option(q, id, arg, d);
	}
	if (id < 0 || err < 0)
		return err < 0 ? err : id;
	*first = o.next;
	err = hl_check_operands(v, argc, argv, o.next, 1, d);
	return err ? err : hl_grouping_check(&q->grouping, d);
}

static void print(const struct hl_subject *s, const struct hl_query *q, const struct hl_rows *rows)
{
	struct hl_stats_report r = {s->ref, s->totals, rows};
	struct hl_pager pager;

	hl_pager_start(&pager, q->pager && q->format == &hl_format_text);
	q->format->stats(stdout, &q->style, &r);
	hl_pager_end(&pager);
	if (q->format == &hl_format_text)
		hl_notes_totals(s, rows, q);
}

static int stats(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct hl_subject s = {0};
	struct hl_rows rows = {0};
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = parse(&q, verb, argc, argv, &first, d);
	if (!err)
		err = hl_subject_open(&s, argv[first], &q, names, d);
	if (!err)
		err = hl_subject_rows(&s, &q, q.format != &hl_format_text, cli->progress, &rows, d);
	if (!err) {
		print(&s, &q, &rows);
		err = hl_notes_warnings(&s) ? 4 : 0;
	}
	free(rows.row);
	hl_subject_release(&s);
	hl_query_release(&q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_stats = {.name = "stats",
				      .summary = "show which lines hold memory at a moment of a trace",
				      .operands = "TRACE[@SNAP]",
				      .options = options,
				      .main = stats};
