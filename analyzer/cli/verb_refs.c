/*
 * verb_refs.c - heapledger refs: who points at a block, what it points at, and what holds it.  Floor: cli.
 */
#include "analyzer/analysis/refs.h"
#include "analyzer/cli/leaksubject.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include <inttypes.h>

static const struct hl_option options[] = {
	{'n', "number", "N", "show N pointers each way (default 10; 0: all)"},
	HL_HEURISTIC_OPTION,
	HL_STACK_OPTIONS,
	{HL_Q_FORMAT, "format", "FORMAT", "text (default) or json"},
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

static int answer(struct hl_leak_subject *l, const struct hl_query *q, uint64_t address, struct hl_diag *d)
{
	struct hl_refs refs = {0};
	struct hl_pager pager;
	int err;

	if (!hl_leak_subject_answers(l, 0))
		return 4;
	err = hl_refs_find(&refs, &l->graph, &l->calls, l->s.symbols, address, d);
	if (err == HL_ERR_NOTFOUND) {
		fprintf(stderr, "no block lived at 0x%" PRIx64 ": heapledger block tells its past\n",
			address);
		if (q->format != &hl_format_text) {
			refs = (struct hl_refs){.trace = l->s.path, .asked = address};
			q->format->refs(stdout, &q->style, &refs);
		}
		return 0;
	}
	if (err)
		return err;
	hl_pager_start(&pager, q->pager && q->format == &hl_format_text);
	q->format->refs(stdout, &q->style, &refs);
	hl_pager_end(&pager);
	fprintf(stderr, "pointers: %s\n", hl_leak_subject_tier(l));
	hl_refs_release(&refs);
	return hl_notes_warnings(&l->s) ? 4 : 0;
}

static int refs_main(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct hl_leak_subject l = {0};
	uint64_t address = 0;
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	q.variables = 1;
	err = hl_query_parse(&q, verb, argc, argv, 2, &first, d);
	if (!err && !q.format->refs)
		err = hl_fail(d, HL_ERR_USAGE, "refs: --format %s: text or json", q.format->name);
	if (!err)
		err = hl_parse_address(argv[first + 1], "refs", &address, d);
	if (!err)
		err = hl_leak_subject_open(&l, argv[first], &q, NULL, names, d);
	if (!err) {
		err = answer(&l, &q, address, d);
		hl_leak_subject_release(&l);
	}
	hl_query_release(&q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_refs = {.name = "refs",
				     .summary = "show who points at a block, and what keeps it",
				     .operands = "TRACE[@SNAP] ADDRESS",
				     .options = options,
				     .main = refs_main};
