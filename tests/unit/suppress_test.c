/*
 * suppress_test.c - suppressions in both dialects: what is read, what is refused, what is counted.
 */
#include "analyzer/analysis/suppress.h"
#include "heapledger/format.h"
#include "tests/unit/suppress_fixture.h"

static struct hl_names *names;
static struct hl_suppressions s;
static struct hl_diag d;

static void begin(void)
{
	names = hl_names_new();
	s = (struct hl_suppressions){0};
	d = (struct hl_diag){0};
}

static void end(void)
{
	hl_suppressions_release(&s);
	hl_names_free(names);
}

static int parse(const char *text)
{
	return hl_suppressions_parse(&s, text, strlen(text), "f.supp", &d);
}

static uint32_t match(const char *chain)
{
	return hl_suppressions_match(&s, HL_LEAK_DEFINITE, HL_ENTRY_MALLOC, make_chain(names, chain), names);
}

START_TEST(lsan_files_have_comments_blanks_and_any_line_ends)
{
	begin();
	ck_assert_int_eq(
		parse("# what we cannot mend\r\n\r\n \t leak:tls_get_addr \t\r\n\n  # more\nleak:two words"),
		0);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_str_eq(s.entry[0].text, "leak:tls_get_addr");
	ck_assert_str_eq(s.entry[0].file, "f.supp");
	ck_assert_uint_eq(s.entry[0].line, 3);
	ck_assert_str_eq(s.entry[1].text, "leak:two words");
	ck_assert_uint_eq(s.entry[1].line, 6);
	ck_assert_int_eq(parse(""), 0);
	ck_assert_int_eq(parse("# nothing\n"), 0);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_uint_eq(match("__tls_get_addr < main"), 0);
	ck_assert_uint_eq(match("two words"), 1);
	ck_assert_uint_eq(match("main"), HL_ID_NONE);
	end();
}
END_TEST

START_TEST(blocks_of_valgrind)
{
	static const char text[] = "# the plugins' own\n"
				   "{\n"
				   "   dlopen keeps its lists\n"
				   "   Memcheck:Leak\n"
				   "   match-leak-kinds: definite, reachable\n"
				   "   fun:malloc\n"
				   "   fun:_dl_*\n"
				   "   ...\n"
				   "   obj:*/ld-*.so*\n"
				   "}\n"
				   "{\n"
				   "   a system call\n"
				   "   Memcheck:Param\n"
				   "   write(buf)\n"
				   "   fun:malloc\n"
				   "}\n"
				   "{\n   a race\n   Helgrind:Race\n   ...\n}\n"
				   "{\n   both tools\n   Addrcheck,Memcheck:Leak\n   fun:g\n}\n"
				   "{\n   almost\n   Memchecks:Leak\n   fun:h\n}\n";
	struct test_frame f[] = {{"_dl_map_object", NULL, 0, "/lib/ld-2.31.so"},
				 {"open_plugin", "/src/p.c", 7, "/bin/prog"},
				 {NULL, NULL, 4, "/lib64/ld-linux.so.2"},
				 {"main", "/src/m.c", 7, "/bin/prog"}};
	uint32_t t;

	begin();
	ck_assert_msg(!parse(text), "%s", d.text);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_uint_eq(s.skipped, 3);
	ck_assert_str_eq(s.entry[0].text, "dlopen keeps its lists");
	ck_assert_uint_eq(s.entry[0].line, 3);
	ck_assert_uint_eq(s.entry[0].kinds, 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_REACHABLE);
	ck_assert_uint_eq(s.entry[1].kinds, 15);
	t = make_traceback(names, f, 4);
	ck_assert_uint_eq(hl_suppressions_match(&s, HL_LEAK_DEFINITE, HL_ENTRY_MALLOC, t, names), 0);
	ck_assert_uint_eq(hl_suppressions_match(&s, HL_LEAK_REACHABLE, HL_ENTRY_MALLOC, t, names), 0);
	ck_assert_uint_eq(hl_suppressions_match(&s, HL_LEAK_INDIRECT, HL_ENTRY_MALLOC, t, names), HL_ID_NONE);
	ck_assert_uint_eq(hl_suppressions_match(&s, HL_LEAK_POSSIBLE, HL_ENTRY_MALLOC, t, names), HL_ID_NONE);
	/* fun:malloc is the function that made the block, and not another */
	ck_assert_uint_eq(hl_suppressions_match(&s, HL_LEAK_DEFINITE, HL_ENTRY_CALLOC, t, names), HL_ID_NONE);
	ck_assert_uint_eq(match("g < main"), 1);
	ck_assert_uint_eq(match("h < main"), HL_ID_NONE);
	ck_assert_uint_eq(match("x < g"), HL_ID_NONE);
	end();
}
END_TEST

