/*
 * blame.c - rules that say which frames are wrappers and library headers.  Floor: analysis.
 */
#include "analyzer/analysis/blame.h"
#include "analyzer/analysis/match.h"
#include <stdlib.h>
#include <string.h>

enum field { FIELD_FUNCTION, FIELD_FILE, FIELD_MODULE };

struct rule {
	enum field field;
	int skip;
	char *pattern;
};

struct hl_blame {
	struct rule *rules;
	size_t nrules, rules_room;
	uint8_t *verdicts; /* by frame: 0 not asked, 1 skip, 2 keep */
	size_t nverdicts;
};

/* Wrappers under their usual names, the headers of compilers and systems, the C and C++ libraries. */
static const char defaults[] = "skip function xmalloc\n"
			       "skip function xcalloc\n"
			       "skip function xrealloc\n"
			       "skip function xreallocarray\n"
			       "skip function xstrdup\n"
			       "skip function xstrndup\n"
			       "skip function xmemdup\n"
			       "skip function xzalloc\n"
			       "skip function g_malloc*\n"
			       "skip function g_realloc*\n"
			       "skip function g_try_malloc*\n"
			       "skip function g_try_realloc*\n"
			       "skip function g_strdup*\n"
			       "skip function g_slice_*\n"
			       "skip function CRYPTO_*alloc\n"
			       "skip function PyMem_*\n"
			       "skip function PyObject_*alloc\n"
			       "skip function operator new*\n"
			       "skip function std::*\n"
			       "skip function __gnu_cxx::*\n"
			       "skip function boost::*\n"
			       "skip function alloc::*\n"
			       "skip function <alloc::*\n"
			       "skip function core::*\n"
			       "skip function __rust_*alloc*\n"
			       "skip function __rdl_*alloc*\n"
			       "skip file /usr/include/*\n"
			       "skip file /usr/local/include/*\n"
			       "skip file */include/c++/*\n"
			       "skip file */lib/gcc/*/include/*\n"
			       "skip file /rustc/*\n"
			       "skip module */libc.so.6\n"
			       "skip module */ld-musl-*.so.1\n"
			       "skip module */libstdc++.so*\n"
			       "skip module */libc++.so*\n"
			       "skip module */libglib-2.0.so*\n";

const char *hl_blame_defaults(void)
{
	return defaults;
}

/* The next word of *line, cut out of it; "" when there is none. */
static char *word(char **line)
{
	char *start = *line + strspn(*line, " \t"), *end = start + strcspn(start, " \t");

	*line = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static int parse_rule(struct rule *r, char *line)
{
	static const char *const fields[] = {"function", "file", "module"};
	char *verb = word(&line), *field = word(&line);
	size_t n;

	r->skip = !strcmp(verb, "skip");
	if (!r->skip && strcmp(verb, "keep"))
		return 0;
	for (r->field = 0; r->field <= FIELD_MODULE; r->field++)
		if (!strcmp(field, fields[r->field]))
			break;
	line += strspn(line, " \t");
	n = strlen(line);
	while (n && strchr(" \t\r", line[n - 1]))
		line[--n] = '\0';
	if (r->field > FIELD_MODULE || !n)
		return 0;
	r->pattern = hl_xstrdup(line); /* to the end of the line: patterns may hold blanks */
	return 1;
}

static int is_defaults(const char *line)
{
	return !strncmp(line, "defaults", 8) && !line[8 + strspn(line + 8, " \t\r")];
}

static int parse(struct hl_blame *b, const char *rules, const char *name, struct hl_diag *d)
{
	char *copy = hl_xstrdup(rules), *next = copy, *line;
	unsigned number = 0;
	int err = HL_OK;

	while (!err && (line = strsep(&next, "\n"))) {
		number++;
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			continue;
		if (is_defaults(line) && rules != defaults) {
			err = parse(b, defaults, name, d);
			continue;
		}
		b->rules = hl_grow(b->rules, &b->rules_room, b->nrules + 1, sizeof(*b->rules));
		if (parse_rule(&b->rules[b->nrules], line))
			b->nrules++;
		else
			err = hl_fail(d, HL_ERR_USAGE,
				      "%s:%u: not a rule: skip|keep function|file|module PATTERN", name,
				      number);
	}
	free(copy);
	return err;
}

int hl_blame_new(struct hl_blame **out, const char *rules, const char *name, struct hl_diag *d)
{
	struct hl_blame *b = hl_xcalloc(1, sizeof(*b));
	int err = parse(b, rules ? rules : defaults, name, d);

	if (err) {
		hl_blame_free(b);
		return err;
	}
	*out = b;
	return HL_OK;
}

void hl_blame_free(struct hl_blame *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->nrules; i++)
		free(b->rules[i].pattern);
	free(b->rules);
	free(b->verdicts);
	free(b);
}

static int judge(const struct hl_blame *b, const struct hl_names *n, uint32_t frame)
{
	const struct hl_name_frame *f = hl_names_frame_at(n, frame);

	for (size_t i = 0; i < b->nrules; i++) {
		const struct rule *r = &b->rules[i];
		uint32_t s = r->field == FIELD_FUNCTION ? f->function
			     : r->field == FIELD_FILE   ? f->file
							: f->module;

		if (hl_match(r->pattern, hl_names_string(n, s)))
			return r->skip;
	}
	return 0;
}

int hl_blame_skips(struct hl_blame *b, const struct hl_names *n, uint32_t frame)
{
	if (frame >= b->nverdicts) {
		size_t more = (size_t)frame * 2 + 64;

		b->verdicts = hl_xrealloc(b->verdicts, more);
		memset(b->verdicts + b->nverdicts, 0, more - b->nverdicts);
		b->nverdicts = more;
	}
	if (!b->verdicts[frame])
		b->verdicts[frame] = judge(b, n, frame) ? 1 : 2;
	return b->verdicts[frame] == 1;
}

uint32_t hl_blame_frame(struct hl_blame *b, struct hl_stacks *s, uint32_t stack)
{
	struct hl_walk w;
	uint32_t newest, frame;

	hl_walk_start(&w, s, stack);
	newest = frame = hl_walk_next(&w);
	if (!b)
		return newest;
	while (frame != HL_ID_NONE && hl_blame_skips(b, hl_stacks_names(s), frame))
		frame = hl_walk_next(&w);
	return frame == HL_ID_NONE ? newest : frame;
}
