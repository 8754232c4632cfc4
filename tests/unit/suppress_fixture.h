/*
 * suppress_fixture.h - tracebacks from text, for the tests of suppressions and baselines.
 */
#ifndef TESTS_SUPPRESS_FIXTURE_H
#define TESTS_SUPPRESS_FIXTURE_H

#include "analyzer/analysis/suppress.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One frame; function NULL: only the module is known; module NULL too: nothing is. */
struct test_frame {
	const char *function, *file;
	uint32_t line;
	const char *module;
};

static inline uint32_t make_frame(struct hl_names *names, const struct test_frame *f)
{
	struct hl_name_frame g = {.line = f->line, .kind = HL_NAME_LINE};
	char text[512];

	if (!f->module)
		return hl_names_unknown_frame(names);
	g.module = hl_names_intern(names, f->module);
	if (f->function && f->file) {
		g.function = hl_names_intern(names, f->function);
		g.file = hl_names_intern(names, f->file);
	} else if (f->function) {
		g.kind = HL_NAME_FUNCTION;
		g.function = hl_names_intern(names, f->function);
		snprintf(text, sizeof(text), "mod!%s", f->function);
		g.file = hl_names_intern(names, text);
	} else {
		/* as the symbolizer has it: line is the offset here */
		g.kind = HL_NAME_OFFSET;
		snprintf(text, sizeof(text), "mod+0x%x", f->line);
		g.function = g.file = hl_names_intern(names, text);
		g.line = 0;
	}
	return hl_names_frame(names, &g);
}

/* frames: newest first, up to one without function and module. */
static inline uint32_t make_traceback(struct hl_names *names, const struct test_frame *frames, size_t n)
{
	uint32_t t = 0;

	while (n)
		t = hl_names_traceback(names, t, make_frame(names, &frames[--n]));
	return t;
}

/* "newest < older < main": functions of one program, in /src/NAME.c at line 10. */
static inline uint32_t make_chain(struct hl_names *names, const char *text)
{
	struct test_frame frames[64];
	char *copy = strdup(text), files[64][64];
	size_t n = 0;

	for (char *s = copy, *next; s; s = next) {
		next = strstr(s, " < ");
		if (next) {
			*next = '\0';
			next += 3;
		}
		snprintf(files[n], sizeof(files[n]), "/src/%s.c", s);
		frames[n] = (struct test_frame){s, files[n], 10, "/bin/prog"};
		n++;
	}
	n = make_traceback(names, frames, n);
	free(copy);
	return (uint32_t)n;
}

/* Does that file alone match? */
static inline int matches_alone(const struct hl_names *names, const char *text, enum hl_leak_kind kind,
				unsigned entry, uint32_t traceback)
{
	struct hl_suppressions one = {0};
	struct hl_diag d = {0};
	uint32_t got;

	ck_assert_msg(!hl_suppressions_parse(&one, text, strlen(text), "one", &d), "%s in:\n%s", d.text,
		      text);
	got = hl_suppressions_match(&one, kind, entry, traceback, names);
	hl_suppressions_release(&one);
	return got == 0;
}

#endif
