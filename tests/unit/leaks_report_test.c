/*
 * leaks_report_test.c - losses in every format.
 *
 * leaks_report_test FORMAT SCENE prints one of them below /nosuch, for the consumers in tests/e2e/leak_formats.sh.
 */
#include "analyzer/report/uri.h"
#include "tests/unit/leaks_scenes.h"
#include <check.h>
#include <jansson.h>

static const struct hl_check_style below_src = {.source_root = "/nosuch"};
static const char *const formats[] = {"text",   "json",   "csv",      "sarif",       "junit",
				      "github", "gitlab", "valgrind", "valgrind-xml"};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static void expect(void (*make)(struct scene *), const char *format, const struct hl_check_style *style,
		   const char *want)
{
	struct scene s;
	char *text;

	make(&s);
	text = scene_write(&s, format, style);
	ck_assert_str_eq(text, want);
	free(text);
	scene_end(&s);
}

static json_t *parsed(void (*make)(struct scene *), const char *format)
{
	struct scene s;
	json_error_t e;
	json_t *root;
	char *text;

	make(&s);
	text = scene_write(&s, format, &below_src);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	ck_assert_msg(root != NULL, "%s: %s", e.text, text);
	free(text);
	scene_end(&s);
	return root;
}

/* "a.b.0.c" */
static const json_t *at(const json_t *o, const char *path)
{
	char *copy = strdup(path), *next = copy, *part;

	while (o && (part = strsep(&next, ".")))
		o = json_is_array(o) ? json_array_get(o, strtoul(part, NULL, 10)) : json_object_get(o, part);
	free(copy);
	ck_assert_msg(o != NULL, "no %s", path);
	return o;
}

static const char *text_at(const json_t *o, const char *path)
{
	ck_assert_msg(json_is_string(at(o, path)), "%s is no string", path);
	return json_string_value(at(o, path));
}

