/*
 * verbs.h - the list of verbs, their options as text, and errors as statuses.  Floor: cli.
 */
#ifndef HL_CLI_VERBS_H
#define HL_CLI_VERBS_H

#include "analyzer/cli/cli.h"

/* All verbs, NULL-terminated, in the order of `heapledger --help`. */
extern const struct hl_verb *const hl_verbs[];
const struct hl_verb *hl_verb_find(const char *name);

/* Ids that hl_options_next returns for what every verb takes; main has seen them before the verb. */
enum { HL_OPTION_HELP = 0x7ffffffe, HL_OPTION_VERSION = 0x7fffffff };

/* `heapledger --help` and `heapledger VERB --help`, from the tables. */
void hl_help(FILE *out);
void hl_help_verb(FILE *out, const struct hl_verb *v);

/* "heapledger: TEXT" in one line, fit for a terminal. */
void hl_error(const char *text);
/* The exit status of an error. */
int hl_error_status(enum hl_err err);

#endif
