/*
 * kinds.h - kinds of leaks, and heuristics, on the command line.  Floor: cli.
 */
#ifndef HL_CLI_KINDS_H
#define HL_CLI_KINDS_H

#include "analyzer/analysis/graph.h"

/* "definite,possible" or "all" to 1 << enum hl_leak_kind each.  HL_ERR_USAGE. */
int hl_kinds_parse(const char *list, const char *option, unsigned *kinds, struct hl_diag *d);
/* "stdstring,newarray", "all" or "none" to a sum of enum hl_heuristic.  HL_ERR_USAGE. */
int hl_heuristics_parse(const char *list, const char *option, unsigned *heuristics, struct hl_diag *d);

#endif
