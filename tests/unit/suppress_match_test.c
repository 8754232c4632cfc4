/*
 * suppress_match_test.c - what a suppression of either dialect matches, and how fast.
 */
#include "analyzer/analysis/suppress.h"
#include "heapledger/format.h"
#include "tests/unit/suppress_fixture.h"
#include <time.h>

static struct hl_names *names;
static struct hl_diag d;

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

static int frames(const char *lines, unsigned entry, uint32_t traceback)
{
	char text[2000];

	snprintf(text, sizeof(text), "{\nx\nMemcheck:Leak\n%s\n}\n", lines);
	return alone(text, HL_LEAK_DEFINITE, entry, traceback);
}

/* against a function alone */
static int leak(const char *pattern, const char *function)
{
	struct test_frame f = {function, NULL, 0, "/"};
	char text[500];

	snprintf(text, sizeof(text), "leak:%s\n", pattern);
	return alone(text, HL_LEAK_DEFINITE, HL_ENTRY_MMAP, make_traceback(names, &f, 1));
}

START_TEST(patterns_of_lsan)
{
	static const struct {
		const char *pattern, *function;
		int yes;
	} t[] = {
		{"parse", "json_parse_file", 1},
		{"parse", "json_Parse_file", 0},
		{"^json", "json_parse", 1},
		{"^json", "my_json", 0},
		{"json$", "my_json", 1},
		{"json$", "json_parse", 0},
		{"^json$", "json", 1},
		{"^json$", "jsonjson", 0},
		{"ab$", "abab", 1},
		{"a*c", "xxabbcxx", 1},
		{"a*c", "xxcax", 0},
		{"^a*c$", "abbc", 1},
		{"^a*c$", "abbcd", 0},
		{"^*c$", "abc", 1},
		{"a*", "za", 1},
		{"a$b", "xa", 1},
		{"a$b", "a$b", 0},
		{"?", "x", 0},
		{"a?", "ab", 0},
		{"a^b", "xa^bx", 1},
		{"std::vector<int, std::allocator<int> >",
		 "std::vector<int, std::allocator<int> >::reserve(unsigned long)", 1},
		{"vector<*>::reserve", "std::vector<int, std::allocator<int> >::reserve(unsigned long)", 1},
		{"foo\\*", "foox", 0},
		{"", "anything", 1},
		{"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
	};

	begin();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_msg(leak(t[i].pattern, t[i].function) == t[i].yes, "%s against %s", t[i].pattern,
			      t[i].function);
	end();
}
END_TEST

START_TEST(lsan_asks_module_function_and_file_of_every_frame)
{
	struct test_frame f[] = {{"a", "/src/lib/a.c", 3, "/usr/lib/libfoo.so.1"},
				 {"b", NULL, 0, "/usr/lib/libbar.so"},
				 {NULL, NULL, 0x10, "/opt/plug in.so"},
				 {NULL, NULL, 0, NULL}};
	uint32_t t;

	begin();
	t = make_traceback(names, f, 4);
	ck_assert(alone("leak:libfoo.so", 0, HL_ENTRY_MALLOC, t));
	ck_assert(alone("leak:^/opt/plug in.so$", 0, HL_ENTRY_MALLOC, t));
	ck_assert(alone("leak:lib/a.c", 0, HL_ENTRY_MALLOC, t));
	ck_assert(alone("leak:^b$", 0, HL_ENTRY_MALLOC, t));
	ck_assert(alone("leak:^malloc$", 0, HL_ENTRY_MALLOC, t));
	ck_assert(!alone("leak:^malloc$", 0, HL_ENTRY_CALLOC, t));
	ck_assert(alone("leak:operator new", 0, HL_ENTRY_NEW, t));
	/* what stands in names for what is not known is no name */
	ck_assert(!alone("leak:mod!b", 0, HL_ENTRY_MALLOC, t));
	ck_assert(!alone("leak:mod+0x10", 0, HL_ENTRY_MALLOC, t));
	ck_assert(!alone("leak:unknown", 0, HL_ENTRY_MALLOC, t));
	ck_assert(!alone("leak:?", 0, HL_ENTRY_MALLOC, t));
	ck_assert(!alone("leak:vg_replace", 0, HL_ENTRY_MALLOC, t));
	ck_assert(!alone("leak:a.c:3", 0, HL_ENTRY_MALLOC, t));
	end();
}
END_TEST

START_TEST(frames_match_a_prefix_of_the_stack)
{
	static const struct {
		const char *lines, *chain;
		int yes;
	} t[] = {
		{"fun:malloc\nfun:a", "a < b < c", 1},
		{"fun:a", "a < b < c", 1},
		{"fun:a\nfun:b\nfun:c", "a < b < c", 1},
		{"fun:a\nfun:b\nfun:c\nfun:d", "a < b < c", 0},
		{"fun:b", "a < b < c", 0},
		{"fun:malloc\nfun:b", "a < b < c", 0},
		{"...\nfun:c", "a < b < c", 1},
		{"...\nfun:malloc", "a < b < c", 1},
		{"...\nfun:calloc", "a < b < c", 0},
		{"...\nfun:b\n...", "a < b < c", 1},
		{"...\nfun:c\n...", "a < b < c", 1},
		{"...\n...\nfun:a\n...\n...\nfun:c", "a < b < c", 1},
		{"fun:malloc\n...\nfun:a", "a < b", 1},
		{"fun:malloc\n...\nfun:a\n...\nfun:a", "a < b", 0},
		{"...\nfun:a\nfun:b", "a < a < b", 1},
		{"...\nfun:a\nfun:b\n...\nfun:a\nfun:c", "a < b < x < a < b < a < c", 1},
		{"...\nfun:c\n...\nfun:a", "a < b < c", 0},
		{"fun:*\nfun:a", "a < b", 1},
		{"fun:*\nfun:*\nfun:*", "a < b", 1},
		{"fun:*\nfun:*\nfun:*\nfun:*", "a < b", 0},
		{"fun:?alloc\nfun:a", "a", 1},
		{"fun:ab?", "abc", 1},
		{"fun:ab?", "ab", 0},
		{"fun:a*c*e", "abcde", 1},
		{"fun:a*c*e", "abcdef", 0},
		{"fun:A", "a", 0},
		{"fun:a\\*", "a*", 1},
		{"fun:a\\*?", "a*b", 1},
		{"fun:a\\*?", "axb", 0},
		{"fun:a*\\", "ab\\", 0},
		{"fun:a\\b", "a\\b", 1},
		{"obj:/bin/prog", "a", 1},
		{"obj:*prog", "a", 1},
		{"obj:prog", "a", 0},
		{"src:a.c", "a", 1},
		{"src:/src/a.c", "a", 1},
		{"src:*.c", "a", 1},
		{"src:a.c:10", "a", 1},
		{"src:a.c:11", "a", 0},
		{"src:a.c:", "a", 1},
		{"src:b.c", "a", 0},
		{"obj:*vgpreload_memcheck*\nfun:a", "a", 1},
		{"src:vg_replace_malloc.c:380\nfun:a", "a", 1},
		{"fun:a\nfun:(below main)", "a < __libc_start_call_main", 1},
		{"fun:pthread_create@@GLIBC_2.34", "pthread_create", 1},
		{"fun:pthread_create@@GLIBC*", "pthread_create", 1},
		{"fun:pthread_create@@GLIBC*", "pthread_create@@GLIBC_2.34", 1},
		{"fun:pthread_create@@GLIBC*", "pthread_join", 0},
		{"fun:???", "abc", 1},
		{"fun:???", "abcd", 0},
	};

	begin();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_msg(frames(t[i].lines, HL_ENTRY_MALLOC, make_chain(names, t[i].chain)) == t[i].yes,
			      "%s against %s", t[i].lines, t[i].chain);
	end();
}
END_TEST

START_TEST(functions_may_be_mangled)
{
	static const struct {
		const char *pattern, *function;
		int yes;
	} t[] = {
		{"_ZN9QListView4showEv", "QListView::show()", 1},
		{"QListView::show()", "QListView::show()", 1},
		{"QListView::*", "QListView::show()", 1},
		{"_ZN9QListView4showEv", "QListView::hide()", 0},
		{"_ZN9QListView*", "QListView::show()", 1},
		{"_ZN9QListView*", "QList::show()", 0},
		{"_ZN9QListView*", "other(QListView)", 0},
		{"_ZN9QListView*", "QListViewItem::show()", 0},
		{"_ZN3foo*", "foo\303\266::x()", 0},
		{"_ZN*9QListView*", "MyQListView::show()", 0},
		{"_Znw*", "main", 0},
		{"_ZdlPv*", "main", 0},
		{"_ZNSt*", "std::f()", 1},
		{"_ZNSt*", "stdio()", 0},
		{"_ZN9QListView4show*", "QListView::show(int)", 1},
		{"_ZN9QListView4sho*", "QListView::show(int)", 1},
		{"_ZN9QListView4showEv*", "QListView::hide()", 0},
		{"_ZN*4showE*", "QListView::show(int)", 1},
		{"_ZN*4showE*", "QListView::hide(int)", 0},
		{"_ZNK9QListView*", "QListView::size() const", 1},
		{"_ZN3FooC?E*", "Foo::Foo(int)", 1},
		{"_ZN3FooC1E*", "Foo::Foo(int)", 1},
		{"_ZN3FooC1E*", "Foo::bar(int)", 0},
		{"_ZN3FooD*", "Foo::~Foo()", 1},
		{"_ZNSt6vectorI*", "std::vector<int, std::allocator<int> >::push_back(int const&)", 1},
		{"_ZNSt6vectorI*9push_back*", "std::vector<int, std::allocator<int> >::push_back(int const&)",
		 1},
		{"_ZNSt6vectorI*9push_back*", "std::vector<int, std::allocator<int> >::reserve(int)", 0},
		{"_ZN12_GLOBAL__N_13fooE*", "(anonymous namespace)::foo(int)", 1},
		{"*4base6Thread*", "base::Thread::Start()", 1},
		{"*4base6Thread*", "base::Runner::Start()", 0},
		{"_Z3foo*", "foo(int)", 1},
		{"_Z3foo*", "bar(int)", 0},
		{"_Z*", "foo(int)", 1},
		{"_Z*", "foo", 0},
		{"_ZN*", "a::b()", 1},
		{"_ZN*", "b()", 0},
		{"*_GLOBAL__N_13foo*", "(anonymous namespace)::foo(int)", 1},
		{"*_GLOBAL__N_13foo*", "foo(int)", 0},
		{"_ZN3app4makeI*", "double* app::make<double>(int)", 1},
		{"_ZN3app4makeIdEEPT_i", "double* app::make<double>(int)", 1},
		{"_ZN3app4makeI*", "int f<app::make<int> >(int)", 0},
		{"_ZN3app4makeI*", "int g<int>(app::make<int>)", 0},
		{"_ZN3app4makeI*", "std::map<int, int> (anonymous namespace)::f<int>(int)", 0},
		{"_ZN12_GLOBAL__N_11fI*", "std::map<int, int> (anonymous namespace)::f<int>(int)", 1},
		{"*utf8to16*", "go_to(int)", 0},
		{"foo*", "foo(int)", 1},
		{"foo", "foo(int)", 0},
	};

	begin();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char line[200];
		struct test_frame f = {t[i].function, "a.cc", 1, "/bin/p"};

		snprintf(line, sizeof(line), "fun:%s", t[i].pattern);
		ck_assert_msg(frames(line, HL_ENTRY_MALLOC, make_traceback(names, &f, 1)) == t[i].yes,
			      "%s against %s", t[i].pattern, t[i].function);
	}
	end();
}
END_TEST

