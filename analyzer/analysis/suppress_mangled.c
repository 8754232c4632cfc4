/*
 * suppress_mangled.c - one pass over a mangled pattern, identifiers kept.  Floor: analysis.
 */
#include "analyzer/analysis/suppress_mangled.h"
#include "analyzer/analysis/suppress_glob.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include "analyzer/model/symbols.h"
#include <stdlib.h>
#include <string.h>

struct translation {
	struct hl_buf out;
	const char *last; /* the identifier before, for constructors; NULL: what was before is none */
	size_t last_bytes;
	unsigned identifiers;
	int odd; /* something was passed by that is not understood */
};

static void put(struct translation *t, const char *s)
{
	hl_buf_append(&t->out, s, strlen(s));
}

static void put_star(struct translation *t)
{
	if (!t->out.len || t->out.data[t->out.len - 1] != '*')
		put(t, "*");
	t->last = NULL;
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void put_boundary(struct translation *t)
{
	static const char boundary = HL_SUPP_BOUNDARY;

	hl_buf_append(&t->out, &boundary, 1);
}

static void put_identifier(struct translation *t, const char *s, size_t n)
{
	if (t->last)
		put(t, "::");
	put_boundary(t);
	if (n == 12 && !memcmp(s, "_GLOBAL__N_1", n))
		put(t, "(anonymous namespace)");
	else
		hl_buf_append(&t->out, s, n);
	t->last = s;
	t->last_bytes = n;
	t->identifiers++;
}

/* "3foo", or the beginning of it before a wildcard.  Where it ends. */
static const char *take_identifier(struct translation *t, const char *p, int shown)
{
	size_t want = 0, have;

	while (is_digit(*p) && want < 100000)
		want = want * 10 + (size_t)(*p++ - '0');
	have = strcspn(p, "*?");
	if (have > want)
		have = want;
	if (have < want || !want)
		t->odd = 1;
	if (shown && have)
		put_identifier(t, p, have);
	if (have < want || !shown)
		put_star(t);
	else
		put_boundary(t);
	return p + have;
}

/* Constructors and destructors: the name of the class again. */
static const char *take_structor(struct translation *t, const char *p)
{
	put(t, *p == 'D' ? "::~" : "::");
	hl_buf_append(&t->out, t->last, t->last_bytes);
	t->last = NULL;
	return p + 2;
}

/* St, Sa, ...: the abbreviations of std.  Sequence numbers stand for anything. */
static const char *take_abbreviation(struct translation *t, const char *p)
{
	if (p[1] == 't') {
		put_identifier(t, "std", 3);
		put(t, is_digit(p[2]) ? "" : "::");
	} else if (p[1] == 'a')
		put(t, "std::allocator*");
	else if (p[1] && strchr("bsiod", p[1]))
		put(t, "std::*");
	else
		put_star(t);
	if (p[1] != 't')
		t->last = NULL;
	return p[1] && p[1] != '*' && p[1] != '?' ? p + 2 : p + 1;
}

static const char *take(struct translation *t, const char *p)
{
	static const char anonymous[] = "_GLOBAL__N_1";
	size_t n = sizeof(anonymous) - 1;

	if (!strncmp(p, anonymous, n)) { /* its length is behind a wildcard */
		put_identifier(t, p, n);
		return p + n;
	}
	if (is_digit(*p))
		return take_identifier(t, p, 1);
	if (*p == 'S')
		return take_abbreviation(t, p);
	if (*p == 'B' && is_digit(p[1])) /* [abi:cxx11] */
		return take_identifier(t, p + 1, 0);
	if ((*p == 'C' || *p == 'D') && t->last && p[1] && strchr("0123?", p[1]))
		return take_structor(t, p);
	if (*p == 'L' && is_digit(p[1]))
		return p + 1;
	if (!strchr("*?NKE", *p))
		t->odd = 1;
	put_star(t);
	return p + 1;
}

/* NULL: none of its identifiers is known, and without them it would match everything. */
static char *translate(const char *text)
{
	struct translation t = {0};
	const char *p = text;
	int mangled = !strncmp(p, "_Z", 2);

	if (!strcmp(text, "_Z*"))
		return hl_xstrdup("*(*");
	if (!strcmp(text, "_ZN*"))
		return hl_xstrdup("*::*");
	if (mangled) {
		p += 2;
		if (*p == 'N') {
			p++;
			p += strspn(p, "rVKRO");
		}
	}
	while (*p)
		p = take(&t, p);
	/* parameters follow a name that is spelled to its end */
	if (mangled && t.last)
		put_star(&t);
	if (!t.identifiers || (t.odd && !mangled)) {
		hl_buf_release(&t.out);
		return NULL;
	}
	return hl_buf_string(&t.out);
}

char *hl_supp_demangled(const char *text, int *literal)
{
	char *name;

	*literal = !strpbrk(text, "*?");
	if (!*literal)
		return *text == '*' || !strncmp(text, "_Z", 2) ? translate(text) : NULL;
	if (text[0] != '_')
		return NULL;
	name = hl_demangle(text);
	if (strcmp(name, text))
		return name;
	free(name);
	return NULL;
}

const char *hl_supp_without_type(const char *function)
{
	const char *name = function;
	int depth = 0;

	for (const char *p = function; *p && strncmp(p, "operator", 8); p++) {
		int anonymous = !strncmp(p, "(anonymous namespace)", 21);

		if (anonymous)
			p += 20;
		else if (*p == '(' && !depth && p > name)
			break;
		else if (strchr("(<[{", *p))
			depth++;
		else if (strchr(")>]}", *p))
			depth--;
		else if (*p == ' ' && !depth)
			name = p + 1;
	}
	return name;
}
