/*
 * suppress_generate_test.c - entries that are made for a loss: read again, they match it.
 */
#include "analyzer/analysis/suppress.h"
#include "heapledger/format.h"
#include "tests/unit/suppress_fixture.h"

static struct hl_names *names;

static void begin(void)
{
	names = hl_names_new();
}

static void end(void)
{
	hl_names_free(names);
}

static int alone(const char *text, enum hl_leak_kind kind, unsigned entry, uint32_t traceback)
{
	return matches_alone(names, text, kind, entry, traceback);
}

/* Any entry, generated and parsed again, matches the loss. */
static void check_generated(const struct test_frame *f, size_t n, unsigned entry, int cut)
{
	struct hl_buf out = {0};
	uint32_t t = make_traceback(names, f, n);
	int known = 0;

	if (cut)
		hl_names_set_truncated(names, t);
	for (size_t i = 0; i < n; i++)
		known |= f[i].function || (f[i].module && *f[i].module);
	for (int kind = 0; kind < HL_LEAK_KINDS; kind++) {
		out.len = 0;
		ck_assert_int_eq(hl_suppressions_generate_valgrind(&out, kind, entry, t, names), known);
		ck_assert_msg(alone(hl_buf_string(&out), kind, entry, t) == known, "%s", hl_buf_string(&out));
		if (known)
			ck_assert_msg(!alone(hl_buf_string(&out), (kind + 1) % HL_LEAK_KINDS, entry, t), "%s",
				      hl_buf_string(&out));
	}
	out.len = 0;
	ck_assert_int_eq(hl_suppressions_generate_lsan(&out, t, names), known);
	ck_assert_msg(alone(hl_buf_string(&out), HL_LEAK_DEFINITE, entry, t) == known, "%s",
		      hl_buf_string(&out));
	hl_buf_release(&out);
}

START_TEST(what_is_generated_matches_odd_names)
{
	static const char *const functions[] = {
		"main",
		"foo.constprop.0",
		"pthread_create@@GLIBC_2.34",
		"std::vector<int, std::allocator<int> >::push_back(int const&)",
		"Foo::operator()(char*) const",
		"operator new(unsigned long)",
		"operator<<(std::ostream&, A const&)",
		"void f<&(g<int>(char**))>(int (*)(char*))",
		"Foo::~Foo()",
		"(anonymous namespace)::x(int)",
		"A::(anonymous namespace)::f()",
		"g(int)::{lambda(auto:1*)#1}::operator()(int) const",
		"<alloc::vec::Vec<T> as core::ops::Drop>::drop",
		"-[Foo bar:baz:]",
		"*",
		"?*?",
		"$",
		"a$b$",
		"^",
		"^a",
		"a^",
		"#",
		"\\",
		"a\\*",
		" lead",
		"trail ",
		"  ",
		"two  words",
		"...",
		"}",
		"{",
		"leak:x",
		"fun:x",
		"line\nbreak",
		"tab\t",
		"gr\303\266\303\237e",
		"\303\266",
		"\377",
		"1digit",
		"unterminated<(",
		")))>>>",
		"decltype(nullptr) foo()",
		"non-virtual thunk to A::f()",
		"malloc",
		"xmalloc",
		"???",
		"x"};
	static const char *const modules[] = {"/bin/prog", "/opt/a b/lib*.so ",  "/x\ny", "/a\\b*",
					      "rel",       "/usr/lib/libc.so.6", "dir/",  "$",
					      " "};
	size_t nf = sizeof(functions) / sizeof(functions[0]), nm = sizeof(modules) / sizeof(modules[0]);

	begin();
	for (size_t i = 0; i < nf; i++)
		for (size_t m = 0; m < nm; m++) {
			struct test_frame f[] = {{functions[i], m % 2 ? NULL : "/src/a.c", 1, modules[m]},
						 {functions[(i + 7) % nf], NULL, 1, modules[(m + 1) % nm]},
						 {NULL, NULL, 0x123, modules[m]},
						 {NULL, NULL, 0, NULL}};

			for (size_t n = 1; n <= 4; n++)
				check_generated(f, n, (unsigned)(i % (HL_ENTRY_POOL + 1)), (int)(i & 1));
			check_generated(f + 2, 1, HL_ENTRY_MALLOC, 0);
			check_generated(f + 2, 2, HL_ENTRY_NEW, 1);
			check_generated(f + 3, 1, HL_ENTRY_MALLOC, 0);
		}
	check_generated(NULL, 0, HL_ENTRY_MALLOC, 0);
	end();
}
END_TEST