static long long number_at(const json_t *o, const char *path)
{
	ck_assert_msg(json_is_integer(at(o, path)), "%s is no integer", path);
	return json_integer_value(at(o, path));
}

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
	ck_assert(json_is_null(at(p, "suppressions.0.max")));
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
		"fails,"
		"allocated_by,traceback,truncated\n"
		"42,/nosuch/build/prog,root-leak,definite,1048,3,32,1,0000000000001000,,,1,malloc,/nosuch/"
		"lib/"
		"table.c:12;/nosuch/main.c:9,0\n"
		"42,/nosuch/build/prog,root-leak,definite,400,4,0,0,0000000000001005,,leak:parse_*,0,,/"
		"nosuch/lib/"
		"parse.c:7;/nosuch/main.c:9,0\n";

	scene_leaks(&s);
	text = scene_write(&s, "csv", &(struct hl_check_style){.rows.limit = 2});
	ck_assert_str_eq(text, want);
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(sarif_places_losses_in_the_repository)
{
	json_t *root = parsed(scene_leaks, "sarif");
	const json_t *run = at(root, "runs.0"), *r = at(run, "results.0");

	ck_assert_str_eq(text_at(root, "version"), "2.1.0");
	ck_assert_str_eq(text_at(run, "originalUriBaseIds.SRCROOT.uri"), "file:///nosuch/");
	ck_assert_str_eq(text_at(r, "ruleId"), "root-leak");
	for (size_t i = 0; i < json_array_size(at(run, "results")); i++) {
		const json_t *result = json_array_get(at(run, "results"), i);
		const json_t *rule =
			json_array_get(at(run, "tool.driver.rules"), (size_t)number_at(result, "ruleIndex"));

		ck_assert_str_eq(text_at(rule, "id"), text_at(result, "ruleId"));
	}
	ck_assert_str_eq(text_at(r, "level"), "error");
	ck_assert_str_eq(text_at(r, "message.text"),
			 "ROOT LEAK: 1048 bytes in 3 blocks (+ 32 bytes in 1 block "
			 "held by them), definite");
	ck_assert_str_eq(text_at(r, "locations.0.physicalLocation.artifactLocation.uri"), "lib/table.c");
	ck_assert_str_eq(text_at(r, "locations.0.physicalLocation.artifactLocation.uriBaseId"), "SRCROOT");
	ck_assert_int_eq(number_at(r, "locations.0.physicalLocation.region.startLine"), 12);
	ck_assert_str_eq(text_at(r, "stacks.0.frames.1.location.logicalLocations.0.fullyQualifiedName"),
			 "main");
	ck_assert_str_eq(text_at(r, "partialFingerprints.heapledger/v1"), "0000000000001000-0");
	ck_assert_uint_eq(json_array_size(at(r, "suppressions")), 0);
	ck_assert_str_eq(text_at(run, "results.1.suppressions.0.justification"), "leak:parse_*");
	ck_assert_str_eq(text_at(run, "results.2.ruleId"), "root-cycle");
	ck_assert_str_eq(text_at(run, "results.2.relatedLocations.1.message.text"),
			 "2 of the ring: 48 bytes, +16 leads to 1");
	ck_assert_str_eq(text_at(run, "results.3.level"), "warning");
	/* the newest frame has no line: the place is its caller's */
	ck_assert_str_eq(text_at(run, "results.3.locations.0.physicalLocation.artifactLocation.uri"),
			 "main.c");
	ck_assert_str_eq(text_at(run, "results.5.level"), "note");
	/* no stack: at its program, with a line because GitHub wants one */
	ck_assert_str_eq(text_at(run, "results.5.locations.0.physicalLocation.artifactLocation.uri"),
			 "build/prog");
	ck_assert_int_eq(number_at(run, "results.5.locations.0.physicalLocation.region.startLine"), 1);
	ck_assert(json_is_true(at(run, "invocations.0.executionSuccessful")));
	json_decref(root);
	root = parsed(scene_incomplete, "sarif");
	ck_assert(json_is_false(at(root, "runs.0.invocations.0.executionSuccessful")));
	ck_assert_str_eq(text_at(root, "runs.0.results.0.ruleId"), "incomplete");
	ck_assert_ptr_nonnull(strstr(text_at(root, "runs.0.results.0.message.text"), "{{0}}"));
	json_decref(root);
	root = parsed(scene_family, "sarif");
	ck_assert_str_eq(text_at(root, "runs.0.results.0.baselineState"), "unchanged");
	ck_assert_str_eq(text_at(root, "runs.0.results.1.baselineState"), "updated");
	ck_assert_str_eq(text_at(root, "runs.0.results.2.baselineState"), "new");
	json_decref(root);
}
END_TEST

START_TEST(gitlab_gets_an_issue_a_finding_with_fingerprints_that_differ)
{
	json_t *root = parsed(scene_leaks, "gitlab"), *seen = json_object();

	ck_assert_uint_eq(json_array_size(root), 5);
	ck_assert_str_eq(text_at(root, "0.description"),
			 "ROOT LEAK: 1048 bytes in 3 blocks (+ 32 bytes in 1 block held by them), definite, "
			 "allocated in table_new(unsigned long) (lib/table.c:12)");
	ck_assert_str_eq(text_at(root, "0.check_name"), "root-leak");
	ck_assert_str_eq(text_at(root, "0.severity"), "major");
	ck_assert_str_eq(text_at(root, "0.location.path"), "lib/table.c");
	ck_assert_int_eq(number_at(root, "0.location.lines.begin"), 12);
	/* no stack: at its program */
	ck_assert_str_eq(text_at(root, "4.location.path"), "build/prog");
	ck_assert_int_eq(number_at(root, "4.location.lines.begin"), 1);
	json_decref(root);
	root = parsed(scene_family, "gitlab");
	ck_assert_uint_eq(json_array_size(root), 14);
	for (size_t i = 0; i < 14; i++)
		json_object_set_new(seen, text_at(json_array_get(root, i), "fingerprint"), json_true());
	ck_assert_uint_eq(json_object_size(seen), 14);
	json_decref(seen);
	json_decref(root);
	root = parsed(scene_empty, "gitlab");
	ck_assert_uint_eq(json_array_size(root), 0);
	json_decref(root);
}
END_TEST