/* The lines are what valgrind 3.19 prints for such a program, the tracebacks what the symbols of it are. */
START_TEST(what_valgrind_generates_matches)
{
	static const struct {
		const char *lines;
		struct test_frame f[5];
		size_t n;
		unsigned entry;
	} t[] = {
		{"fun:_Znam\nfun:_ZNK4Tree4growEi\nfun:_ZN4TreeC1Ei\nfun:_Z3runv\nfun:main",
		 {{"Tree::grow(int) const", "/a.cc", 5, "/p"},
		  {"Tree::Tree(int)", "/a.cc", 6, "/p"},
		  {"run()", "/a.cc", 12, "/p"},
		  {"main", "/a.cc", 18, "/p"}},
		 4,
		 HL_ENTRY_NEW_ARRAY},
		{"fun:calloc\nfun:_ZN3app4makeIdEEPT_i\nfun:_Z3runv\nfun:main",
		 {{"double* app::make<double>(int)", "/a.cc", 7, "/p"},
		  {"run()", "/a.cc", 13, "/p"},
		  {"main", "/a.cc", 18, "/p"}},
		 3,
		 HL_ENTRY_CALLOC},
		{"fun:malloc\nfun:_ZN12_GLOBAL__N_16hiddenEi\nfun:_Z3runv\nfun:main",
		 {{"(anonymous namespace)::hidden(int)", "/a.cc", 8, "/p"},
		  {"run()", "/a.cc", 14, "/p"},
		  {"main", "/a.cc", 18, "/p"}},
		 3,
		 HL_ENTRY_MALLOC},
		{"fun:malloc\nfun:xmalloc\nfun:_Z3runv\nfun:main",
		 {{"xmalloc", "/a.cc", 9, "/p"}, {"run()", "/a.cc", 15, "/p"}, {"main", "/a.cc", 18, "/p"}},
		 3,
		 HL_ENTRY_MALLOC},
	};
	size_t n = sizeof(t) / sizeof(t[0]);

	begin();
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			ck_assert_msg(frames(t[i].lines, t[k].entry, make_traceback(names, t[k].f, t[k].n)) ==
					      (i == k),
				      "%zu %zu", i, k);
	end();
}
END_TEST