START_TEST(what_is_generated_matches_names_at_random)
{
	static const char alphabet[] = "ab01_:<>()*?$^\\ .~{}[],&#@=\n\t";
	unsigned seed = 20240229;

	begin();
	for (int round = 0; round < 3000; round++) {
		char text[6][24];
		struct test_frame f[3];

		for (int i = 0; i < 6; i++) {
			size_t n = 1 + (size_t)rand_r(&seed) % 20;

			for (size_t k = 0; k < n; k++)
				text[i][k] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
			text[i][n] = '\0';
		}
		for (int i = 0; i < 3; i++)
			f[i] = (struct test_frame){rand_r(&seed) % 4 ? text[i] : NULL,
						   rand_r(&seed) % 2 ? "/src/a.c" : NULL, 1,
						   rand_r(&seed) % 8 || i == 0 ? text[i + 3] : NULL};
		check_generated(f, 3, (unsigned)rand_r(&seed) % (HL_ENTRY_POOL + 1), 0);
	}
	end();
}
END_TEST

START_TEST(generated_text)
{
	struct test_frame f[] = {{"xmalloc", "/s/x.c", 1, "/bin/prog"},
				 {"Tree<int>::insert(Node*)", "/s/t.cc", 9, "/bin/prog"},
				 {NULL, NULL, 5, "/lib/libx.so.1"},
				 {NULL, NULL, 0, NULL},
				 {"main", "/s/m.c", 3, "/bin/prog"}};
	struct hl_buf out = {0};
	uint32_t t;

	begin();
	t = make_traceback(names, f, 5);
	hl_names_set_truncated(names, t);
	hl_suppressions_generate_valgrind(&out, HL_LEAK_POSSIBLE, HL_ENTRY_CALLOC, t, names);
	ck_assert_str_eq(hl_buf_string(&out),
			 "{\n   <name this suppression>\n   Memcheck:Leak\n"
			 "   match-leak-kinds: possible\n   fun:calloc\n   fun:xmalloc\n"
			 "   fun:*Tree*insert*\n   obj:/lib/libx.so.1\n   obj:*\n   fun:main\n}\n");
	out.len = 0;
	hl_suppressions_generate_lsan(&out, t, names);
	ck_assert_str_eq(hl_buf_string(&out), "leak:Tree<int>::insert(Node*)\n");
	out.len = 0;
	hl_suppressions_generate_lsan(&out, make_chain(names, "g_malloc < strdup < store < main"), names);
	ck_assert_str_eq(hl_buf_string(&out), "leak:^store$\n");
	out.len = 0;
	hl_suppressions_generate_lsan(&out, make_traceback(names, f + 2, 2), names);
	ck_assert_str_eq(hl_buf_string(&out), "leak:libx.so.1\n");
	hl_buf_release(&out);
	end();
}
END_TEST

START_TEST(a_deep_stack_gives_no_more_lines_than_valgrind_takes)
{
	struct test_frame f[40];
	struct hl_buf out = {0};
	size_t lines = 0;
	char name[40][8];

	begin();
	for (int i = 0; i < 40; i++) {
		snprintf(name[i], sizeof(name[i]), "f%d", i);
		f[i] = (struct test_frame){name[i], NULL, 0, "/bin/prog"};
	}
	check_generated(f, 40, HL_ENTRY_MALLOC, 1);
	hl_suppressions_generate_valgrind(&out, HL_LEAK_DEFINITE, HL_ENTRY_MALLOC,
					  make_traceback(names, f, 40), names);
	for (const char *p = hl_buf_string(&out); (p = strstr(p, "fun:")); p++)
		lines++;
	ck_assert_uint_eq(lines, 24);
	hl_buf_release(&out);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress_generate");
	TCase *c = tcase_create("suppress_generate");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_test(c, what_is_generated_matches_odd_names);
	tcase_add_test(c, what_is_generated_matches_names_at_random);
	tcase_add_test(c, generated_text);
	tcase_add_test(c, a_deep_stack_gives_no_more_lines_than_valgrind_takes);
	suite_add_tcase(suite, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
