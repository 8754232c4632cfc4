/*
 * verb_doctor.c - heapledger doctor: would `run` trace this command?  Floor: cli.
 */
#include "analyzer/cli/verbs.h"
#include "analyzer/collect/target.h"
#include "analyzer/report/label.h"
#include <stdio.h>
#include <stdlib.h>

static const struct hl_option options[] = {{0, NULL, NULL, NULL}};

static int doctor_main(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv,
		       struct hl_diag *d)
{
	static const char *const words[] = {"ok", "warning", "refused"};
	struct hl_options o;
	struct hl_target *t;
	const char *arg;
	int id, refused;

	(void)cli;
	hl_options_start(&o, verb, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0)
		;
	if (id < 0)
		return id;
	if (o.next >= argc)
		return hl_fail(d, HL_ERR_USAGE, "doctor: no command; see heapledger doctor --help");
	t = hl_xmalloc(sizeof(*t));
	hl_target_check(t, argv[o.next], 1);
	for (unsigned i = 0; i < t->nchecks; i++) {
		const struct hl_check *c = &t->checks[i];

		printf("%-8s %-12s ", words[c->verdict], c->name);
		hl_put_escaped(stdout, c->text, HL_ESCAPE_TERMINAL);
		putchar('\n');
	}
	refused = t->status != 0;
	free(t);
	return refused ? 125 : 0;
}

const struct hl_verb hl_verb_doctor = {
	.name = "doctor",
	.summary = "say whether a command can be traced, and what it would lack",
	.operands = "COMMAND",
	.options = options,
	.stop_at_operand = 1,
	.main = doctor_main,
};
