/*
 * verb_leaks.c - heapledger leaks: what was lost at the end of a program, and what holds the rest.  Floor: cli.
 */
#include "analyzer/analysis/lostblocks.h"
#include "analyzer/cli/kinds.h"
#include "analyzer/cli/leaksubject.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/pager.h"
#include "analyzer/base/buf.h"
#include "analyzer/report/leaks.h"
#include <stdlib.h>

enum { OPTION_KINDS = HL_Q_OWN, OPTION_INHERITED };

static const struct hl_option options[] = {
	{OPTION_KINDS, "kinds", "LIST",
	 "of definite, indirect, possible, reachable (default definite,possible); all"},
	{OPTION_INHERITED, "inherited", NULL, "also blocks that the parent allocated before the fork"},
	HL_HEURISTIC_OPTION,
	HL_GROUP_OPTIONS,
	HL_FORMAT_OPTION,
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

struct request {
	struct hl_query q;
	const struct hl_check_format *format;
	unsigned kinds;
	int inherited, grouped;
};

static int parse(struct request *r, const struct hl_verb *v, int argc, char **argv, int *first,
		 struct hl_diag *d)
{
	struct hl_options o;
	const char *arg;
	int id, err = HL_OK;

	hl_options_start(&o, v, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0) {
		if (err)
			continue;
		if (id == OPTION_KINDS) {
			err = hl_kinds_parse(arg, "kinds", &r->kinds, d);
		} else if (id == OPTION_INHERITED) {
			r->inherited = 1;
		} else {
			r->grouped |= id == HL_Q_BY;
			err = hl_query_option(&r->q, id, arg, d);
			err = err > 0 ? HL_OK : err;
		}
	}
	if (err || id)
		return err ? err : id;
	*first = o.next;
	err = hl_check_operands(v, argc, argv, o.next, 1, d);
	return err ? err : hl_grouping_check(&r->q.grouping, d);
}

/* ---- rows by line and so on ---- */

/* site: of each block, HL_ID_NONE: it is in no row. */
static void fill_heap(struct hl_leak_subject *l, const struct request *r, uint32_t *site_of)
{
	const struct hl_graph *g = l->graph.graph;
	const struct hl_facts *f = hl_trace_facts(l->s.trace);

	for (uint32_t i = 0; i < hl_graph_nblocks(g); i++) {
		struct hl_graph_block b = hl_graph_block(g, i);
		const struct hl_owner *o = &l->graph.owner[b.user];
		enum hl_kind kind = o->domain == HL_DOMAIN_POOL ? HL_KIND_POOL
				    : o->entry == HL_ENTRY_NEW || o->entry == HL_ENTRY_NEW_ARRAY
					    ? HL_KIND_NEW
					    : HL_KIND_MALLOC;
		uint32_t site;

		site_of[i] = HL_ID_NONE;
		if (!(r->kinds >> b.kind & 1) || (o->inherited && !r->inherited))
			continue;
		site = hl_heap_site(&l->s.heap, o->stack, o->thread, kind, f);
		if (site == HL_ID_NONE)
			continue;
		site_of[i] = site;
		l->s.heap.sites[site].stat.size += b.size;
		l->s.heap.sites[site].stat.count++;
	}
}

/* What would go if the blocks of a row went.  site_of becomes the row of each block. */
static int find_retained(struct hl_leak_subject *l, struct hl_view *v, uint32_t *site_of,
			 struct hl_rows *rows, struct hl_diag *d)
{
	struct hl_graph *g = l->graph.graph;
	uint64_t *bytes;
	int err = hl_graph_retain(g, d);

	if (err)
		return err;
	for (uint32_t i = 0; i < hl_graph_nblocks(g); i++) {
		uint32_t row = site_of[i] == HL_ID_NONE ? HL_ID_NONE : hl_view_row_of_site(v, site_of[i]);

		site_of[i] = row == HL_ID_NONE ? HL_GRAPH_NONE : row;
	}
	bytes = hl_xcalloc((size_t)hl_view_nrows(v) + 1, sizeof(*bytes));
	hl_graph_retained_by(g, site_of, hl_view_nrows(v), bytes);
	for (size_t i = 0; i < rows->n; i++) {
		uint32_t row = hl_view_row_of_key(v, rows->row[i].key);

		rows->row[i].retained = row == HL_ID_NONE ? 0 : bytes[row];
	}
	rows->has_retained = 1;
	free(bytes);
	return HL_OK;
}

static int print_rows(struct hl_leak_subject *l, const struct request *r, struct hl_diag *d)
{
	uint32_t *site_of = hl_xmalloc(((size_t)hl_graph_nblocks(l->graph.graph) + 1) * sizeof(*site_of));
	struct hl_view *v = hl_view_new(&l->s.heap, &r->q.grouping, &r->q.filter, r->q.blame);
	struct hl_stats_report report = {.snapshot = l->s.ref, .totals = l->s.totals};
	struct hl_rows rows = {0};
	struct hl_pager pager;
	int err = HL_OK;

	fill_heap(l, r, site_of);
	hl_view_rows(v, HL_SORT_LIVE, 0, &rows);
	if (!r->q.grouping.cumulative)
		err = find_retained(l, v, site_of, &rows, d);
	free(site_of);
	if (err) {
		free(rows.row);
		hl_view_free(v);
		return err;
	}
	report.rows = &rows;
	hl_pager_start(&pager, r->q.pager && r->q.format == &hl_format_text);
	r->q.format->stats(stdout, &r->q.style, &report);
	hl_pager_end(&pager);
	if (r->q.format == &hl_format_text)
		hl_notes_totals(&l->s.totals, &rows, &r->q);
	fprintf(stderr, "pointers: %s\n", hl_leak_subject_tier(l));
	free(rows.row);
	hl_view_free(v);
	return HL_OK;
}

/* ---- losses ---- */

static void print_losses(struct hl_leak_subject *l, const struct request *r)
{
	const struct hl_process *p = &hl_trace_facts(l->s.trace)->process;
	struct hl_losses losses = {.program = p->exe,
				   .trace = l->s.path,
				   .command_line = p->cmdline,
				   .pid = p->pid,
				   .ppid = p->ppid,
				   .seconds = l->s.ref.seconds,
				   .tier = hl_leak_subject_tier(l),
				   .totals = l->s.totals};
	struct hl_check check = {.process = &losses, .n = 1};
	struct hl_check_style style = {.rows = r->q.style};
	struct hl_pager pager;

	hl_lost_find(&losses, &l->graph, &l->calls, r->kinds, r->inherited, NULL);
	hl_pager_start(&pager, r->q.pager && r->format == &hl_check_text);
	r->format->write(stdout, &style, &check);
	hl_pager_end(&pager);
	hl_lost_release(&losses);
}

/* For programs: that there is no answer is one. */
static void print_none(const struct hl_leak_subject *l, const struct request *r)
{
	const struct hl_process *p = &hl_trace_facts(l->s.trace)->process;
	struct hl_losses losses = {.program = p->exe,
				   .trace = l->s.path,
				   .command_line = p->cmdline,
				   .pid = p->pid,
				   .ppid = p->ppid,
				   .incomplete = 1,
				   .why_incomplete = hl_leak_subject_no_losses(l)};
	struct hl_check check = {.process = &losses, .n = 1};
	struct hl_check_style style = {.rows = r->q.style};

	if (!r->grouped && r->format != &hl_check_text)
		r->format->write(stdout, &style, &check);
}

static int answer(struct hl_leak_subject *l, const struct request *r, struct hl_diag *d)
{
	int err = HL_OK;

	if (!hl_leak_subject_answers(l, 1)) {
		print_none(l, r);
		return 4;
	}
	if (r->grouped)
		err = print_rows(l, r, d);
	else
		print_losses(l, r);
	if (err)
		return err;
	return hl_notes_warnings(&l->s) ? 4 : 0;
}

static int leaks(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct request r = {.kinds = 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_POSSIBLE};
	struct hl_leak_subject l = {0};
	int first = 0, err;

	hl_query_init(&r.q, cli);
	err = parse(&r, verb, argc, argv, &first, d);
	r.format = err ? NULL : hl_check_format_find(r.q.format->name);
	if (!err)
		err = hl_leak_subject_open(&l, argv[first], &r.q, NULL, names, d);
	if (!err) {
		err = answer(&l, &r, d);
		hl_leak_subject_release(&l);
	}
	hl_query_release(&r.q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_leaks = {.name = "leaks",
				      .summary =
					      "show what nothing points to any more, and what holds the rest",
				      .operands = "TRACE[@SNAP]",
				      .options = options,
				      .main = leaks};
