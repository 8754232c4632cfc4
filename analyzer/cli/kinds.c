/*
 * kinds.c - kinds of leaks on the command line.  Floor: cli.
 */
#include "analyzer/cli/kinds.h"
#include <string.h>

int hl_kinds_parse(const char *list, const char *option, unsigned *kinds, struct hl_diag *d)
{
	*kinds = 0;
	for (const char *s = list; *s;) {
		size_t n = strcspn(s, ",");
		unsigned k = 0;

		while (k < HL_LEAK_KINDS &&
		       (strncmp(s, hl_leak_kind_names[k], n) || hl_leak_kind_names[k][n]))
			k++;
		if (n == 3 && !strncmp(s, "all", 3))
			*kinds |= (1u << HL_LEAK_KINDS) - 1;
		else if (k < HL_LEAK_KINDS)
			*kinds |= 1u << k;
		else
			return hl_fail(
				d, HL_ERR_USAGE,
				"--%s: no kind \'%.*s\': definite, indirect, possible, reachable or all",
				option, n < 100 ? (int)n : 100, s);
		s += n + (s[n] == ',');
	}
	return *kinds ? HL_OK : hl_fail(d, HL_ERR_USAGE, "--%s: needs a kind", option);
}
