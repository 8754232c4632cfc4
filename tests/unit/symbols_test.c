/*
 * symbols_test.c - frames of programs that carry their own symbols, or none.
 */
#include "tests/unit/symbols_fixture.h"

static struct fx x;

static void setup(void)
{
	fx_setup();
}

static void teardown(void)
{
	fx_close(&x);
	fx_remove();
}

static void leaf_of(const char *name)
{
	fx_open(&x, name, name);
	fx_ask(&x, fx_address(name, "hl_mark_leaf"));
	fx_expect_leaf(&x);
	fx_close(&x);
}

START_TEST(inlined_calls_become_frames_innermost_first_with_their_call_lines)
{
	fx_sh("gcc -O2 -g -o a a.c");
	leaf_of("a");
}
END_TEST

START_TEST(dwarf_4_and_5_of_gcc_and_clang_give_the_same_frames)
{
	static const char *const flags[] = {"-O2 -gdwarf-4 -fPIE -pie",
					    "-O2 -gdwarf-5 -fPIE -pie",
					    "-O2 -gdwarf-4 -fno-PIE -no-pie",
					    "-O2 -gdwarf-5 -fno-PIE -no-pie",
					    "-O2 -gdwarf-5 -gz",
					    "-O2 -gdwarf-4 -ffunction-sections -Wl,--gc-sections",
					    "-O2 -gdwarf-5 -flto"};
	static const char *const compilers[] = {"gcc", "clang"};

	for (size_t c = 0; c < 2; c++) {
		if (c && !fx_have("dwarf of clang", compilers[c]))
			break;
		for (size_t i = 0; i < sizeof(flags) / sizeof(*flags) - c; i++) {
			fx_sh("%s %s -o a a.c", compilers[c], flags[i]);
			leaf_of("a");
		}
	}
}
END_TEST

static void open_for_variables(const char *program)
{
	fx_open(&x, program, program);
	x.options.variables = 1;
	fx_ask(&x, fx_address("v.full", "main"));
}

/* At the address that the symbol table of program says, plus into. */
static void expect_variable(const char *program, const char *symbol, uint64_t into, const char *name,
			    uint64_t offset)
{
	uint64_t got = 77;

	ck_assert_str_eq(
		hl_symbols_variable(x.symbols, 0, FX_BIAS + fx_address(program, symbol) + into, &got), name);
	ck_assert_uint_eq(got, offset);
}

START_TEST(variables_are_named_with_how_far_into_them_an_address_lies)
{
	fx_write("v.cc",
		 "namespace shop { struct Cache { long a, b, c; }; Cache cache; static long hits[4]; }\n"
		 "extern \"C\" long *of_main() { static long inner; return &inner + shop::hits[1]; }\n"
		 "thread_local long own; const long constant = 5;\n"
		 "int main() { own += *of_main() + constant; return (int)(shop::cache.a + own); }\n");
	fx_sh("g++ -O0 -o v v.cc && cp v v.full");
	open_for_variables("v");
	expect_variable("v.full", "_ZN4shop5cacheE", 0x10, "v!shop::cache", 0x10);
	expect_variable("v.full", "_ZN4shopL4hitsE", 31, "v!shop::hits", 31);
	expect_variable("v.full", "_ZZ7of_mainE5inner", 0, "v!of_main::inner", 0);
	/* code is no variable, nor is a constant */
	expect_variable("v.full", "main", 1, "v", fx_address("v.full", "main") + 1);
	fx_close(&x);
	/* only what is exported is known then: the rest by its place in the file */
	fx_sh("strip v");
	open_for_variables("v");
	expect_variable("v.full", "_ZN4shop5cacheE", 0x10, "v",
			fx_address("v.full", "_ZN4shop5cacheE") + 0x10);
}
END_TEST

START_TEST(units_in_dwo_files_are_read)
{
	static const char *const flags[] = {"-gdwarf-4", "-gdwarf-5"};

	for (size_t i = 0; i < 2; i++) {
		fx_sh("gcc -O2 %s -gsplit-dwarf -c -o a.o a.c && gcc -o a a.o && ls *.dwo >/dev/null",
		      flags[i]);
		leaf_of("a");
	}
	/* gone: the line stays, who inlined it is not known any more */
	fx_sh("rm *.dwo");
	fx_open(&x, "a", "a");
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	ck_assert_uint_eq(x.n, 1);
	fx_expect(&x, 0, "outer", "a.c", 4);
}
END_TEST

START_TEST(without_inlines_a_pc_is_one_frame_at_the_innermost_line)
{
	fx_sh("gcc -O2 -g -o a a.c");
	fx_open(&x, "a", "a");
	x.options.inlines = 0;
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	ck_assert_uint_eq(x.n, 1);
	fx_expect(&x, 0, "leaf", "a.c", 4);
}
END_TEST

