/*
 * verb_check.c - heapledger check: does a program leak?  Floor: cli.
 */
#include "analyzer/base/buf.h"
#include "analyzer/cli/check.h"
#include "analyzer/cli/files.h"
#include "analyzer/cli/kinds.h"
#include "analyzer/cli/pager.h"
#include "analyzer/cli/verbs.h"
#include "analyzer/collect/mail.h"
#include "analyzer/collect/supervise.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OPTION_FAIL_ON = HL_Q_OWN,
	OPTION_MAX_LEAKED,
	OPTION_MAX_PEAK,
	OPTION_MAX_GROWTH,
	OPTION_SUPPRESSIONS,
	OPTION_BASELINE,
	OPTION_UPDATE,
	OPTION_GEN,
	OPTION_SOURCE_ROOT,
	OPTION_FOLLOW,
	OPTION_INHERITED,
	OPTION_FORMAT,
	OPTION_SHOW,
	OPTION_REPORT,
	OPTION_PROCESS
};

static const struct hl_option options[] = {
	{OPTION_FAIL_ON, "fail-on", "KINDS",
	 "kinds that fail: definite (default), indirect, possible, reachable, all, none"},
	{OPTION_SHOW, "show", "KINDS", "list these kinds, too, without failing for them"},
	{OPTION_MAX_LEAKED, "max-leaked", "BYTES", "so much of it may be leaked, over all processes"},
	{OPTION_MAX_PEAK, "max-peak", "BYTES", "no process may ever have more live"},
	{OPTION_MAX_GROWTH, "max-growth", "SIZE",
	 "no stack's live bytes may grow in every snapshot, and by more in all"},
	{OPTION_SUPPRESSIONS, "suppressions", "FILE",
	 "leaks that are known, as LeakSanitizer or valgrind take them; repeatable"},
	{OPTION_BASELINE, "baseline", "FILE", "only leaks that are not in it, or have grown, fail"},
	{OPTION_UPDATE, "update-baseline", NULL, "write what leaks now to the baseline"},
	{OPTION_GEN, "gen-suppressions", "lsan|valgrind", "print entries that suppress what fails"},
	{HL_Q_ERROR_STATUS, "error-exitcode", "N", "end with status N when it fails (default 99)"},
	{OPTION_FORMAT, "format", "FORMAT",
	 "text (default), json, csv, sarif, junit, github, gitlab, valgrind, valgrind-xml"},
	{OPTION_REPORT, "report", "FILE", "write the report to FILE (default: standard output)"},
	{'q', "quiet", NULL, "text: nothing when it passes; valgrind: what is lost only"},
	{OPTION_SOURCE_ROOT, "source-root", "DIR",
	 "sarif, github, gitlab: paths are relative to DIR (default .)"},
	{'o', "output", "FILE", "with a command: keep its traces, as run -o FILE"},
	{OPTION_FOLLOW, "follow", "all|none|GLOB", "with a command: which started programs to trace"},
	{OPTION_PROCESS, "process", "PID", "judge the last pointer image of a process that runs under trace"},
	{OPTION_INHERITED, "inherited", NULL, "also blocks that a parent allocated before the fork"},
	HL_HEURISTIC_OPTION,
	{'n', "number", "N", "show N losses of each process (default 0: all)"},
	HL_STACK_OPTIONS,
	HL_SYMBOL_OPTIONS,
	HL_TERMINAL_OPTIONS,
	{0}};

static int parse_format(struct hl_check_job *j, const char *arg, struct hl_diag *d)
{
	j->format = hl_check_format_find(arg);
	return j->format ? HL_OK
			 : hl_fail(d, HL_ERR_USAGE, "--format: no format '%.100s': %s", arg,
				   hl_check_format_list());
}

static int parse_gen(struct hl_check_job *j, const char *arg, struct hl_diag *d)
{
	j->gen = !strcmp(arg, "lsan")       ? HL_GEN_LSAN
		 : !strcmp(arg, "valgrind") ? HL_GEN_VALGRIND
					    : HL_GEN_NONE;
	return j->gen ? HL_OK
		      : hl_fail(d, HL_ERR_USAGE, "--gen-suppressions: lsan or valgrind, not '%.100s'", arg);
}

static int parse_bytes(const char *arg, const char *name, uint64_t *v, struct hl_diag *d)
{
	unsigned long long bytes;
	int err = hl_parse_size(arg, name, &bytes, d);

	if (!err)
		*v = bytes;
	return err;
}

