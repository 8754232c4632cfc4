/*
 * subject.h - TRACE[@SNAP] or an extracted snapshot, opened and summed up: what stats, diff and
 * extract ask questions about.  Floor: cli.
 */
#ifndef HL_CLI_SUBJECT_H
#define HL_CLI_SUBJECT_H

#include "analyzer/analysis/collect.h"
#include "analyzer/analysis/snapfile.h"
#include "analyzer/cli/query.h"

struct hl_subject {
	char *path, *label;
	struct hl_trace *trace; /* NULL: an extracted snapshot */
	struct hl_symbols *symbols;
	struct hl_stacks *stacks;
	struct hl_heap heap;
	struct hl_provenance provenance; /* of an extracted snapshot */
	struct hl_replay_counts counts;  /* of a trace, once its heap is loaded */
	uint64_t until, since, shared_until;
	struct hl_snapshot_ref ref;
	struct hl_totals totals;
	int nothing; /* the trace holds no event at all */
};

/* Open operand for the query; names is shared by all subjects of one question.  On failure s is
 * released.  HL_ERR_IO, FORMAT, NOTFOUND, USAGE (the query needs a trace, this is none). */
int hl_subject_open(struct hl_subject *s, const char *operand, const struct hl_query *q,
		    struct hl_names *names, struct hl_diag *d);
void hl_subject_release(struct hl_subject *s);
/* Load the heap and group it.  The caller frees rows->row.  full: all fields of a row, peaks too, are
 * wanted. */
int hl_subject_rows(struct hl_subject *s, const struct hl_query *q, int full, int progress,
		    struct hl_rows *rows, struct hl_diag *d);
/* Load the heap only. */
int hl_subject_load(struct hl_subject *s, const struct hl_query *q, struct hl_view *view, int progress,
		    struct hl_diag *d);
/* Of a trace whose counts are loaded. */
struct hl_totals hl_subject_totals(const struct hl_subject *s);
/* 1: both are moments of one process image. */
int hl_subject_same_process(const struct hl_subject *a, const struct hl_subject *b);
/* Before both are loaded for a comparison: what the blocks that live at both moments add to the errors of
 * estimates cancels, if both are moments of one trace (two extracted snapshots do not say which these are). */
void hl_subject_share(struct hl_subject *a, struct hl_subject *b);
/* The uuid of the run as 32 hex digits. */
void hl_subject_uuid(const struct hl_subject *s, char hex[33]);

/* Events that were not recorded. */
uint64_t hl_subject_lost(const struct hl_trace *t);
/* Seconds from the start of the traced process to a stamp. */
double hl_subject_seconds(struct hl_trace *t, uint64_t stamp);

#endif
