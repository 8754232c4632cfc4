/*
 * suppress_glob.c - patterns as codes with one point of return: only the last star may have to give more.
 * Floor: analysis.
 */
#include "analyzer/analysis/suppress_glob.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

/* Codes that are no bytes. */
enum { END = -1, STAR = -2, ONE = -3, NEVER = -4, BOUNDARY = -5 };

static void set_pair(struct hl_supp_pairs *p, uint8_t a, uint8_t b)
{
	uint32_t h = ((uint32_t)a << 8 | b) * 0x9e3779b1u >> 23;

	p->bits[h >> 6] |= 1ull << (h & 63);
}

void hl_supp_pairs_of(struct hl_supp_pairs *p, const char *s)
{
	*p = (struct hl_supp_pairs){0};
	if (*s)
		for (; s[1]; s++)
			set_pair(p, (uint8_t)s[0], (uint8_t)s[1]);
}

/* Room for every text: a star before it, one behind, the end. */
static int16_t *start(struct hl_supp_glob *g, const char *text)
{
	g->code = hl_xmalloc((strlen(text) + 3) * sizeof(*g->code));
	g->pairs = (struct hl_supp_pairs){0};
	return g->code;
}

static void finish(struct hl_supp_glob *g, int16_t *end)
{
	*end = END;
	for (const int16_t *c = g->code; c < end; c++)
		if (c[0] >= 0 && c[1] >= 0)
			set_pair(&g->pairs, (uint8_t)c[0], (uint8_t)c[1]);
}

void hl_supp_glob_lsan(struct hl_supp_glob *g, const char *text)
{
	int16_t *c = start(g, text);

	if (*text == '^')
		text++;
	else
		*c++ = STAR;
	for (; *text && *text != '$'; text++)
		*c++ = *text == '*' ? STAR : (uint8_t)*text;
	if (!*text)
		*c++ = STAR;
	finish(g, c);
}

void hl_supp_glob_valgrind(struct hl_supp_glob *g, const char *text)
{
	int16_t *c;

	if (!strpbrk(text, "*?")) {
		hl_supp_glob_literal(g, text);
		return;
	}
	c = start(g, text);
	for (; *text; text++) {
		if (*text == '\\')
			*c++ = *++text ? (uint8_t)*text : NEVER;
		else
			*c++ = *text == '*' ? STAR : *text == '?' ? ONE : (uint8_t)*text;
		if (!*text)
			break;
	}
	finish(g, c);
}

void hl_supp_glob_words(struct hl_supp_glob *g, const char *text)
{
	int16_t *c = start(g, text);

	for (; *text; text++)
		*c++ = *text == '*' ? STAR : *text == HL_SUPP_BOUNDARY ? BOUNDARY : (uint8_t)*text;
	finish(g, c);
}

void hl_supp_glob_literal(struct hl_supp_glob *g, const char *text)
{
	int16_t *c = start(g, text);

	while (*text)
		*c++ = (uint8_t)*text++;
	finish(g, c);
}

void hl_supp_glob_release(struct hl_supp_glob *g)
{
	free(g->code);
	g->code = NULL;
}

static int is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c < 0;
}

int hl_supp_glob_match(const struct hl_supp_glob *g, const char *s, const struct hl_supp_pairs *p)
{
	const int16_t *c = g->code, *star = NULL; /* behind the last star */
	const char *back = NULL, *from = s;       /* where in s it may still grow; its start */

	for (size_t i = 0; i < sizeof(p->bits) / sizeof(p->bits[0]); i++)
		if (g->pairs.bits[i] & ~p->bits[i])
			return 0;
	for (;;) {
		if (*c == STAR) {
			star = ++c;
			back = s;
			if (*c == END)
				return 1;
			continue;
		}
		if (*c == BOUNDARY && !(s > from && is_word(s[-1]) && is_word(*s))) {
			c++;
			continue;
		}
		if (!*s)
			return *c == END;
		if (*c == (uint8_t)*s || *c == ONE) {
			c++;
			s++;
			continue;
		}
		if (!star)
			return 0;
		s = ++back;
		c = star;
	}
}