START_TEST(templates_and_anonymous_namespaces_have_their_full_names)
{
	fx_sh("g++ -O2 -g -o b a.cc");
	fx_open(&x, "b", "b");
	fx_ask(&x, fx_address("b", "hl_mark_box"));
	fx_expect(&x, 0, "shop::Box<int>::get(int)", "a.cc", 6);
	fx_ask(&x, fx_address("b", "hl_mark_quiet"));
	fx_expect(&x, 0, "(anonymous namespace)::Local::quiet", "a.cc", 15);
}
END_TEST

START_TEST(a_return_address_belongs_to_the_call_before_it)
{
	const struct hl_frame *exact;
	uint32_t n;

	fx_sh("gcc -O2 -g -o a a.c");
	fx_open(&x, "a", "a");
	/* the byte before the mark is another line; the mark itself is asked for as mark + 1 by fx_ask */
	fx_ask(&x, fx_address("a", "outer") - 1);
	ck_assert(x.n != 3);
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	fx_expect_leaf(&x);
	hl_symbols_free(x.symbols);
	x.nodes[1].pc--;
	x.nodes[1].flags = HL_NODE_EXACT;
	x.symbols = hl_symbols_new(&x.facts, &x.options);
	exact = hl_symbols_frames(x.symbols, 1, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(exact[0].function, "leaf");
}
END_TEST

START_TEST(a_library_loaded_twice_is_read_once_and_gives_equal_frames)
{
	struct hl_module modules[2];
	struct hl_node nodes[4] = {{0}};
	struct hl_facts facts = {.nodes = nodes, .nnodes = 4, .modules = modules, .nmodules = 2};
	const struct hl_frame *first, *second, *between;
	struct hl_symbol_stats stats;
	uint64_t mark;
	uint32_t n;

	fx_sh("gcc -O2 -g -DLIBRARY -shared -fPIC -o lib.so a.c");
	mark = fx_address("lib.so", "hl_mark_leaf");
	fx_open(&x, "lib.so", "lib.so");
	for (int i = 0; i < 2; i++) {
		modules[i] = x.module;
		modules[i].first_epoch = (uint32_t)(1 + 2 * i);
		modules[i].last_epoch = modules[i].first_epoch;
		modules[i].bias += (uint64_t)i << 32;
		modules[i].start = modules[i].bias;
		modules[i].end = modules[i].bias + (1u << 20);
		nodes[1 + i] = (struct hl_node){
			.pc = mark + 1 + modules[i].bias, .known = 1, .epoch = 1 + 2u * (uint32_t)i};
	}
	nodes[3] = (struct hl_node){.pc = mark + 1 + modules[0].bias, .known = 1, .epoch = 2};
	x.symbols = hl_symbols_new(&facts, NULL);
	first = hl_symbols_frames(x.symbols, 1, &n);
	second = hl_symbols_frames(x.symbols, 2, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_eq(first, second);
	ck_assert_str_eq(first[2].function, "outer");
	/* unloaded in between */
	between = hl_symbols_frames(x.symbols, 3, &n);
	ck_assert_int_eq(between->kind, HL_FRAME_UNKNOWN);
	hl_symbols_stats(x.symbols, &stats);
	ck_assert_uint_eq(stats.pcs, 2);
	ck_assert_uint_eq(stats.with_line, 1);
	ck_assert_uint_eq(stats.unknown, 1);
}
END_TEST

START_TEST(what_the_linker_dropped_holds_no_address)
{
	/* dropped functions keep their debug information, at address 0: this one would reach over all code */
	fx_sh("(cat a.c; echo 'void dead(void) { __asm__ volatile(\".skip 0x100000, 0x90\"); }') > d.c");
	for (int version = 4; version <= 5; version++) {
		fx_sh("gcc -O2 -gdwarf-%d -pie -fPIE -ffunction-sections -Wl,--gc-sections -o a d.c",
		      version);
		ck_assert_uint_lt(fx_address("a", "_start"), 0x100000);
		fx_open(&x, "a", "a");
		fx_ask(&x, fx_address("a", "_start"));
		ck_assert_str_eq(x.frames[0].file, "a!_start");
		fx_ask(&x, fx_address("a", "hl_mark_leaf"));
		ck_assert_uint_eq(x.n, 3);
		ck_assert_str_eq(x.frames[2].function, "outer");
	}
}
END_TEST

START_TEST(without_lines_a_frame_is_its_module_and_function)
{
	fx_sh("gcc -O2 -o a a.c");
	fx_open(&x, "a", "a");
	fx_ask(&x, fx_address("a", "hl_mark_hidden"));
	ck_assert_uint_eq(x.n, 1);
	ck_assert_int_eq(x.frames[0].kind, HL_FRAME_FUNCTION);
	ck_assert_str_eq(x.frames[0].function, "hidden");
	ck_assert_str_eq(x.frames[0].file, "a!hidden");
	ck_assert_uint_eq(x.frames[0].line, 0);
}
END_TEST

START_TEST(without_symbols_a_frame_is_its_module_and_offset)
{
	char expected[64];
	uint64_t mark;

	fx_sh("gcc -O2 -o a a.c && strip -o bare a");
	mark = fx_address("a", "hl_mark_hidden");
	snprintf(expected, sizeof(expected), "bare+0x%llx", (unsigned long long)mark);
	fx_open(&x, "bare", "bare");
	fx_ask(&x, mark);
	ck_assert_int_eq(x.frames[0].kind, HL_FRAME_OFFSET);
	ck_assert_str_eq(x.frames[0].function, expected);
	ck_assert_str_eq(x.frames[0].file, expected);
}
END_TEST

START_TEST(exported_names_are_found_when_only_they_are_left)
{
	uint64_t outer;

	fx_sh("gcc -O2 -DLIBRARY -shared -fPIC -o full.so a.c && strip -o lib.so full.so");
	outer = fx_address("full.so", "outer");
	fx_open(&x, "lib.so", "lib.so");
	fx_ask(&x, outer);
	ck_assert_str_eq(x.frames[0].file, "lib.so!outer");
	/* between two exported functions that have sizes there is no function */
	fx_ask(&x, fx_address("full.so", "hl_mark_hidden"));
	ck_assert_int_eq(x.frames[0].kind, HL_FRAME_OFFSET);
}
END_TEST

START_TEST(equal_strings_are_equal_pointers)
{
	fx_sh("gcc -O2 -g -o a a.c");
	fx_open(&x, "a", "a");
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	ck_assert_ptr_eq(x.frames[0].file, x.frames[2].file);
	ck_assert_ptr_eq(x.frames[0].module, x.frames[1].module);
}
END_TEST

START_TEST(what_is_nowhere_is_one_unknown_frame)
{
	static const uint32_t ids[] = {0, 2, 77};
	uint32_t n;

	fx_sh("gcc -O2 -g -o a a.c");
	fx_open(&x, "a", "a");
	fx_ask(&x, UINT64_MAX / 2);
	ck_assert_int_eq(x.frames[0].kind, HL_FRAME_UNKNOWN);
	ck_assert_str_eq(x.frames[0].file, "<unknown>");
	ck_assert_str_eq(x.frames[0].module, "<unknown>");
	/* the root, and ids that are not there */
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(hl_symbols_frames(x.symbols, ids[i], &n)->kind, HL_FRAME_UNKNOWN);
	fx_close(&x);
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	hl_symbols_free(x.symbols);
	x.nodes[1].known = 0;
	x.symbols = hl_symbols_new(&x.facts, &x.options);
	ck_assert_int_eq(hl_symbols_frames(x.symbols, 1, &n)->kind, HL_FRAME_UNKNOWN);
}
END_TEST

START_TEST(source_paths_are_normalised_then_mapped)
{
	static const char *const maps[] = {"/nowhere=/x", "/build/sr=/wrong", "/build/src=/home/me/src",
					   NULL};

	fx_sh("mkdir -p d && gcc -O2 -g -ffile-prefix-map=\"$PWD\"=/build/src -o a d/.././/a.c");
	fx_open(&x, "a", "a");
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	ck_assert_str_eq(x.frames[0].file, "/build/src/a.c");
	x.options.path_maps = maps;
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_str_eq(x.frames[i].file, "/home/me/src/a.c");
	/* a relative compilation directory is joined once */
	for (int version = 4; version <= 5; version++) {
		fx_sh("gcc -O2 -gdwarf-%d -ffile-prefix-map=\"$PWD\"=./sub -o a a.c", version);
		fx_open(&x, "a", "a");
		fx_ask(&x, fx_address("a", "hl_mark_leaf"));
		for (uint32_t i = 0; i < 3; i++)
			ck_assert_str_eq(x.frames[i].file, "sub/a.c");
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		inlined_calls_become_frames_innermost_first_with_their_call_lines,
		dwarf_4_and_5_of_gcc_and_clang_give_the_same_frames,
		units_in_dwo_files_are_read,
		variables_are_named_with_how_far_into_them_an_address_lies,
		without_inlines_a_pc_is_one_frame_at_the_innermost_line,
		templates_and_anonymous_namespaces_have_their_full_names,
		a_return_address_belongs_to_the_call_before_it,
		a_library_loaded_twice_is_read_once_and_gives_equal_frames,
		what_the_linker_dropped_holds_no_address,
		without_lines_a_frame_is_its_module_and_function,
		without_symbols_a_frame_is_its_module_and_offset,
		exported_names_are_found_when_only_they_are_left,
		equal_strings_are_equal_pointers,
		what_is_nowhere_is_one_unknown_frame,
		source_paths_are_normalised_then_mapped,
	};
	Suite *s = suite_create("symbols");
	TCase *tc = tcase_create("symbols");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
