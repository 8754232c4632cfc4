/*
 * verbs.c - the list of verbs.  Floor: cli.
 */
#include "analyzer/cli/verbs.h"
#include "analyzer/report/label.h"
#include <string.h>

const struct hl_verb *const hl_verbs[] = {&hl_verb_run,      &hl_verb_stats,
					  &hl_verb_diff,     &hl_verb_leaks,
					  &hl_verb_check,    &hl_verb_refs,
					  &hl_verb_misuse,   &hl_verb_block,
					  &hl_verb_info,     &hl_verb_snapshots,
					  &hl_verb_snapshot, &hl_verb_extract,
					  &hl_verb_doctor,   NULL};

const struct hl_verb *hl_verb_find(const char *name)
{
	for (size_t i = 0; hl_verbs[i]; i++)
		if (!strcmp(hl_verbs[i]->name, name))
			return hl_verbs[i];
	return NULL;
}

void hl_error(const char *text)
{
	fputs("heapledger: ", stderr);
	hl_put_escaped(stderr, text, HL_ESCAPE_TERMINAL);
	fputs("\n", stderr);
}

int hl_error_status(enum hl_err err)
{
	switch (err) {
	case HL_ERR_USAGE:
	case HL_ERR_NOTFOUND:
		return 2;
	case HL_ERR_REFUSED:
		return 125;
	default:
		return 3;
	}
}
