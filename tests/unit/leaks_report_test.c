/*
 * leaks_report_test.c - losses as text, as valgrind's text, as JSON and as CSV, and which of them count.
 *
 * leaks_report_test FORMAT SCENE prints one of them, for the consumers in tests/e2e/leak_formats.sh.
 */
#include "tests/unit/leaks_scenes.h"

#define MAIN_C "  File \"/nosuch/main.c\", line 9\n"
#define NO_LOSS                                                                                              \
	"LEAK SUMMARY:\n  definite: 0 bytes in 0 blocks\n  indirect: 0 bytes in 0 blocks\n"                  \
	"  possible: 0 bytes in 0 blocks\n  reachable: 0 bytes in 0 blocks\n"                                \
	"  suppressed: 0 bytes in 0 blocks\n  pointers: exact\n"

START_TEST(text_tells_each_loss_with_its_stack_then_the_sums)
{
	expect(scene_leaks, "text", &(struct hl_check_style){0},
	       "ROOT LEAK: 1048 bytes in 3 blocks (+ 32 bytes in 1 block held by them), definite\n" MAIN_C
	       "  File \"/nosuch/lib/table.c\", line 12\n"
	       "ROOT CYCLE: 96 bytes in 2 blocks, definite\n" MAIN_C
	       "  File \"/nosuch/lib/node.c\", line 20\n"
	       "  ring of 2 blocks:\n"
	       "    /nosuch/lib/node.c:20, 48 bytes, +8 -> the next\n"
	       "    /nosuch/lib/node.c:21, 48 bytes, +16 -> the first\n"
	       "POSSIBLE LEAK: 10 bytes in 1 block, possible\n" MAIN_C "  File \"prog!inner\", line 0\n"
	       "INDIRECT LEAK: 32 bytes in 1 block, indirect\n" MAIN_C
	       "  File \"/nosuch/lib/item.c\", line 5\n"
	       "REACHABLE: 120 bytes in 3 blocks, reachable\n"
	       "  [its stack was not recorded]\n"
	       "LEAK SUMMARY:\n"
	       "  definite: 1144 bytes in 5 blocks\n"
	       "  indirect: 32 bytes in 1 block\n"
	       "  possible: 10 bytes in 1 block\n"
	       "  reachable: 120 bytes in 3 blocks\n"
	       "  suppressed: 400 bytes in 4 blocks\n"
	       "  pointers: exact\n"
	       "SUPPRESSIONS:\n"
	       "  leak:parse_* (/nosuch/supp.txt:3): 400 bytes in 4 blocks\n"
	       "CHECK FAILED: 2 losses count against it, 1176 bytes in 6 blocks\n");
}
END_TEST