static int parse_one(struct hl_check_job *j, int id, const char *arg, struct hl_diag *d)
{
	int err;

	switch (id) {
	case OPTION_FAIL_ON:
		j->fail_kinds = 0;
		return strcmp(arg, "none") ? hl_kinds_parse(arg, "fail-on", &j->fail_kinds, d) : HL_OK;
	case OPTION_SHOW:
		return hl_kinds_parse(arg, "show", &j->show_kinds, d);
	case OPTION_PROCESS:
		return hl_parse_uint(arg, "process", 1, INT_MAX, &j->pid, d);
	case OPTION_REPORT:
		j->report = arg;
		return HL_OK;
	case 'q':
		j->quiet = 1;
		return HL_OK;
	case HL_Q_ERROR_STATUS:
		return hl_parse_uint(arg, "error-exitcode", 0, 255, &j->status, d);
	case OPTION_MAX_LEAKED:
		return parse_bytes(arg, "max-leaked", &j->max_leaked, d);
	case OPTION_MAX_PEAK:
		return parse_bytes(arg, "max-peak", &j->max_peak, d);
	case OPTION_MAX_GROWTH:
		return parse_bytes(arg, "max-growth", &j->max_growth, d);
	case OPTION_SUPPRESSIONS:
		hl_words_add(&j->suppressions, arg);
		return HL_OK;
	case OPTION_BASELINE:
		j->baseline = arg;
		return HL_OK;
	case OPTION_UPDATE:
		j->update_baseline = 1;
		return HL_OK;
	case OPTION_GEN:
		return parse_gen(j, arg, d);
	case OPTION_FORMAT:
		return parse_format(j, arg, d);
	case OPTION_SOURCE_ROOT:
		j->source_root = arg;
		return HL_OK;
	case OPTION_FOLLOW:
		j->follow = arg;
		return HL_OK;
	case OPTION_INHERITED:
		j->inherited = 1;
		return HL_OK;
	case 'o':
		j->output = arg;
		return HL_OK;
	default:
		err = hl_query_option(&j->q, id, arg, d);
		return err > 0 ? HL_OK : err;
	}
}

/* *command: where the command begins, NULL: the operands are traces. */
static int parse(struct hl_check_job *j, const struct hl_verb *v, int argc, char **argv, int *first,
		 char ***command, struct hl_diag *d)
{
	struct hl_options o;
	const char *arg;
	int id, end = 0, err = HL_OK;

	while (end < argc && strcmp(argv[end], "--"))
		end++;
	*command = end < argc ? argv + end + 1 : NULL;
	hl_options_start(&o, v, end, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0)
		if (!err)
			err = parse_one(j, id, arg, d);
	if (err || id)
		return err ? err : id;
	*first = o.next;
	if (j->pid && (*command || o.next < end))
		return hl_fail(d, HL_ERR_USAGE, "--process: without traces and without a command");
	if (j->pid)
		return HL_OK;
	if (*command && (!**command || o.next < end))
		return hl_fail(d, HL_ERR_USAGE, "check: traces, or -- and a command");
	if (j->update_baseline && !j->baseline)
		return hl_fail(d, HL_ERR_USAGE, "--update-baseline: needs --baseline FILE");
	return *command ? HL_OK : hl_check_operands(v, end, argv, o.next, HL_OPERANDS_MANY, d);
}

/* An entry that is there already is taken away. */
static void drop_repeated(struct hl_buf *out, size_t mark)
{
	size_t n = out->len - mark;

	for (const char *p = (const char *)out->data; (size_t)(p - (const char *)out->data) + n <= mark;
	     p++) {
		if (!memcmp(p, out->data + mark, n)) {
			out->len = mark;
			return;
		}
		p = memchr(p, '\n', mark - (size_t)(p - (const char *)out->data));
		if (!p)
			return;
	}
}

static void print_generated(FILE *to, const struct hl_check_job *j)
{
	struct hl_buf out = {0};

	for (size_t i = 0; i < j->n; i++)
		for (size_t k = 0; k < j->process[i].n; k++) {
			const struct hl_loss *l = &j->process[i].loss[k];
			size_t mark = out.len;

			if (!l->fails)
				continue;
			if (j->gen == HL_GEN_LSAN)
				hl_suppressions_generate_lsan(&out, l->traceback, j->names);
			else
				hl_suppressions_generate_valgrind(&out, l->kind, l->entry, l->traceback,
								  j->names);
			drop_repeated(&out, mark);
		}
	fwrite(out.data, 1, out.len, to);
	hl_buf_release(&out);
}

