/*
 * leaks_ci_test.c - losses as SARIF, JUnit, GitHub and GitLab want them, and names that try to be more than names.
 */
#include "analyzer/report/uri.h"
#include "tests/unit/leaks_scenes.h"

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
		{"text", ", max=4096, 2 blocks exceeded"},
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

START_TEST(growth_is_a_finding_of_its_own_in_every_format)
{
	static const char *const want[][2] = {
		{"text",
		 "GROWTH: grew in 4 of 4 snapshots, from 1229 KiB to 5120 KiB\n  File \"/nosuch/main.c\""},
		{"text",
		 "GROWTH: grew in 4 of 4 snapshots, from 0 B to 100 B\n  [its stack was not recorded]"},
		{"text", "max-growth: exceeded, 2 stacks grew"},
		{"json", "\"growth\": [\n"},
		{"json", "\"grew\": 4"},
		{"csv", ",growth,,5242880,9,0,0,0000000000002000,,,1,1258291,3,,/nosuch/lib/cache.c:12;"},
		{"sarif", "\"ruleId\": \"growth\""},
		{"sarif", "grew in 4 of 4 snapshots, from 1229 KiB to 5120 KiB"},
		{"junit", "name=\"growth in cache_add, lib/cache.c [0000000000002000]\">"},
		{"junit", "<failure type=\"growth\""},
		{"github",
		 "::error file=lib/cache.c,line=12,title=heapledger%3A GROWTH::GROWTH: grew in 4 of 4 "
		 "snapshots, from 1229 KiB to 5120 KiB, allocated in cache_add (lib/cache.c:12)"},
		{"gitlab", "\"check_name\": \"growth\""},
		{"valgrind",
		 "==42== heapledger: growth: grew in 4 of 4 snapshots, from 1229 KiB to 5120 KiB\n"
		 "==42==    at 0x401136: cache_add (cache.c:12)\n==42==    by 0x40115A: main"},
		{"valgrind", "ERROR SUMMARY: 3 errors"},
		{"valgrind-xml",
		 "<line>Process 42: GROWTH: grew in 4 of 4 snapshots, from 1229 KiB to 5120 KiB, "
		 "allocated in cache_add (lib/cache.c:12)</line>"}};
	struct scene s;

	scene_growth(&s);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char *text = scene_write(&s, want[i][0], &below_src);

		ck_assert_msg(strstr(text, want[i][1]) != NULL, "%s: no %s in %s", want[i][0], want[i][1],
			      text);
		/* its limit is told once */
		ck_assert_ptr_null(strstr(text, "LIMIT EXCEEDED"));
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

START_TEST(a_long_ring_is_cut_and_a_long_summary_too)
{
	enum { MEMBERS = 1000 };
	struct hl_ring_member *ring = calloc(MEMBERS, sizeof(*ring));
	struct hl_loss *many = calloc(20000, sizeof(*many));
	struct hl_check_style style = below_src;
	struct scene s;
	char *text, *summary = NULL;
	json_t *root;
	size_t n = 0;

	scene_leaks(&s);
	for (size_t i = 0; i < MEMBERS; i++)
		ring[i] = (struct hl_ring_member){s.ring[0].traceback, i, 8};
	for (size_t i = 0; i < s.process[0].n; i++)
		if (s.process[0].loss[i].cycle) {
			s.process[0].loss[i].ring = ring;
			s.process[0].loss[i].nring = MEMBERS;
		}
	text = scene_write(&s, "text", &below_src);
	ck_assert_ptr_nonnull(strstr(text, ", 18 bytes, +8 -> the next\n    ... 980 more ...\n"
					   "    /nosuch/lib/node.c:20, 999 bytes, +8 -> the first\n"));
	free(text);
	text = scene_write(&s, "sarif", &below_src);
	root = json_loads(text, 0, NULL);
	ck_assert_uint_eq(json_array_size(at(root, "runs.0.results.2.relatedLocations")), 20);
	json_decref(root);
	free(text);
	for (size_t i = 0; i < 20000; i++)
		many[i] = s.process[0].loss[0];
	s.process[0].loss = many;
	s.process[0].n = 20000;
	style.summary = open_memstream(&summary, &n);
	text = scene_write(&s, "github", &style);
	fclose(style.summary);
	ck_assert_uint_lt(n, (512 << 10) + 200);
	ck_assert_uint_gt(n, 500 << 10);
	ck_assert_ptr_nonnull(strstr(summary, " more are not shown.\n"));
	free(text);
	free(summary);
	free(ring);
	free(many);
	scene_end(&s);
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

int main(void)
{
	const TTest *const tests[] = {sarif_places_losses_in_the_repository,
				      gitlab_gets_an_issue_a_finding_with_fingerprints_that_differ,
				      github_gets_ten_commands_errors_first_and_all_in_the_summary,
				      junit_has_a_case_a_loss_that_counts_or_one_that_passes,
				      what_is_over_its_bound_fails_in_every_format_for_ci,
				      growth_is_a_finding_of_its_own_in_every_format,
				      hostile_names_stay_names,
				      a_loss_is_placed_in_the_repository_though_a_library_allocated_it,
				      a_long_ring_is_cut_and_a_long_summary_too,
				      nothing_fails_that_is_not_judged,
				      paths_below_the_root_are_relative,
				      uris_are_percent_encoded};
	return scene_tests("leaks_ci", tests, sizeof(tests) / sizeof(tests[0]));
}
