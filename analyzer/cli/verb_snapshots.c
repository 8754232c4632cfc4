/*
 * verb_snapshots.c - heapledger snapshots: the moments that @SNAP can name.  Floor: cli.
 */
#include "analyzer/analysis/marks.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/subject.h"
#include "analyzer/report/sizes.h"
#include <stdlib.h>

static const struct hl_option options[] = {HL_FORMAT_OPTION, {0}};
static const char *const columns[] = {"snapshot", "seconds", "label",      "reason",
				      "size",     "count",   "size_error", "count_error"};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), EXACT_COLUMNS = COLUMNS - 2 };

static void fill(struct hl_cell *row, const struct hl_snapshot *m, double seconds, int sampled)
{
	row[0] = m->number ? (struct hl_cell){.type = HL_CELL_NUMBER, .number = m->number}
			   : (struct hl_cell){.type = HL_CELL_TEXT, .text = "end"};
	row[1] = (struct hl_cell){.type = HL_CELL_SECONDS, .real = seconds};
	row[2] = *m->label ? (struct hl_cell){.type = HL_CELL_TEXT, .text = m->label}
			   : (struct hl_cell){.type = HL_CELL_NONE};
	row[3] = (struct hl_cell){.type = HL_CELL_TEXT, .text = hl_mark_name(m->reason)};
	row[4] = (struct hl_cell){.type = HL_CELL_SIZE, .number = m->live_bytes};
	row[5] = (struct hl_cell){.type = HL_CELL_NUMBER, .number = m->live_blocks};
	row[6] = row[7] = (struct hl_cell){.type = HL_CELL_NONE};
	if (!sampled)
		return;
	row[6] = (struct hl_cell){.type = HL_CELL_SIZE, .number = hl_error_bytes(m->live_bytes_error)};
	row[7] = (struct hl_cell){.type = HL_CELL_RATIO, .real = hl_error_blocks(m->live_blocks_error)};
}

static int print(const struct hl_query *q, const char *path, struct hl_diag *d)
{
	struct hl_trace *t;
	struct hl_snapshots s = {0};
	struct hl_replay_counts counts;
	struct hl_cell *cells;
	size_t ncolumns;
	int empty, err = hl_trace_open(&t, path, d);

	if (err)
		return err;
	err = hl_snapshots_replay(t, &s, &counts, d);
	if (err)
		goto out;
	/* people are spared columns of nothing; programs find the same ones always */
	ncolumns = q->format == &hl_format_text && !counts.sample_bytes ? EXACT_COLUMNS : COLUMNS;
	cells = hl_xcalloc(s.n * ncolumns + COLUMNS, sizeof(*cells));
	for (size_t i = 0; i < s.n; i++)
		fill(cells + i * ncolumns, &s.s[i], hl_subject_seconds(t, s.s[i].stamp),
		     counts.sample_bytes != 0);
	q->format->table(stdout, &q->style,
			 &(struct hl_table){.name = "snapshots",
					    .trace = path,
					    .columns = columns,
					    .ncolumns = ncolumns,
					    .cells = cells,
					    .nrows = s.n});
	free(cells);
	fflush(stdout);
	hl_notes_trace(t, &counts);
	empty = hl_trace_is_empty(t);
	if (empty)
		fprintf(stderr, "error: nothing was recorded\n");
	err = empty ? 4 : 0;
out:
	hl_snapshots_release(&s);
	hl_trace_close(t);
	return err;
}

static int snapshots(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = hl_query_parse(&q, verb, argc, argv, 1, &first, d);
	if (!err)
		err = print(&q, argv[first], d);
	hl_query_release(&q);
	return err;
}

const struct hl_verb hl_verb_snapshots = {.name = "snapshots",
					  .summary = "list the snapshots of a trace",
					  .operands = "TRACE",
					  .options = options,
					  .main = snapshots};
