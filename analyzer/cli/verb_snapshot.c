/*
 * verb_snapshot.c - heapledger snapshot: put a mark into the trace of a running program.  Floor: cli.
 */
#include "analyzer/cli/verbs.h"
#include "analyzer/collect/ask.h"
#include "analyzer/report/label.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_IMAGE = 256 };

static const struct hl_option options[] = {
	{'l', "label", "TEXT", "name of the snapshot (TRACE@TEXT)"},
	{OPTION_IMAGE, "image", NULL,
	 "with a pointer image, for leaks and refs: the process is copied and goes on"},
	{0, NULL, NULL, NULL}};

static int snapshot_main(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv,
			 struct hl_diag *d)
{
	const char *arg, *label = "";
	struct hl_options o;
	struct hl_found found;
	unsigned long pid;
	uint64_t stamp;
	int id, err, image = 0;

	(void)cli;
	hl_options_start(&o, verb, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0) {
		if (id == OPTION_IMAGE)
			image = 1;
		else
			label = arg;
	}
	if (id < 0)
		return id;
	if (o.next + 1 != argc)
		return hl_fail(d, HL_ERR_USAGE,
			       "snapshot: one process id is needed; see heapledger snapshot --help");
	if (strlen(label) >= sizeof(((struct hl_mail *)0)->label))
		return hl_fail(d, HL_ERR_USAGE, "--label: at most %zu bytes",
			       sizeof(((struct hl_mail *)0)->label) - 1);
	if (hl_parse_uint(argv[o.next], "", 1, INT_MAX, &pid, d) < 0)
		return hl_fail(d, HL_ERR_USAGE, "snapshot: '%s' is not a process id", argv[o.next]);
	err = hl_mail_find(&found, (pid_t)pid, d);
	if (!err) {
		err = image ? hl_ask_image(&found, (pid_t)pid, label, &stamp, d)
			    : hl_mail_snapshot(&found, (pid_t)pid, label, &stamp, d);
		hl_mail_release(&found);
	}
	if (err) {
		hl_error(d->text);
		return 1;
	}
	printf("snapshot of %lu: ", pid);
	hl_put_escaped(stdout, label, HL_ESCAPE_TERMINAL);
	printf("%sstamp %" PRIu64 "\n", *label ? ", " : "", stamp);
	return 0;
}

const struct hl_verb hl_verb_snapshot = {
	.name = "snapshot",
	.summary = "take a snapshot of a running traced program",
	.operands = "PID",
	.options = options,
	.main = snapshot_main,
};
