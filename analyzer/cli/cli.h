/*
 * cli.h - verbs and their options: one table per verb feeds the parser, --help, the man page and the
 * completions; tests/e2e holds them together.  Floor: cli.
 */
#ifndef HL_CLI_CLI_H
#define HL_CLI_CLI_H

#include "analyzer/base/diag.h"
#include <stdint.h>
#include <stdio.h>

struct hl_option {
	int id; /* > 0; what hl_options_next returns; a printable ASCII char is also its short name */
	const char *name;     /* long name without dashes */
	const char *argument; /* placeholder ("FILE"), NULL: takes none */
	const char *help;     /* one line */
};

/* The one context of the program. */
struct hl_cli {
	const char *program; /* argv[0] */
	int color;           /* 1: colour on stdout */
	int progress;        /* 1: stderr is a terminal */
};

struct hl_verb {
	const char *name;
	const char *summary;             /* one line */
	const char *operands;            /* "TRACE[@SNAP]" */
	const struct hl_option *options; /* ends with { 0 } */
	int stop_at_operand;             /* 1: options end at the first operand (run, doctor) */
	/* Returns the exit status, or sets d and returns a negative enum hl_err; main prints d->text as
	 * "heapledger: TEXT" and maps the error to its status. argv[0] is the verb. */
	int (*main)(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d);
};

/* Iterate over the options of a verb: getopt_long underneath.  --help and --version are handled by
 * main before the verb runs. */
struct hl_options {
	const struct hl_verb *verb;
	int argc;
	char **argv;
	int next; /* after the end: index of the first operand in argv */
	void *state;
};
void hl_options_start(struct hl_options *o, const struct hl_verb *v, int argc, char **argv);
/* The id of the next option and its argument; 0 at the end; HL_ERR_USAGE with d set. */
int hl_options_next(struct hl_options *o, const char **arg, struct hl_diag *d);

/* Numbers on the command line: "64M", "10k" (powers of 1024), "30s", "5m".  HL_ERR_USAGE with one line. */
int hl_parse_size(const char *s, const char *option, unsigned long long *bytes, struct hl_diag *d);
int hl_parse_seconds(const char *s, const char *option, double *seconds, struct hl_diag *d);
int hl_parse_uint(const char *s, const char *option, unsigned long min, unsigned long max, unsigned long *v,
		  struct hl_diag *d);

/* An address as debuggers print it, with 0x or without; then digits alone are decimal.  HL_ERR_USAGE. */
int hl_parse_address(const char *s, const char *verb, uint64_t *address, struct hl_diag *d);

/* The verbs that exist: verb_run.c, verb_stats.c, ... */
extern const struct hl_verb hl_verb_run, hl_verb_stats, hl_verb_diff, hl_verb_info, hl_verb_snapshots,
	hl_verb_snapshot, hl_verb_extract, hl_verb_doctor, hl_verb_misuse, hl_verb_block, hl_verb_leaks,
	hl_verb_refs, hl_verb_check;

#endif
