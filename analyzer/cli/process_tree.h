/*
 * process_tree.h - the traces of one run, as the tree of its processes.  Floor: cli.
 */
#ifndef HL_CLI_PROCESS_TREE_H
#define HL_CLI_PROCESS_TREE_H

#include "analyzer/input/trace.h"
#include "analyzer/report/report.h"

struct hl_process_tree {
	struct hl_table table; /* its cells and strings are the tree's own */
	struct hl_cell *cells;
	uint32_t *indent;
	char **strings;
	size_t nstrings, room;
};

/* What lies beside t in its directory and is of the same run, t included: parents before children, those of one
 * parent in the order of their starts; an image that exec made stands under the one before it.  A trace that
 * cannot be read is left out. */
void hl_process_tree_read(struct hl_process_tree *tree, struct hl_trace *t);
void hl_process_tree_release(struct hl_process_tree *tree);
/* "exit", "signal"... */
const char *hl_end_name(enum hl_end end);

#endif