START_TEST(errors_name_file_and_line)
{
	static const struct {
		const char *text, *where;
	} t[] = {
		{"leak:a\nfoo\n", "f.supp:2:"},
		{"race:a\n", "f.supp:1:"},
		{"leak:a\n\n{\nx\nMemcheck:Leak\nfun:a\n}\n", "f.supp:3:"},
		{"{\nx\nMemcheck:Leak\nfun:a\n}\nleak:a\n", "f.supp:6:"},
		{"{\nx\nMemcheck:Leak\nfun:a\n}\nx\n", "f.supp:6:"},
		{"{ x\nMemcheck:Leak\nfun:a\n}\n", "f.supp:1:"},
		{"{\n}\n", "f.supp:2:"},
		{"{\n", "f.supp:1:"},
		{"{\nx\n", "f.supp:1:"},
		{"{\nx\nfun\n}\n", "f.supp:3:"},
		{"{\nx\nMemcheck:Leak\n", "f.supp:2:"},
		{"{\nx\nMemcheck:Leak\n}\n", "f.supp:2:"},
		{"{\nx\nMemcheck:Leak\n...\n}\n", "f.supp:2:"},
		{"{\nx\nMemcheck:Leak\nfun:a\nfoo\n}\n", "f.supp:5:"},
		{"{\nx\nMemcheck:Leak\nmatch-leak-kinds: definit\nfun:a\n}\n", "f.supp:4:"},
		{"{\nx\nMemcheck:Leak\nfun:a\nmatch-leak-kinds: all\n}\n", "f.supp:5:"},
		{"{\nx\nMemcheck:Cond\nfun:a\n", "f.supp:1:"},
		{"# heapledger: max=3\n", "f.supp:1:"},
		{"# heapledger: min=3\nleak:a\n", "f.supp:1:"},
		{"# heapledger: max=\nleak:a\n", "f.supp:1:"},
		{"# heapledger: max=3T\nleak:a\n", "f.supp:1:"},
		{"# heapledger: max=3 bloks\nleak:a\n", "f.supp:1:"},
		{"# heapledger: max=99999999999999999999\nleak:a\n", "f.supp:1:"},
		{"# heapledger: max=99999999999G\nleak:a\n", "f.supp:1:"},
	};

	begin();
	ck_assert_int_eq(parse("leak:first"), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_msg(parse(t[i].text) == HL_ERR_FORMAT, "%s", t[i].text);
		ck_assert_msg(!strncmp(d.text, t[i].where, strlen(t[i].where)), "%s for\n%s", d.text,
			      t[i].text);
		ck_assert_uint_eq(s.n, 1);
		ck_assert_uint_eq(s.skipped, 0);
	}
	ck_assert_int_eq(hl_suppressions_parse(&s, "leak:a\0b\n", 9, "nul", &d), HL_ERR_FORMAT);
	ck_assert_uint_eq(match("first"), 0);
	end();
}
END_TEST

START_TEST(budgets)
{
	static const struct {
		const char *text;
		uint64_t bytes, blocks;
	} t[] = {
		{"leak:a\n", UINT64_MAX, UINT64_MAX},
		{"# heapledger: max=100\nleak:a\n", 100, UINT64_MAX},
		{"#heapledger:max=64K\nleak:a\n", 65536, UINT64_MAX},
		{"# heapledger: max=2M, 3 blocks\nleak:a\n", 2 << 20, 3},
		{"# heapledger: max=1 block\nleak:a\n", UINT64_MAX, 1},
		{"# heapledger: max=0\n# why\n\nleak:a\n", 0, UINT64_MAX},
		{"# heapledger is nice\nleak:a\n", UINT64_MAX, UINT64_MAX},
		{"# heapledger: max=5\n{\nx\nMemcheck:Leak\nfun:a\n}\n", 5, UINT64_MAX},
		{"{\nx\n# heapledger: max=5 blocks\nMemcheck:Leak\nfun:a\n}\n", UINT64_MAX, 5},
		{"# heapledger: max=5\n{\nx\nMemcheck:Cond\nfun:a\n}\n{\nx\nMemcheck:Leak\nfun:a\n}\n",
		 UINT64_MAX, UINT64_MAX},
	};

	begin();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_msg(!parse(t[i].text), "%s", d.text);
		ck_assert_uint_eq(s.n, i + 1);
		ck_assert_uint_eq(s.entry[i].max_bytes, t[i].bytes);
		ck_assert_uint_eq(s.entry[i].max_blocks, t[i].blocks);
	}
	/* the second entry has none of the first one's */
	ck_assert_int_eq(parse("# heapledger: max=1\nleak:b\nleak:c\n"), 0);
	ck_assert_uint_eq(s.entry[s.n - 2].max_bytes, 1);
	ck_assert_uint_eq(s.entry[s.n - 1].max_bytes, UINT64_MAX);
	hl_suppressions_count(&s, 1, 100, 7);
	ck_assert(!hl_suppressions_over(&s, 1));
	hl_suppressions_count(&s, 1, 1, 1);
	ck_assert(hl_suppressions_over(&s, 1));
	ck_assert_uint_eq(s.entry[1].bytes, 101);
	ck_assert_uint_eq(s.entry[1].blocks, 8);
	hl_suppressions_count(&s, 3, 1, 3);
	ck_assert(!hl_suppressions_over(&s, 3));
	hl_suppressions_count(&s, 3, 1, 1);
	ck_assert(hl_suppressions_over(&s, 3));
	ck_assert_uint_eq(s.entry[0].blocks, 0);
	end();
}
END_TEST

START_TEST(a_file_may_come_after_matching)
{
	begin();
	ck_assert_uint_eq(match("b"), HL_ID_NONE);
	ck_assert_int_eq(parse("leak:^a$\n"), 0);
	ck_assert_uint_eq(match("b < main"), HL_ID_NONE);
	ck_assert_int_eq(hl_suppressions_parse(&s, "{\nn\nMemcheck:Leak\nfun:b\n}", 25, "second", &d), 0);
	ck_assert_uint_eq(match("b < main"), 1);
	ck_assert_uint_eq(match("b < a"), 0);
	ck_assert_str_eq(s.entry[1].file, "second");
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress");
	TCase *c = tcase_create("suppress");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_test(c, lsan_files_have_comments_blanks_and_any_line_ends);
	tcase_add_test(c, blocks_of_valgrind);
	tcase_add_test(c, errors_name_file_and_line);
	tcase_add_test(c, budgets);
	tcase_add_test(c, a_file_may_come_after_matching);
	suite_add_tcase(suite, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