static void write_to(FILE *out, const struct hl_check_job *j, int status)
{
	struct hl_check check = {.process = j->process, .n = j->n, .judged = 1, .status = status};
	const char *summary = getenv("GITHUB_STEP_SUMMARY");
	char *root = realpath(j->source_root ? j->source_root : ".", NULL);
	struct hl_check_style style = {.rows = j->q.style, .source_root = root, .quiet = j->quiet};

	if (j->format == &hl_check_github && summary && *summary)
		style.summary = fopen(summary, "a");
	j->format->write(out, &style, &check);
	if (j->gen)
		print_generated(out, j);
	if (style.summary)
		fclose(style.summary);
	free(root);
}

static int print(const struct hl_check_job *j, int status, struct hl_diag *d)
{
	struct hl_pager pager;
	FILE *out;
	int bad;

	if (j->quiet && !status && j->format == &hl_check_text && !j->gen)
		return HL_OK;
	if (!j->report) {
		hl_pager_start(&pager, j->q.pager && j->format == &hl_check_text);
		write_to(stdout, j, status);
		hl_pager_end(&pager);
		return HL_OK;
	}
	/* what a device stands for may be a file, with something in it already */
	out = fopen(j->report, strncmp(j->report, "/dev/", 5) ? "we" : "ae");
	if (!out)
		return hl_fail(d, HL_ERR_IO, "%.300s: %s", j->report, strerror(errno));
	write_to(out, j, status);
	bad = ferror(out);
	return fclose(out) || bad ? hl_fail(d, HL_ERR_IO, "%.300s: cannot be written", j->report) : HL_OK;
}

/* The status of a command that could not be started or traced comes with its reason already printed. */
static int conclude(struct hl_check_job *j, int command, int status, struct hl_diag *d)
{
	int verdict = hl_check_judge(j), err;

	if (j->update_baseline && verdict != HL_CHECK_INCOMPLETE) {
		err = hl_check_baseline_write(j, d);
		return err ? err : 0;
	}
	err = print(j, verdict, d);
	if (err)
		return err;
	if (verdict == HL_CHECK_INCOMPLETE && j->became)
		hl_error("no verdict: the program was replaced by another one, of which there is no pointer "
			 "image");
	else if (verdict == HL_CHECK_INCOMPLETE && !j->n)
		hl_error("no verdict: nothing was recorded");
	if (verdict || !command)
		return verdict;
	fflush(stdout);
	hl_end_as(status);
}

static int check_process(struct hl_check_job *j, struct hl_diag *d)
{
	struct hl_found found = {0};
	int err = hl_mail_find(&found, (pid_t)j->pid, d);

	if (!err) {
		err = hl_mail_collect(&found, (pid_t)j->pid, d);
		hl_mail_release(&found);
	}
	return err ? err : hl_check_add(j, found.path, 1, d);
}

static int check_main(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv,
		      struct hl_diag *d)
{
	struct hl_check_job j = {.fail_kinds = 1u << HL_LEAK_DEFINITE,
				 .max_leaked = HL_CHECK_NO_LIMIT,
				 .max_peak = HL_CHECK_NO_LIMIT,
				 .max_growth = HL_CHECK_NO_LIMIT,
				 .status = HL_CHECK_STATUS,
				 .format = &hl_check_text,
				 .names = hl_names_new()};
	char **command = NULL;
	int first = 0, status = 0, err;

	hl_query_init(&j.q, cli);
	j.q.style.limit = 0;
	err = parse(&j, verb, argc, argv, &first, &command, d);
	if (!err)
		err = hl_check_read(&j, d);
	if (!err && command)
		err = hl_check_command(&j, command, &status, d);
	if (!err && j.pid)
		err = check_process(&j, d);
	for (int i = first; !err && !command && !j.pid && i < argc; i++)
		err = hl_check_add(&j, argv[i], i == first, d);
	if (!err && !command)
		err = hl_check_settle(&j, d);
	if (!err)
		err = WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127) && !j.n
			      ? WEXITSTATUS(status)
			      : conclude(&j, command != NULL, status, d);
	hl_check_release(&j);
	hl_query_release(&j.q);
	hl_names_free(j.names);
	return err;
}

const struct hl_verb hl_verb_check = {.name = "check",
				      .summary = "fail when a program leaks: for CI",
				      .operands = "TRACE... | -- COMMAND [ARG...]",
				      .options = options,
				      .main = check_main};
