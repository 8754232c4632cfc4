/*
 * demangle_test.c - names of C++, Rust and D, and names made to hurt.
 */
#include "analyzer/model/sym_names.h"
#include "analyzer/model/sym_paths.h"
#include "analyzer/model/symbols.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *name, const char *text)
{
	char *got = hl_demangle(name);

	ck_assert_str_eq(got, text);
	free(got);
}

START_TEST(names_of_three_languages_are_demangled)
{
	expect("_ZN4shop3BoxIiE3getEi", "shop::Box<int>::get(int)");
	expect("_Znwm", "operator new(unsigned long)");
	expect("_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size() const");
	expect("_ZN12_GLOBAL__N_16hiddenEi", "(anonymous namespace)::hidden(int)");
	expect("_ZN4shop3getEi.part.0", "shop::get(int) [clone .part.0]");
	expect("_RNvC6_123foo3bar", "123foo::bar");
	expect("_RNvCsgStHSCytQ6I_7mycrate3foo", "mycrate::foo");
	expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
	expect("_D4core6memory2GC6mallocFNbmkxC8TypeInfoZPv",
	       "core.memory.GC.malloc(ulong, uint, const(TypeInfo))");
}
END_TEST

START_TEST(other_names_are_left_alone)
{
	expect("main", "main");
	expect("", "");
	expect("_Z", "_Z");
	expect("_ZN", "_ZN");
	expect("_R", "_R");
	expect("_D", "_D");
	expect("_Zebra", "_Zebra");
	expect("__libc_start_main", "__libc_start_main");
}
END_TEST

/* "_Z1f" and parts times repeat, each with %s counted up; what comes out is a name or the input. */
static char *repeat(const char *head, const char *part, size_t n, const char *tail)
{
	char *name = malloc(strlen(head) + n * strlen(part) + strlen(tail) + 1), *p;

	ck_assert_ptr_nonnull(name);
	p = stpcpy(name, head);
	while (n--)
		p = stpcpy(p, part);
	strcpy(p, tail);
	return name;
}

START_TEST(long_template_names_are_demangled)
{
	char *name = repeat("_Z1fN1a", "7longish", 200, "E"), *got = hl_demangle(name);

	ck_assert_uint_gt(strlen(name), 1500);
	ck_assert_int_eq(strncmp(got, "f(a::longish::longish::", 23), 0);
	free(got);
	free(name);
}
END_TEST

START_TEST(a_short_name_cannot_ask_for_gigabytes)
{
	/* each pair refers twice to the one before it: 2^40 times int */
	static const char first[] = "_Z1fSt4pairIiiE";
	char name[1024], *got, *p = stpcpy(name, first);

	p = stpcpy(p, "S_IS0_S0_E");
	for (int i = 0; i < 40; i++) {
		char ref[8];

		/* S1_, S2_ ... in base 36 */
		snprintf(ref, sizeof(ref), i + 1 < 36 ? "S%c_" : "S1%c_",
			 i + 1 < 10   ? '0' + i + 1
			 : i + 1 < 36 ? 'A' + i + 1 - 10
				      : '0' + i + 1 - 36);
		p += sprintf(p, "S_I%s%sE", ref, ref);
	}
	got = hl_demangle(name);
	ck_assert_uint_le(strlen(got), 16384);
	free(got);
}
END_TEST