START_TEST(the_allocation_function_is_known_by_its_names)
{
	static const struct {
		unsigned entry;
		const char *name;
	} t[] = {{HL_ENTRY_MALLOC, "malloc"},
		 {HL_ENTRY_CALLOC, "calloc"},
		 {HL_ENTRY_REALLOC, "realloc"},
		 {HL_ENTRY_ALIGNED, "memalign"},
		 {HL_ENTRY_ALIGNED, "posix_memalign"},
		 {HL_ENTRY_ALIGNED, "aligned_alloc"},
		 {HL_ENTRY_NEW, "_Znwm"},
		 {HL_ENTRY_NEW, "_ZnwmRKSt9nothrow_t"},
		 {HL_ENTRY_NEW, "_Znw*"},
		 {HL_ENTRY_NEW, "operator new(unsigned long)"},
		 {HL_ENTRY_NEW_ARRAY, "_Znam"},
		 {HL_ENTRY_NEW_ARRAY, "_Zna*"},
		 {HL_ENTRY_MMAP, "mmap"}};
	uint32_t a;

	begin();
	a = make_chain(names, "a < main");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (unsigned e = 0; e < HL_ENTRY_COUNT; e++) {
			char lines[100];

			snprintf(lines, sizeof(lines), "fun:%s\nfun:a", t[i].name);
			ck_assert_msg(frames(lines, e, a) == (e == t[i].entry), "%s, %u", t[i].name, e);
		}
	end();
}
END_TEST

