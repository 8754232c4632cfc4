/*
 * notes.h - what has to be said about rows, on stderr: totals, and all that makes them less than the
 * truth.  Floor: cli.
 */
#ifndef HL_CLI_NOTES_H
#define HL_CLI_NOTES_H

#include "analyzer/cli/subject.h"

/* Flushes stdout first, so that notes follow the rows on a terminal. */
void hl_notes_totals(const struct hl_totals *t, const struct hl_rows *rows, const struct hl_query *q);
void hl_notes_diff(const struct hl_diff *diff, const struct hl_query *q);
/* Of a comparison: which side is none of estimates, when the other is. */
void hl_notes_exact(const struct hl_subject *s, const struct hl_subject *other);
/* That it is a sample, losses, damage, disorder, missing names.  1: nothing was recorded, the report says nothing. */
int hl_notes_warnings(const struct hl_subject *s);
/* The part of it that needs a trace only. */
void hl_notes_trace(struct hl_trace *t, const struct hl_replay_counts *c);

#endif
