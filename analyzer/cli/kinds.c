/*
 * kinds.c - kinds of leaks, and heuristics, on the command line.  Floor: cli.
 */
#include "analyzer/cli/kinds.h"
#include <string.h>

/* The bits of a list of names, "all" for each.  The first word that is none, NULL: there is no such. */
static const char *parse_names(const char *list, const char *const *names, unsigned n, unsigned *bits)
{
	*bits = 0;
	for (const char *s = list; *s;) {
		size_t bytes = strcspn(s, ",");
		unsigned k = 0;

		while (k < n && (strncmp(s, names[k], bytes) || names[k][bytes]))
			k++;
		if (bytes == 3 && !strncmp(s, "all", 3))
			*bits |= (1u << n) - 1;
		else if (k < n)
			*bits |= 1u << k;
		else
			return s;
		s += bytes + (s[bytes] == ',');
	}
	return NULL;
}

static int word_bytes(const char *s)
{
	size_t n = strcspn(s, ",");

	return n < 100 ? (int)n : 100;
}

int hl_kinds_parse(const char *list, const char *option, unsigned *kinds, struct hl_diag *d)
{
	const char *wrong = parse_names(list, hl_leak_kind_names, HL_LEAK_KINDS, kinds);

	if (wrong)
		return hl_fail(d, HL_ERR_USAGE,
			       "--%s: no kind '%.*s': definite, indirect, possible, reachable or all", option,
			       word_bytes(wrong), wrong);
	return *kinds ? HL_OK : hl_fail(d, HL_ERR_USAGE, "--%s: needs a kind", option);
}

int hl_heuristics_parse(const char *list, const char *option, unsigned *heuristics, struct hl_diag *d)
{
	/* by the bits of enum hl_heuristic */
	static const char *const names[] = {"stdstring", "length64", "newarray", "multipleinheritance"};
	const char *wrong;

	if (!strcmp(list, "none")) {
		*heuristics = 0;
		return HL_OK;
	}
	wrong = parse_names(list, names, sizeof(names) / sizeof(names[0]), heuristics);
	if (wrong)
		return hl_fail(d, HL_ERR_USAGE,
			       "--%s: no heuristic '%.*s': stdstring, length64, newarray, "
			       "multipleinheritance, all or none",
			       option, word_bytes(wrong), wrong);
	return *heuristics ? HL_OK : hl_fail(d, HL_ERR_USAGE, "--%s: needs a heuristic", option);
}
