/*
 * verb_block.c - heapledger block: what is or was at an address.  Floor: cli.
 */
#include "analyzer/analysis/history.h"
#include "analyzer/analysis/marks.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include "analyzer/cli/subject.h"
#include <inttypes.h>
#include <stdlib.h>

static const struct hl_option options[] = {
	{'n', "number", "N", "show the N newest blocks (default 10; 0: all)"},
	HL_STACK_OPTIONS,
	HL_FORMAT_OPTION,
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

static void print(const struct hl_history *h, const struct hl_query *q)
{
	struct hl_pager pager;

	hl_pager_start(&pager, q->pager && q->format == &hl_format_text);
	q->format->history(stdout, &q->style, h);
	hl_pager_end(&pager);
	if (q->format != &hl_format_text)
		return;
	fflush(stdout);
	if (!h->lives)
		fprintf(stderr, "no block was at 0x%" PRIx64 "\n", h->address);
	else if (h->lives > h->n)
		fprintf(stderr, "%" PRIu64 " of %" PRIu64 " blocks that were there\n", (uint64_t)h->n,
			h->lives);
	if (h->stackless)
		fputs("hint: run --free-stacks records where blocks are freed\n", stderr);
}

static int block(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct hl_history h = {0};
	struct hl_subject s = {0};
	uint64_t address = 0;
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = hl_query_parse(&q, verb, argc, argv, 2, &first, d);
	if (!err)
		err = hl_parse_address(argv[first + 1], "block", &address, d);
	if (!err)
		err = hl_subject_open(&s, argv[first], &q, names, d);
	if (!err && !s.trace)
		err = hl_fail(d, HL_ERR_USAGE, "block: %.300s: an extracted snapshot holds no single blocks",
			      argv[first]);
	if (!err)
		err = hl_history_load(&h, &(struct hl_calls){s.trace, names, s.stacks}, address, s.until,
				      q.style.limit, &s.counts, d);
	if (!err) {
		print(&h, &q);
		s.totals.lost = hl_subject_lost(s.trace);
		s.nothing = hl_trace_is_empty(s.trace);
		err = hl_notes_warnings(&s) ? 4 : 0;
	}
	hl_history_release(&h);
	hl_subject_release(&s);
	hl_query_release(&q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_block = {.name = "block",
				      .summary = "show what is or was at an address",
				      .operands = "TRACE[@SNAP] ADDRESS",
				      .options = options,
				      .main = block};
