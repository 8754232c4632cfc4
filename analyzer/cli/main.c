/*
 * main.c - find the verb, run it, turn its result into one line and a status.  Floor: cli.
 */
#include "analyzer/cli/verbs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything on stdout must have arrived: a full disk is an error, a reader that went away is none
 * of ours (and SIGPIPE, unless somebody ignores it, has ended us already). */
static int close_stdout(int status)
{
	int failed = ferror(stdout), saved = errno;

	if (fflush(stdout)) {
		failed = 1;
		saved = errno;
	}
	if (!failed)
		return status;
	if (saved == EPIPE)
		return status;
	fprintf(stderr, "heapledger: cannot write to standard output: %s\n", strerror(saved));
	return 1;
}

/* 1: --help or --version was among the options and is done.  Errors are left to the verb. */
static int help_asked(const struct hl_verb *v, int argc, char **argv)
{
	char **copy = hl_xcalloc((size_t)argc + 1, sizeof(*copy)); /* getopt_long moves operands */
	struct hl_diag ignored;
	struct hl_options o;
	const char *arg;
	int id, done = 0;

	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	hl_options_start(&o, v, argc, copy);
	while ((id = hl_options_next(&o, &arg, &ignored)) > 0) {
		if (done)
			continue;
		if (id == HL_OPTION_HELP)
			hl_help_verb(stdout, v);
		if (id == HL_OPTION_VERSION)
			puts("heapledger " HL_VERSION);
		done = id == HL_OPTION_HELP || id == HL_OPTION_VERSION;
	}
	free(copy);
	return done;
}

static int run_verb(struct hl_cli *cli, int argc, char **argv)
{
	const struct hl_verb *v = hl_verb_find(argv[0]);
	struct hl_diag d = {HL_OK, ""};
	int result;

	if (!v) {
		hl_fail(&d, HL_ERR_USAGE, "unknown verb '%.200s'; see heapledger --help", argv[0]);
		hl_error(d.text);
		return 2;
	}
	if (help_asked(v, argc, argv))
		return 0;
	result = v->main(cli, v, argc, argv, &d);
	if (result >= 0)
		return result;
	fflush(stdout);
	hl_error(d.text);
	return hl_error_status((enum hl_err)result);
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct hl_cli cli = {.program = argv[0], .progress = isatty(STDERR_FILENO)};
	int status = 0;

	cli.color = isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
	if (argc < 2) {
		hl_error("no verb; see heapledger --help");
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		hl_help(stdout);
	else if (!strcmp(argv[1], "--version"))
		puts("heapledger " HL_VERSION);
	else if (argv[1][0] == '-') {
		struct hl_diag d;

		hl_fail(&d, HL_ERR_USAGE, "unknown option '%.200s'; see heapledger --help", argv[1]);
		hl_error(d.text);
		return 2;
	} else
		status = run_verb(&cli, argc - 1, argv + 1);
	return close_stdout(status);
}
