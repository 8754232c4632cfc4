/*
 * match.c - fnmatch with one point of return: only the last star may have to give more.
 * Floor: analysis.
 */
#include "analyzer/analysis/match.h"
#include "analyzer/analysis/utf8.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

/* The end of the set that begins after the '[' at p, i.e. its ']'; NULL: it is not closed. */
static const char *set_end(const char *p)
{
	if (*p == '!')
		p++;
	if (*p == ']')
		p++;
	return strchr(p, ']');
}

static int set_has(const char *p, const char *end, uint32_t c)
{
	int negated = *p == '!', found = 0;

	p += negated;
	while (p < end) {
		uint32_t low, high;

		p += hl_utf8_decode(p, &low);
		high = low;
		if (p[0] == '-' && p + 1 < end) {
			p++;
			p += hl_utf8_decode(p, &high);
		}
		found |= low <= c && c <= high;
	}
	return found != negated;
}

/* Match one character c by the pattern item at *p, moving *p behind it. */
static int item_matches(const char **p, uint32_t c)
{
	const char *end;
	uint32_t want;

	if (**p == '?') {
		++*p;
		return 1;
	}
	if (**p == '[' && (end = set_end(*p + 1))) {
		int yes = set_has(*p + 1, end, c);

		*p = end + 1;
		return yes;
	}
	*p += hl_utf8_decode(*p, &want);
	return want == c;
}

int hl_match(const char *pattern, const char *s)
{
	const char *star = NULL, *back = NULL; /* after the last star; where in s it may still grow */
	uint32_t c;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			back = s;
			continue;
		}
		if (!*s)
			return !*pattern;
		if (*pattern) {
			const char *p = pattern;
			unsigned n = hl_utf8_decode(s, &c);

			if (item_matches(&p, c)) {
				pattern = p;
				s += n;
				continue;
			}
		}
		if (!star)
			return 0;
		back += hl_utf8_decode(back, &c);
		s = back;
		pattern = star;
	}
}

/* A copy of s without its last byte when it ends in ".pyc", else NULL. */
static char *without_c(const char *s)
{
	size_t n = strlen(s);
	char *copy;

	if (n < 4 || strcmp(s + n - 4, ".pyc"))
		return NULL;
	copy = hl_xstrdup(s);
	copy[n - 1] = '\0';
	return copy;
}

int hl_match_file(const char *pattern, const char *file)
{
	char *p = without_c(pattern), *f = without_c(file);
	int yes = hl_match(p ? p : pattern, f ? f : file);

	free(p);
	free(f);
	return yes;
}