START_TEST(github_gets_ten_commands_errors_first_and_all_in_the_summary)
{
	struct scene s;
	struct hl_check_style style = below_src;
	char *text, *summary = NULL, *line;
	size_t n = 0, commands = 0, rows = 0;

	expect(scene_leaks, "github", &below_src,
	       "::error file=lib/table.c,line=12,title=heapledger%3A ROOT LEAK::ROOT LEAK: 1048 bytes in 3 "
	       "blocks (+ "
	       "32 bytes in 1 block held by them), definite, allocated in table_new(unsigned long) "
	       "(lib/table.c:12)\n"
	       "::error file=lib/node.c,line=20,title=heapledger%3A ROOT CYCLE::ROOT CYCLE: 96 bytes in 2 "
	       "blocks, "
	       "definite, allocated in node_new (lib/node.c:20)\n"
	       "::warning file=main.c,line=9,title=heapledger%3A POSSIBLE LEAK::POSSIBLE LEAK: 10 bytes in 1 "
	       "block, "
	       "possible, allocated in main (main.c:9)\n"
	       "::warning file=lib/item.c,line=5,title=heapledger%3A INDIRECT LEAK::INDIRECT LEAK: 32 bytes "
	       "in 1 "
	       "block, indirect, allocated in item_new (lib/item.c:5)\n"
	       "::notice title=heapledger%3A REACHABLE::REACHABLE: 120 bytes in 3 blocks, reachable\n");
	expect(scene_empty, "github", &below_src, "");
	scene_family(&s);
	style.summary = open_memstream(&summary, &n);
	text = scene_write(&s, "github", &style);
	fclose(style.summary);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		commands += !strncmp(line, "::", 2);
		ck_assert_msg(!strncmp(line, "::error ", 8) ||
				      !strcmp(line, "heapledger: 4 more, in the summary of this step"),
			      "%s", line);
	}
	ck_assert_uint_eq(commands, 10);
	for (line = summary; (line = strstr(line, "\n| ")); line++)
		rows++;
	ck_assert_uint_eq(rows, 1 + 14); /* and the heading */
	ck_assert_int_eq(strncmp(summary, "### heapledger check failed\n", 28), 0);
	free(text);
	free(summary);
	scene_end(&s);
}
END_TEST