START_TEST(names_made_to_recurse_or_double_end_soon)
{
	static const struct {
		const char *head, *part, *tail;
	} names[] = {
		{"_Z1f", "P", "i"},
		{"_Z1fI", "J", "i"},
		{"_Z1fDT", "ng", "fp_E"},
		{"_Z1fIX", "L_Z1fIX", "E"},
		{"_ZN1aI", "N1aI", "E"},
		{"_Z1f", "N1aIS_", "E"},
		{"_RI", "I", "C1a"},
		{"_RNvC1a", "B_", "1b"},
		{"_RINvC1a1bR", "TR", "B_"},
		{"_D1aF", "P", "Zv"},
		{"_D1aFHiiHQeQg", "HQgQi", "Zv"},
		{"_D", "1a", ""},
		{"_D1aF", "DF", "Zv"},
		{"_ZZ", "Z", "E"},
		{"_Z", "GR", "x_"},
	};
	static const size_t repeats[] = {10, 300, 1000, 4000, 100000};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (size_t k = 0; k < sizeof(repeats) / sizeof(*repeats); k++) {
			char *name = repeat(names[i].head, names[i].part, repeats[k], names[i].tail);
			char *got = hl_demangle(name);

			ck_assert_uint_le(strlen(got), strlen(name) > 16384 ? strlen(name) : 16384);
			free(got);
			free(name);
		}
}
END_TEST

START_TEST(any_bytes_give_a_string)
{
	uint32_t seed = 5;
	char name[80];

	for (int i = 0; i < 200000; i++) {
		static const char *const heads[] = {"_Z", "_R", "_D", "_ZN", "_RNv"};
		static const char alphabet[] = "0123456789_SIJNELXTFPKRQZHstcdabnvwy.";
		size_t n = (size_t)sprintf(name, "%s", heads[i % 5]), length;

		seed = seed * 1664525u + 1013904223u;
		for (length = n + (seed >> 8) % 60; n < length; n++) {
			seed = seed * 1664525u + 1013904223u;
			name[n] = alphabet[(seed >> 8) % (sizeof(alphabet) - 1)];
		}
		name[n] = 0;
		free(hl_demangle(name));
	}
}
END_TEST

