/*
 * snapref.h - TRACE@SNAP on the command line.  Floor: cli.
 */
#ifndef HL_CLI_SNAPREF_H
#define HL_CLI_SNAPREF_H

#include "analyzer/analysis/marks.h"
#include "analyzer/analysis/result.h"

/* Split "TRACE@SNAP" at its last '@'; a file that has the whole name is a TRACE, as is a name whose
 * part before the '@' is no file either (so that the error names what was typed).  Both malloc'd;
 * *snap NULL: none was given.  HL_ERR_USAGE: nothing after the '@'. */
int hl_snapref_split(const char *operand, char **path, char **snap, struct hl_diag *d);

/* The moment that snap ("end", "peak", a number, a label; NULL: end) means in t.  *until: replay events
 * with a stamp up to it, UINT64_MAX for the end.  ref: at, number, label are filled in; the caller frees
 * ref->label.  HL_ERR_NOTFOUND. */
int hl_snapref_resolve(struct hl_trace *t, const char *snap, uint64_t *until, struct hl_snapshot_ref *ref,
		       struct hl_diag *d);

#endif
