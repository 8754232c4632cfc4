/*
 * kinds.h - kinds of leaks on the command line.  Floor: cli.
 */
#ifndef HL_CLI_KINDS_H
#define HL_CLI_KINDS_H

#include "analyzer/analysis/leak_kind.h"
#include "analyzer/base/diag.h"

/* "definite,possible" or "all" to 1 << enum hl_leak_kind each.  HL_ERR_USAGE. */
int hl_kinds_parse(const char *list, const char *option, unsigned *kinds, struct hl_diag *d);

#endif