START_TEST(junit_has_a_case_a_loss_that_counts_or_one_that_passes)
{
	static const char suite[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite "
		"name=\"heapledger check prog\" tests=\"1\" failures=\"0\" errors=\"0\" "
		"skipped=\"0\" time=\"1.500\">\n    <testcase classname=\"prog\" name=\"no "
		"leaks\"/>\n  </testsuite>\n</testsuites>\n";
	struct scene s;
	char *text;

	expect(scene_empty, "junit", &below_src, suite);
	scene_start(&s, 2);
	s.process[1].program = "/other/prog";
	text = scene_write(&s, "junit", &below_src);
	ck_assert_ptr_nonnull(strstr(text, "classname=\"prog\""));
	ck_assert_ptr_nonnull(strstr(text, "classname=\"prog#2\""));
	free(text);
	scene_end(&s);
	scene_leaks(&s);
	text = scene_write(&s, "junit", &below_src);
	ck_assert_ptr_nonnull(strstr(text, "tests=\"2\" failures=\"2\" errors=\"0\""));
	ck_assert_ptr_nonnull(strstr(
		text, "name=\"root-leak in table_new(unsigned long), lib/table.c "
		      "[0000000000001000]\">\n      <failure type=\"root-leak\" message=\"ROOT LEAK: "));
	ck_assert_ptr_nonnull(strstr(text, "ring of 2 blocks:"));
	ck_assert_ptr_nonnull(strstr(text, "<system-out>POSSIBLE LEAK: 10 bytes"));
	free(text);
	scene_end(&s);
	scene_incomplete(&s);
	text = scene_write(&s, "junit", &below_src);
	ck_assert_ptr_nonnull(strstr(text, "tests=\"1\" failures=\"0\" errors=\"1\""));
	ck_assert_ptr_nonnull(strstr(text, "<error type=\"incomplete\""));
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(what_is_over_its_bound_fails_in_every_format_for_ci)
{
	static const char *const want[][2] = {
		{"github", "::error title=heapledger%3A SUPPRESSION OVER BUDGET::"},
		{"github", "::error title=heapledger%3A LIMIT EXCEEDED::"},
		{"github", "title=heapledger%3A STALE SUPPRESSION::"},
		{"junit", "<failure type=\"suppression-over-budget\""},
		{"junit", "<failure type=\"limit\""},
		{"gitlab", "\"check_name\": \"limit\""},
		{"sarif", "\"ruleId\": \"suppression-over-budget\""},
		{"text", "stale, it matched nothing"},
		{"text", ", max=2 exceeded"},
		{"text", "max-peak: exceeded, "}};
	struct scene s;

	scene_hostile(&s);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char *text = scene_write(&s, want[i][0], &below_src);

		ck_assert_msg(strstr(text, want[i][1]) != NULL, "%s: no %s in %s", want[i][0], want[i][1],
			      text);
		free(text);
	}
	scene_end(&s);
}
END_TEST

/* A command a line, of which a name can be part but no second property; a table whose cells are three. */
static void expect_commands(char *text, char *summary)
{
	for (char *next = text, *line; (line = strsep(&next, "\n")) && *line;) {
		char *data = strstr(line, "::"), *comma;
		unsigned properties = 0;

		if (!strncmp(line, "heapledger: 4 more", 18))
			continue;
		ck_assert_msg(data == line && (data = strstr(line + 2, "::")), "%s", line);
		ck_assert_ptr_null(memchr(line + 2, ':', (size_t)(data - line - 2)));
		for (comma = line; (comma = memchr(comma, ',', (size_t)(data - comma))); comma++)
			properties++;
		ck_assert_uint_le(properties, 2);
		for (char *percent = data; (percent = strchr(percent, '%')); percent++)
			ck_assert(!strncmp(percent, "%25", 3));
	}
	for (char *next = summary, *line; (line = strsep(&next, "\n"));) {
		unsigned bars = 0;

		ck_assert_ptr_null(strpbrk(line, "<>`*[]"));
		for (char *c = line; (c = strchr(c, '|')); c++)
			bars++;
		ck_assert(bars == 0 || bars == 4);
	}
}

START_TEST(hostile_names_stay_names)
{
	for (size_t i = 0; i < FORMATS; i++)
		for (size_t k = 0; k < SCENES; k++) {
			struct hl_check_style style = below_src;
			char *text, *summary = NULL;
			struct scene s;
			size_t n;

			scenes[k].make(&s);
			style.summary = open_memstream(&summary, &n);
			text = scene_write(&s, formats[i], &style);
			fclose(style.summary);
			ck_assert_ptr_null(strchr(text, '\033'));
			ck_assert_ptr_null(strchr(text, '\r'));
			ck_assert_ptr_null(strchr(text, '\xff'));
			ck_assert_ptr_null(strstr(text, "\n::error::x"));
			if (strcmp(formats[i], "json") && strcmp(formats[i], "sarif") &&
			    strcmp(formats[i], "gitlab"))
				ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
			if (!strcmp(formats[i], "csv"))
				ck_assert_ptr_null(strstr(text, ",=<f>"));
			if (!strcmp(formats[i], "github"))
				expect_commands(text, summary);
			free(text);
			free(summary);
			scene_end(&s);
		}
}
END_TEST

/* An allocator of the standard library, called by main. */
static void scene_outside(struct scene *s)
{
	uint32_t tb;

	scene_start(s, 1);
	tb = hl_names_traceback(s->names, scene_stack(s, "/nosuch/lib/list.cc", 8, "push"),
				scene_frame(s, HL_NAME_LINE, "/usr/include/new_allocator.h", 137, "allocate",
					    "/nosuch/build/prog"));
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_DEFINITE, .traceback = tb, .bytes = 1, .blocks = 1});
	scene_judge(s);
}