START_TEST(text_says_that_a_clean_process_passed_and_a_blind_check_did_not)
{
	struct scene s;
	char *text;

	expect(scene_empty, "text", &(struct hl_check_style){0},
	       NO_LOSS "CHECK PASSED: no loss counts against it\n");
	scene_incomplete(&s);
	s.process[0].why_incomplete = "the program is static";
	text = scene_write(&s, "text", &(struct hl_check_style){0});
	ck_assert_str_eq(text, NO_LOSS
			 "INCOMPLETE: the program is static\nCHECK INCOMPLETE: no loss counts against it\n");
	free(text);
	s.check.judged = 0;
	text = scene_write(&s, "text", &(struct hl_check_style){0});
	ck_assert_str_eq(text, NO_LOSS "INCOMPLETE: the program is static\n");
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(text_names_processes_and_what_a_baseline_says)
{
	struct scene s;
	char *text;

	scene_family(&s);
	text = scene_write(&s, "text", &(struct hl_check_style){.rows.limit = 2});
	ck_assert_ptr_nonnull(strstr(text, "process 42: ./prog --fast\n"));
	ck_assert_ptr_nonnull(strstr(text, "process 43: child\n"));
	ck_assert_ptr_nonnull(strstr(text, "ROOT LEAK: 100 bytes in 1 block, definite, known\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "ROOT LEAK: 99 bytes in 1 block, definite, grown from 9 bytes in 1 block\n"));
	ck_assert_ptr_nonnull(strstr(text, "  fixed since the baseline: 2\n"));
	ck_assert_ptr_null(strstr(text, "98 bytes")); /* the limit */
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(losses_count_when_their_kind_does_unless_suppressed_or_known)
{
	struct scene s;

	scene_leaks(&s);
	ck_assert_uint_eq(s.process[0].failing, 2);
	ck_assert_uint_eq(s.process[0].failing_bytes, 1048 + 32 + 96);
	ck_assert_uint_eq(s.process[0].failing_blocks, 6);
	/* what heads hold is not counted twice */
	s.process[0].fail_kinds |= 1u << HL_LEAK_INDIRECT | 1u << HL_LEAK_POSSIBLE;
	hl_losses_judge(&s.process[0]);
	ck_assert_uint_eq(s.process[0].failing, 4);
	ck_assert_uint_eq(s.process[0].failing_bytes, 1048 + 96 + 32 + 10);
	s.process[0].fail_kinds = 0;
	hl_losses_judge(&s.process[0]);
	ck_assert_uint_eq(s.process[0].failing, 0);
	ck_assert_int_eq(s.process[0].loss[0].fails, 0);
	scene_end(&s);
	scene_family(&s);
	ck_assert_uint_eq(s.process[0].failing, 6);
	scene_end(&s);
}
END_TEST

#define P "==42== "

START_TEST(valgrind_text_is_as_memcheck_prints_it)
{
	static const char records[] =
		P "10 bytes in 1 blocks are possibly lost in loss record 1 of 6\n"
		  "==42==    at 0x0: inner (in /nosuch/build/prog)\n"
		  "==42==    by 0x0: main (main.c:9)\n" P "\n" P
		  "32 bytes in 1 blocks are indirectly lost in loss record 2 of 6\n"
		  "==42==    at 0x0: item_new (item.c:5)\n"
		  "==42==    by 0x0: main (main.c:9)\n" P "\n" P
		  "96 bytes in 2 blocks are definitely lost in loss record 3 of 6\n"
		  "==42==    at 0x0: operator new (in /lib/ours.so)\n"
		  "==42==    by 0x0: node_new (node.c:20)\n"
		  "==42==    by 0x0: main (main.c:9)\n" P "\n" P
		  "120 bytes in 3 blocks are still reachable in loss record 4 of 6\n"
		  "==42==    at 0x0: ???\n" P "\n" P "1,080 (1,048 direct, 32 indirect) bytes in 3 blocks "
		  "are definitely lost in loss record 6 of 6\n"
		  "==42==    at 0x0: malloc (in /lib/ours.so)\n"
		  "==42==    by 0x401136: table_new(unsigned long) (table.c:12)\n"
		  "==42==    by 0x40115A: main (main.c:9)\n" P "\n";
	char *all = NULL;

	expect(scene_leaks, "valgrind", &(struct hl_check_style){.library = "/lib/ours.so", .quiet = 1},
	       records);
	ck_assert(asprintf(&all, "%s%s%s",
			   P
			   "heapledger " HL_VERSION ", leaks as memcheck prints them\n" P
			   "Command: ./prog --fast\n" P "\n" P "\n" P "HEAP SUMMARY:\n"
			   "==42==     in use at exit: 1,738 bytes in 14 blocks\n"
			   "==42==   total heap usage: 1,020 allocs, 1,006 frees, 123,456 bytes allocated\n" P
			   "\n",
			   records,
			   P "LEAK SUMMARY:\n"
			     "==42==    definitely lost: 1,144 bytes in 5 blocks\n"
			     "==42==    indirectly lost: 32 bytes in 1 blocks\n"
			     "==42==      possibly lost: 10 bytes in 1 blocks\n"
			     "==42==    still reachable: 120 bytes in 3 blocks\n"
			     "==42==         suppressed: 400 bytes in 4 blocks\n" P "\n" P
			     "ERROR SUMMARY: 2 errors from 2 contexts (suppressed: 1 from 1)\n") > 0);
	expect(scene_leaks, "valgrind", &(struct hl_check_style){.library = "/lib/ours.so"}, all);
	free(all);
	expect(scene_empty, "valgrind", &(struct hl_check_style){.quiet = 1}, "");
}
END_TEST

START_TEST(valgrind_text_keeps_so_many_callers_and_is_never_silent_when_blind)
{
	struct scene s;
	char *text;

	scene_leaks(&s);
	text = scene_write(&s, "valgrind",
			   &(struct hl_check_style){.quiet = 1, .rows = {.has_frames = 1, .frames = 2}});
	ck_assert_ptr_nonnull(strstr(text, "by 0x401136: table_new(unsigned long) (table.c:12)\n==42== \n"));
	free(text);
	scene_end(&s);
	scene_incomplete(&s);
	text = scene_write(&s, "valgrind", &(struct hl_check_style){.quiet = 1});
	ck_assert_ptr_nonnull(strstr(text, "==42== heapledger: incomplete: nothing was recorded"));
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(a_suppression_over_its_budget_suppressed_nothing)
{
	struct scene s;
	size_t counts = 0;
	char *text;

	scene_hostile(&s);
	text = scene_write(&s, "valgrind", &below_src);
	ck_assert_ptr_nonnull(strstr(text, "(suppressed: 1 from 1)\n"));
	free(text);
	text = scene_write(&s, "valgrind-xml", &below_src);
	for (size_t i = 0; text[i]; i++)
		counts += !strncmp(text + i, "<name>", 6);
	ck_assert_uint_eq(counts, 1);
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(json_has_every_loss_of_every_process)
{
	json_t *root = parsed(scene_leaks, "json");
	const json_t *p = at(root, "processes.0");

	ck_assert_int_eq(number_at(root, "schema"), 1);
	ck_assert_int_eq(number_at(root, "status"), 99);
	ck_assert_int_eq(number_at(p, "totals.definite.bytes"), 1144);
	ck_assert_int_eq(number_at(p, "totals.suppressed.blocks"), 4);
	ck_assert_int_eq(number_at(p, "totals.failing.bytes"), 1176);
	ck_assert_uint_eq(json_array_size(at(p, "losses")), 6);
	ck_assert_str_eq(text_at(p, "losses.0.loss"), "root-leak");
	ck_assert_int_eq(number_at(p, "losses.0.indirect_bytes"), 32);
	ck_assert_str_eq(text_at(p, "losses.0.address"), "0x55550010");
	ck_assert_str_eq(text_at(p, "losses.0.traceback.0.file"), "/nosuch/lib/table.c");
	ck_assert(json_is_true(at(p, "losses.0.fails")));
	ck_assert(json_is_null(at(p, "losses.0.state")));
	ck_assert_str_eq(text_at(p, "losses.1.suppression"), "leak:parse_*");
	ck_assert(json_is_false(at(p, "losses.1.fails")));
	ck_assert_str_eq(text_at(p, "losses.2.loss"), "root-cycle");
	ck_assert_int_eq(number_at(p, "losses.2.ring.1.offset"), 16);
	ck_assert_int_eq(number_at(p, "losses.2.ring.1.traceback.0.line"), 21);
	ck_assert(json_is_null(at(p, "suppressions.0.max_blocks")));
	json_decref(root);
	root = parsed(scene_family, "json");
	ck_assert_str_eq(text_at(root, "processes.1.losses.1.state"), "grown");
	ck_assert_int_eq(number_at(root, "processes.1.losses.1.baseline.bytes"), 9);
	ck_assert_int_eq(number_at(root, "processes.1.totals.fixed"), 2);
	json_decref(root);
	root = parsed(scene_incomplete, "json");
	ck_assert_int_eq(number_at(root, "status"), 4);
	ck_assert(json_is_true(at(root, "processes.0.incomplete")));
	ck_assert_uint_eq(json_array_size(at(root, "processes.0.losses")), 0);
	json_decref(root);
}
END_TEST

START_TEST(csv_has_a_row_a_loss)
{
	struct scene s;
	char *text;
	static const char want[] =
		"pid,program,loss,kind,bytes,blocks,indirect_bytes,indirect_blocks,hash,state,suppression,"
		"fails,from_bytes,from_blocks,"
		"allocated_by,traceback,truncated\n"
		"42,/nosuch/build/prog,root-leak,definite,1048,3,32,1,0000000000001000,,,1,,,malloc,/nosuch/"
		"lib/"
		"table.c:12;/nosuch/main.c:9,0\n"
		"42,/nosuch/build/prog,root-leak,definite,400,4,0,0,0000000000001005,,leak:parse_*,0,,,,/"
		"nosuch/lib/"
		"parse.c:7;/nosuch/main.c:9,0\n";

	scene_leaks(&s);
	text = scene_write(&s, "csv", &(struct hl_check_style){.rows.limit = 2});
	ck_assert_str_eq(text, want);
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(formats_are_found_by_name)
{
	const char *list = hl_check_format_list();

	for (size_t i = 0; i < FORMATS; i++) {
		ck_assert_str_eq(hl_check_format_find(formats[i])->name, formats[i]);
		ck_assert_ptr_nonnull(strstr(list, formats[i]));
	}
	ck_assert_ptr_null(hl_check_format_find("xml"));
}
END_TEST

static int print(const char *format, const char *scene)
{
	for (size_t i = 0; i < SCENES; i++)
		if (!strcmp(scenes[i].name, scene) && hl_check_format_find(format)) {
			struct scene s;

			scenes[i].make(&s);
			hl_check_format_find(format)->write(stdout, &below_src, &s.check);
			scene_end(&s);
			return 0;
		}
	return 2;
}

int main(int argc, char **argv)
{
	const TTest *const tests[] = {text_tells_each_loss_with_its_stack_then_the_sums,
				      text_says_that_a_clean_process_passed_and_a_blind_check_did_not,
				      text_names_processes_and_what_a_baseline_says,
				      losses_count_when_their_kind_does_unless_suppressed_or_known,
				      valgrind_text_is_as_memcheck_prints_it,
				      valgrind_text_keeps_so_many_callers_and_is_never_silent_when_blind,
				      a_suppression_over_its_budget_suppressed_nothing,
				      json_has_every_loss_of_every_process,
				      csv_has_a_row_a_loss,
				      formats_are_found_by_name};

	if (argc == 3)
		return print(argv[1], argv[2]);
	return scene_tests("leaks_report", tests, sizeof(tests) / sizeof(tests[0]));
}
