/*
 * filter_test.c - patterns, filters on sites, blame rules.  Python's own answers to the same patterns are
 * in golden_test.c.
 */
#include "analyzer/analysis/match.h"
#include "analyzer/analysis/utf8.h"
#include "tests/unit/heap_model.h"
#include <check.h>

START_TEST(patterns_match_as_fnmatch_translate_says)
{
	static const struct {
		const char *pattern, *s;
		int yes;
	} t[] = {
		{"*", "", 1},
		{"*", "a/b", 1},
		{"a*c", "a/b/c", 1},
		{"a*c", "a/b/d", 0},
		{"?", "\303\274", 1},
		{"??", "\303\274", 0},
		{"?", "\377", 1},
		{"[a-c]", "b", 1},
		{"[!a-c]", "b", 0},
		{"[!a-c]", "d", 1},
		{"[]]", "]", 1},
		{"[!]]", "]", 0},
		{"[", "[", 1},
		{"[a", "[a", 1},
		{"[c-a]", "b", 0},
		{"[!c-a]", "b", 1},
		{"[a-]", "-", 1},
		{"[-a]", "-", 1},
		{"[a-c-e]", "-", 1},
		{"[a-c-e]", "d", 0},
		{"\\*", "\\x", 1},
		{"\\*", "*", 0},
		{"[^a]", "^", 1},
		{"[^a]", "b", 0},
		{"**a**", "bab", 1},
		{"", "", 1},
		{"", "a", 0},
		{"A", "a", 0},
		{"[\303\240-\303\274]", "\303\250", 1},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_msg(hl_match(t[i].pattern, t[i].s) == t[i].yes, "%s against %s", t[i].pattern,
			      t[i].s);
}
END_TEST

START_TEST(many_stars_do_not_take_forever)
{
	char pattern[2001], s[20001];

	for (int i = 0; i < 2000; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[1999] = 'b';
	pattern[2000] = '\0';
	memset(s, 'a', sizeof(s) - 1);
	s[sizeof(s) - 1] = '\0';
	ck_assert_int_eq(hl_match(pattern, s), 0);
}
END_TEST

START_TEST(compiled_python_files_are_their_sources)
{
	ck_assert_int_eq(hl_match_file("a.pyc", "a.py"), 1);
	ck_assert_int_eq(hl_match_file("a.py", "a.pyc"), 1);
	ck_assert_int_eq(hl_match_file("*.pyc", "a.py"), 1);
	ck_assert_int_eq(hl_match("a.py", "a.pyc"), 0);
}
END_TEST

START_TEST(a_pattern_ends_in_a_line_only_when_digits_follow_the_last_colon)
{
	struct hl_patterns p = {0};

	hl_filter_add(&p, "a.c:12", 1);
	hl_filter_add(&p, "a.c:0", 1);
	hl_filter_add(&p, "ns::f", 1);
	hl_filter_add(&p, "a.c:", 1);
	hl_filter_add(&p, "a.c:5", 0);
	ck_assert_str_eq(p.p[0].text, "a.c");
	ck_assert_int_eq(p.p[0].line, 12);
	ck_assert_int_eq(p.p[1].line, 0);
	ck_assert_str_eq(p.p[2].text, "ns::f");
	ck_assert_int_eq(p.p[2].line, -1);
	ck_assert_str_eq(p.p[3].text, "a.c:");
	ck_assert_str_eq(p.p[4].text, "a.c:5");
	for (size_t i = 0; i < p.n; i++)
		free(p.p[i].text);
	free(p.p);
}
END_TEST

/* The lines that pass, as stats prints them. */
static void expect(struct model *m, struct hl_filter *f, const char *want)
{
	char *text = model_stats(m, &(struct hl_grouping){0}, f, HL_SORT_LIVE, &hl_format_text,
				 &(struct hl_style){0});

	ck_assert_str_eq(text, want);
	free(text);
	hl_filter_release(f);
}

START_TEST(conditions_hold_together_and_their_values_are_alternatives)
{
	struct hl_names *names = hl_names_new();
	struct hl_filter f = {0};
	struct hl_diag d;
	struct model m;

	model_init(&m, names);
	*model_site(&m, "a.c:1,main.c:9", 1, HL_KIND_MALLOC) = (struct hl_stat){.size = 1, .count = 1};
	*model_site(&m, "b.c:1,main.c:9", 2, HL_KIND_NEW) = (struct hl_stat){.size = 2, .count = 1};
	*model_site(&m, "c.c:1,main.c:9", 2, HL_KIND_POOL) = (struct hl_stat){.size = 3, .count = 1};
	hl_filter_add(&f.threads, "work*", 0);
	expect(&m, &f, "c.c:1: size=3 B, count=1, average=3 B\nb.c:1: size=2 B, count=1, average=2 B\n");
	hl_filter_add(&f.threads, "100", 0);
	expect(&m, &f, "a.c:1: size=1 B, count=1, average=1 B\n");
	ck_assert_int_eq(hl_filter_add_kind(&f, "new", &d), HL_OK);
	ck_assert_int_eq(hl_filter_add_kind(&f, "malloc", &d), HL_OK);
	ck_assert_int_eq(hl_filter_add_kind(&f, "heap", &d), HL_ERR_USAGE);
	hl_filter_add(&f.exclude, "a.c", 1);
	expect(&m, &f, "b.c:1: size=2 B, count=1, average=2 B\n");
	hl_filter_add(&f.modules, "mod", 0);
	hl_filter_add(&f.include, "main.c:9", 1);
	expect(&m, &f, "");
	f.all_frames = 1;
	hl_filter_add(&f.modules, "/lib/*", 0);
	hl_filter_add(&f.include, "main.c:9", 1);
	hl_filter_add(&f.exclude, "[bc].c:1", 1);
	expect(&m, &f, "a.c:1: size=1 B, count=1, average=1 B\n");
	model_release(&m);
	hl_names_free(names);
}
END_TEST

static char *blamed(const char *rules, const char *stack)
{
	struct hl_names *names = hl_names_new();
	struct hl_blame *b = NULL;
	struct hl_view *v;
	struct hl_rows rows;
	struct model m;
	struct hl_diag d;
	char *file;

	ck_assert_int_eq(hl_blame_new(&b, rules, "rules", &d), HL_OK);
	model_init(&m, names);
	model_add(&m, 1, stack);
	v = hl_view_new(&m.heap, &(struct hl_grouping){0}, NULL, b);
	hl_view_rows(v, HL_SORT_LIVE, 0, &rows);
	ck_assert_uint_eq(rows.n, 1);
	file = strdup(hl_names_string(names, rows.row[0].key.a));
	free(rows.row);
	hl_view_free(v);
	hl_blame_free(b);
	model_release(&m);
	hl_names_free(names);
	return file;
}

START_TEST(blame_passes_library_headers_and_falls_back_to_the_newest)
{
	static const struct {
		const char *rules, *stack, *file;
	} t[] = {
		{NULL, "/usr/include/c++/12/bits/vector.tcc:5,app.cc:3", "app.cc"},
		{NULL, "app.cc:3,main.cc:1", "app.cc"},
		{NULL, "/usr/include/x.h:5,/usr/include/y.h:1", "/usr/include/x.h"},
		{"skip function f_wrap*\n", "wrap.c:1,/usr/include/x.h:2", "/usr/include/x.h"},
		{"# mine\n\nkeep file /usr/include/mine/*\ndefaults\n", "/usr/include/mine/a.h:1,b.c:1",
		 "/usr/include/mine/a.h"},
		{"skip file a b.c  \n", "a b.c:1,c.c:1", "c.c"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *file = blamed(t[i].rules, t[i].stack);

		ck_assert_str_eq(file, t[i].file);
		free(file);
	}
}
END_TEST

START_TEST(a_bad_rule_is_named_with_its_line)
{
	static const char *const bad[] = {"defaults\nskip nothing x\n", "\nskip file\n", "#\nhide file x"};
	struct hl_blame *b;
	struct hl_diag d;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(hl_blame_new(&b, bad[i], "my.rules", &d), HL_ERR_USAGE);
		ck_assert_ptr_nonnull(strstr(d.text, "my.rules:2:"));
	}
}
END_TEST

START_TEST(text_from_elsewhere_cannot_drive_a_terminal)
{
	static const struct {
		const char *s, *terminal, *invalid;
	} t[] = {
		{"plain \303\274.c", NULL, NULL},
		{"a\033[31m", "a\\x1b[31m", NULL},
		{"a\nb\tc\177", "a\\x0ab\\x09c\\x7f", NULL},
		{"\302\233x", "\\xc2\\x9bx", NULL},            /* C1: CSI in one character */
		{"a\342\200\256b", "a\\xe2\\x80\\xaeb", NULL}, /* RLO */
		{"\377\300\257", "\\xff\\xc0\\xaf", "\\xff\\xc0\\xaf"},
		{"\355\240\200", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
		{"\303", "\\xc3", "\\xc3"},
		{"\364\220\200\200", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *terminal = hl_utf8_escape(t[i].s, HL_ESCAPE_TERMINAL);
		char *invalid = hl_utf8_escape(t[i].s, HL_ESCAPE_INVALID);

		ck_assert_pstr_eq(terminal, t[i].terminal);
		ck_assert_pstr_eq(invalid, t[i].invalid);
		free(terminal);
		free(invalid);
	}
}
END_TEST

MODEL_MAIN("filter", patterns_match_as_fnmatch_translate_says, many_stars_do_not_take_forever,
	   compiled_python_files_are_their_sources,
	   a_pattern_ends_in_a_line_only_when_digits_follow_the_last_colon,
	   conditions_hold_together_and_their_values_are_alternatives,
	   blame_passes_library_headers_and_falls_back_to_the_newest, a_bad_rule_is_named_with_its_line,
	   text_from_elsewhere_cannot_drive_a_terminal)