START_TEST(a_loss_is_placed_in_the_repository_though_a_library_allocated_it)
{
	json_t *root = parsed(scene_outside, "sarif");
	const json_t *r = at(root, "runs.0.results.0"),
		     *newest = at(r, "stacks.0.frames.0.location.physicalLocation");

	ck_assert_str_eq(text_at(r, "locations.0.physicalLocation.artifactLocation.uri"), "lib/list.cc");
	ck_assert_int_eq(number_at(r, "locations.0.physicalLocation.region.startLine"), 8);
	ck_assert_str_eq(text_at(r, "locations.0.logicalLocations.0.fullyQualifiedName"), "push");
	ck_assert_str_eq(text_at(newest, "artifactLocation.uri"), "file:///usr/include/new_allocator.h");
	/* an absolute URI has no base */
	ck_assert_ptr_null(json_object_get(at(newest, "artifactLocation"), "uriBaseId"));
	json_decref(root);
	/* without a repository at the newest line */
	expect(scene_outside, "github", &(struct hl_check_style){0},
	       "::error file=/usr/include/new_allocator.h,line=137,title=heapledger%3A ROOT LEAK::ROOT LEAK: "
	       "1 byte in 1 "
	       "block, definite, allocated in allocate (/usr/include/new_allocator.h:137)\n");
}
END_TEST

START_TEST(nothing_fails_that_is_not_judged)
{
	struct scene s;

	scene_leaks(&s);
	s.check.judged = 0;
	for (size_t i = 0; i < FORMATS; i++) {
		static const char *const failures[] = {"::error ", "<failure", "\"error\"", "\"major\"",
						       "CHECK "};
		char *text = scene_write(&s, formats[i], &below_src);

		for (size_t k = 0; k < sizeof(failures) / sizeof(failures[0]); k++)
			ck_assert_msg(!strstr(text, failures[k]), "%s: %s", formats[i], failures[k]);
		free(text);
	}
	scene_end(&s);
}
END_TEST

START_TEST(paths_below_the_root_are_relative)
{
	static const struct {
		const char *root, *path, *want;
	} t[] = {
		{"/nosuch", "/nosuch/a.c", "a.c"},
		{"/nosuch/", "/nosuch/lib/../b.c", "b.c"},
		{"/nosuch", "/nosuch/./lib//c.c", "lib/c.c"},
		{"/nosuch", "/nosuch2/a.c", NULL},
		{"/nosuch", "/nosuch/../etc/passwd", NULL},
		{"/nosuch", "/nosuch", NULL},
		{"/", "/nosuch/a.c", "nosuch/a.c"},
		{NULL, "/nosuch/a.c", NULL},
		{NULL, "lib/a.c", "lib/a.c"},
		{"/nosuch", "./lib/a.c", "lib/a.c"},
		{"/nosuch", "../a.c", NULL},
		{"/nosuch", "a/../../b.c", NULL},
		{"/nosuch", "", NULL},
		{"/nosuch", "/../nosuch/a.c", "a.c"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *below = hl_path_below(t[i].root, t[i].path);

		ck_assert_msg(t[i].want ? below && !strcmp(below, t[i].want) : !below, "%s: %s", t[i].path,
			      below ? below : "NULL");
		free(below);
	}
}
END_TEST

START_TEST(uris_are_percent_encoded)
{
	char *uri = hl_path_uri("/a b/ä%#?{.c");

	ck_assert_str_eq(uri, "file:///a%20b/%C3%A4%25%23%3F%7B.c");
	free(uri);
	uri = hl_path_uri("lib/x:y.c");
	ck_assert_str_eq(uri, "lib/x%3Ay.c");
	free(uri);
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
				      json_has_every_loss_of_every_process,
				      csv_has_a_row_a_loss,
				      sarif_places_losses_in_the_repository,
				      gitlab_gets_an_issue_a_finding_with_fingerprints_that_differ,
				      github_gets_ten_commands_errors_first_and_all_in_the_summary,
				      junit_has_a_case_a_loss_that_counts_or_one_that_passes,
				      what_is_over_its_bound_fails_in_every_format_for_ci,
				      hostile_names_stay_names,
				      a_loss_is_placed_in_the_repository_though_a_library_allocated_it,
				      nothing_fails_that_is_not_judged,
				      paths_below_the_root_are_relative,
				      uris_are_percent_encoded,
				      formats_are_found_by_name};
	Suite *s;
	TCase *c;
	SRunner *r;
	int failed;

	if (argc == 3)
		return print(argv[1], argv[2]);
	s = suite_create("leaks_report");
	c = tcase_create("all");
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