START_TEST(entry_points_of_allocators_are_known_by_their_raw_names)
{
	static const char *const yes[] = {
		"malloc",
		"free",
		"cfree",
		"reallocarray",
		"posix_memalign",
		"__libc_malloc",
		"__GI___libc_malloc",
		"__libc_memalign",
		"__posix_memalign",
		"malloc.part.0",
		"malloc@@GLIBC_2.2.5",
		"_Znwm",
		"_ZnamRKSt9nothrow_t",
		"_ZdlPvm",
		"_ZdaPvSt11align_val_t",
		"operator new",
		"operator delete[]",
		"__rust_alloc",
		"__rdl_realloc",
	};
	static const char *const no[] = {
		"",
		"mallocate",
		"xmalloc",
		"my_malloc",
		"je_malloc",
		"_ZN3FoonwEm",
		"_ZN2ns4freeEPv",
		"strdup",
		"_ZNSt15__new_allocatorIiE8allocateEmPKv",
		"_ZNSaIiE8allocateEm",
		"malloc_usable_size",
		"__rust_start_panic",
		"operator",
		"__libc_start_main",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ck_assert_msg(hl_sym_is_allocator(yes[i], 0), "%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ck_assert_msg(!hl_sym_is_allocator(no[i], 0), "%s", no[i]);
	ck_assert(hl_sym_is_allocator("je_malloc", 1));
	ck_assert(hl_sym_is_allocator("tc_newarray", 1));
	ck_assert(hl_sym_is_allocator("mi_zalloc", 1));
	ck_assert(!hl_sym_is_allocator("je_arena_init", 1));
}
END_TEST

START_TEST(a_name_is_an_allocator_by_its_module_too)
{
	struct hl_intern *t = hl_intern_new();
	struct hl_sym_names ours, jemalloc, program;
	static const char versioned[] = "pthread_create@@GLIBC_2.34";

	hl_sym_names_init(&ours, t, "libheapledger.so");
	hl_sym_names_init(&jemalloc, t, "libjemalloc.so.2");
	hl_sym_names_init(&program, t, "program");
	ck_assert(hl_sym_names_add(&ours, NULL, "record")->allocator);
	ck_assert(hl_sym_names_add(&jemalloc, NULL, "je_malloc")->allocator);
	ck_assert(!hl_sym_names_add(&program, NULL, "je_malloc")->allocator);
	ck_assert_str_eq(hl_sym_names_add(&program, versioned, versioned)->text, "pthread_create");
	ck_assert_str_eq(hl_sym_names_known(&program, versioned)->text, "pthread_create");
	ck_assert_ptr_null(hl_sym_names_known(&program, "another"));
	hl_sym_names_release(&ours);
	hl_sym_names_release(&jemalloc);
	hl_sym_names_release(&program);
	hl_intern_free(t);
}
END_TEST

START_TEST(paths_are_normalised_as_text)
{
	static const char *const cases[][2] = {
		{"/a/b.c", "/a/b.c"},
		{"/a/./b//c.c", "/a/b/c.c"},
		{"/a/x/../b.c", "/a/b.c"},
		{"/../../a.c", "/a.c"},
		{"a/../../b.c", "../b.c"},
		{"./a.c", "a.c"},
		{"a/..", "."},
		{"/", "/"},
		{"", "."},
		{"../../a.c", "../../a.c"},
		{"/a/b/../../c.c", "/c.c"},
		{"/a/..", "/"},
		{"/a/...", "/a/..."},
		{"a//", "a"},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_str_eq(hl_sym_path_normalise(out, sizeof(out), cases[i][0]), cases[i][1]);
	/* what does not fit is cut between components */
	ck_assert_str_eq(hl_sym_path_normalise(out, 8, "/abc/defgh/i"), "/abc");
	ck_assert_str_eq(hl_sym_path_normalise(out, 2, "../.."), ".");
}
END_TEST

START_TEST(the_first_path_map_that_fits_whole_components_is_used)
{
	static const char *const maps[] = {"nonsense", "=x", "/src=/a", "/src/lib=/b", "/end/=/c/", NULL};
	char out[64];

	ck_assert_str_eq(hl_sym_path_map(out, sizeof(out), "/src/lib/x.c", maps), "/a/lib/x.c");
	ck_assert_str_eq(hl_sym_path_map(out, sizeof(out), "/src", maps), "/a");
	ck_assert_str_eq(hl_sym_path_map(out, sizeof(out), "/srcs/x.c", maps), "/srcs/x.c");
	ck_assert_str_eq(hl_sym_path_map(out, sizeof(out), "/end/x.c", maps), "/c/x.c");
	ck_assert_str_eq(hl_sym_path_map(out, sizeof(out), "/x.c", NULL), "/x.c");
}
END_TEST

START_TEST(equal_strings_are_interned_once)
{
	struct hl_intern *t = hl_intern_new();
	char big[400000], name[32];
	const char *first[1000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	for (int i = 0; i < 1000; i++) {
		sprintf(name, "string %d", i);
		first[i] = hl_intern_string(t, name);
	}
	ck_assert_ptr_eq(hl_intern_string(t, big), hl_intern_bytes(t, big, sizeof(big) - 1));
	ck_assert_str_eq(hl_intern_string(t, ""), "");
	for (int i = 0; i < 1000; i++) {
		sprintf(name, "string %d", i);
		ck_assert_str_eq(first[i], name);
		ck_assert_ptr_eq(hl_intern_string(t, name), first[i]);
	}
	ck_assert_ptr_ne(hl_intern_string(t, "string 1"), hl_intern_bytes(t, "string 10", 9));
	ck_assert_ptr_eq(hl_intern_string(t, "string 1"), hl_intern_bytes(t, "string 10", 8));
	hl_intern_free(t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		names_of_three_languages_are_demangled,
		other_names_are_left_alone,
		long_template_names_are_demangled,
		a_short_name_cannot_ask_for_gigabytes,
		names_made_to_recurse_or_double_end_soon,
		any_bytes_give_a_string,
		entry_points_of_allocators_are_known_by_their_raw_names,
		a_name_is_an_allocator_by_its_module_too,
		paths_are_normalised_as_text,
		the_first_path_map_that_fits_whole_components_is_used,
		equal_strings_are_interned_once,
	};
	Suite *s = suite_create("names");
	TCase *tc = tcase_create("names");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