START_TEST(unknown_frames_are_question_marks)
{
	struct test_frame f[] = {
		{NULL, NULL, 4, "/lib/libx.so"}, {NULL, NULL, 0, NULL}, {"main", "m.c", 1, "/p"}};
	uint32_t t;

	begin();
	t = make_traceback(names, f, 3);
	ck_assert(frames("obj:*libx.so\nobj:*\nfun:main", HL_ENTRY_MALLOC, t));
	ck_assert(frames("fun:*\nfun:*\nfun:main", HL_ENTRY_MALLOC, t));
	ck_assert(frames("obj:*libx.so\nobj:???\nfun:main", HL_ENTRY_MALLOC, t));
	ck_assert(!frames("fun:mod*\n...\nfun:main", HL_ENTRY_MALLOC, t));
	ck_assert(!frames("src:mod*", HL_ENTRY_MALLOC, t));
	/* a loss without a stack is no loss that a frame matches */
	ck_assert(!frames("fun:a", HL_ENTRY_MALLOC, 0));
	ck_assert(frames("fun:malloc", HL_ENTRY_MALLOC, 0));
	end();
}
END_TEST

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(a_thousand_entries_and_ten_thousand_stacks)
{
	struct hl_buf text[2] = {{0}, {0}};
	struct hl_suppressions s = {0};
	uint32_t matched = 0, *stacks = malloc(10000 * sizeof(*stacks));
	double begun;
	char line[400];
	int n;

	begin();
	for (int i = 0; i < 500; i++) {
		n = snprintf(line, sizeof(line), "leak:^module%d::Class%d::*method\n", i, i * 7);
		hl_buf_append(&text[0], line, (size_t)n);
		n = snprintf(line, sizeof(line),
			     "{\nn%d\nMemcheck:Leak\nfun:malloc\n...\nfun:_ZN*9Class%04d*\n...\nfun:f%d\n}\n",
			     i, i * 20, i * 20);
		hl_buf_append(&text[1], line, (size_t)n);
	}
	for (int i = 0; i < 10000; i++) {
		uint32_t t = 0;

		for (int k = 0; k < 25; k++) {
			struct test_frame f = {line, "/some/where/in/the/source/tree/file.cc", (uint32_t)k,
					       "/bin/p"};

			snprintf(line, sizeof(line),
				 k == 5   ? "f%d"
				 : k == 6 ? "n::Class%04d::method(int)"
					  : "name::space%d::Class::method(int, char const*)",
				 k == 5 || k == 6 ? i : (i * 25 + k) % 20000);
			t = hl_names_traceback(names, t, make_frame(names, &f));
		}
		stacks[i] = t;
	}
	begun = seconds();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(hl_suppressions_parse(&s, (char *)text[i].data, text[i].len, "f", &d), 0);
	ck_assert_uint_eq(s.n, 1000);
	for (int i = 0; i < 10000; i++)
		matched += hl_suppressions_match(&s, HL_LEAK_DEFINITE, HL_ENTRY_MALLOC, stacks[i], names) !=
			   HL_ID_NONE;
	begun = seconds() - begun;
	ck_assert_uint_eq(matched, 500);
	ck_assert_msg(begun < 3, "%.2f s", begun);
	printf("# 1000 entries, 10000 stacks of 25: %.3f s\n", begun);
	hl_buf_release(&text[0]);
	hl_buf_release(&text[1]);
	free(stacks);
	hl_suppressions_release(&s);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress_match");
	TCase *c = tcase_create("suppress_match");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_test(c, patterns_of_lsan);
	tcase_add_test(c, lsan_asks_module_function_and_file_of_every_frame);
	tcase_add_test(c, frames_match_a_prefix_of_the_stack);
	tcase_add_test(c, functions_may_be_mangled);
	tcase_add_test(c, what_valgrind_generates_matches);
	tcase_add_test(c, the_allocation_function_is_known_by_its_names);
	tcase_add_test(c, unknown_frames_are_question_marks);
	tcase_add_test(c, a_thousand_entries_and_ten_thousand_stacks);
	suite_add_tcase(suite, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
