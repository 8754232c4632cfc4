/*
 * report_test.c - the formats: tracebacks with source lines, JSON that parses, CSV that is safe.
 */
#include "analyzer/report/source.h"
#include "tests/unit/heap_model.h"
#include <check.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
	struct hl_names *names;
	struct model m;
};

static struct scene scene_new(void)
{
	struct scene s = {.names = hl_names_new()};

	model_init(&s.m, s.names);
	return s;
}

static void scene_end(struct scene *s)
{
	model_release(&s->m);
	hl_names_free(s->names);
}

static char *stats(struct scene *s, enum hl_by by, const struct hl_format *format, struct hl_style style)
{
	return model_stats(&s->m, &(struct hl_grouping){.by = by}, NULL, HL_SORT_LIVE, format, &style);
}

static void expect_traceback(struct scene *s, struct hl_style style, const char *want)
{
	char *text = stats(s, HL_BY_TRACEBACK, &hl_format_text, style);

	ck_assert_str_eq(text, want);
	free(text);
}

#define ROW "c:3: size=8 B, count=1, average=8 B\n"
#define A   "  File \"a\", line 1\n"
#define B   "  File \"b\", line 2\n"
#define C   "  File \"c\", line 3\n"

START_TEST(a_limit_keeps_the_newest_and_a_negative_one_the_oldest_frames)
{
	struct scene s = scene_new();

	model_add(&s.m, 8, "a:1,b:2,c:3");
	expect_traceback(&s, (struct hl_style){0}, ROW C B A);
	expect_traceback(&s, (struct hl_style){.most_recent_first = 1}, ROW A B C);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = 2}, ROW B A);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = 9}, ROW C B A);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = -2}, ROW C B);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = -2, .most_recent_first = 1},
			 ROW B C);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = -9}, ROW C B A);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = 0}, ROW);
	scene_end(&s);
}
END_TEST

#define CUT "  [older frames were not recorded]\n"

START_TEST(a_cut_stack_is_marked_at_its_oldest_frame)
{
	struct scene s = scene_new();

	model_add(&s.m, 8, "a:1,b:2,c:3");
	hl_names_set_truncated(s.names, model_stack(s.names, "a:1,b:2,c:3"));
	expect_traceback(&s, (struct hl_style){0}, ROW CUT C B A);
	expect_traceback(&s, (struct hl_style){.most_recent_first = 1}, ROW A B C CUT);
	expect_traceback(&s, (struct hl_style){.has_frames = 1, .frames = 1}, ROW A);
	scene_end(&s);
}
END_TEST

START_TEST(a_readable_source_line_follows_its_frame)
{
	char file[] = "/tmp/hl-report-XXXXXX", stack[256], want[512];
	int fd = mkstemp(file);
	struct scene s = scene_new();

	ck_assert(fd >= 0);
	ck_assert_int_eq(write(fd, "one\n\t two(\t\033);  \r\n\nlast", 23), 23);
	close(fd);
	snprintf(stack, sizeof(stack), "%s:2,%s:3,%s:4,%s:9", file, file, file, file);
	model_add(&s.m, 1, stack);
	snprintf(want, sizeof(want),
		 "%s:9: size=1 B, count=1, average=1 B\n  File \"%s\", line 9\n  File \"%s\", line 4\n    "
		 "last\n"
		 "  File \"%s\", line 3\n  File \"%s\", line 2\n    two(\t\\x1b);\n",
		 file, file, file, file, file);
	expect_traceback(&s, (struct hl_style){0}, want);
	unlink(file);
	scene_end(&s);
}
END_TEST

START_TEST(only_regular_files_are_read_for_source)
{
	char directory[] = "/tmp/hl-report-XXXXXX", fifo[64];
	struct hl_sources *s = hl_sources_new();

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_ptr_null(hl_sources_line(s, fifo, 1)); /* and does not wait for a writer */
	ck_assert_ptr_null(hl_sources_line(s, "/tmp", 1));
	ck_assert_ptr_null(hl_sources_line(s, "/dev/zero", 1));
	ck_assert_ptr_null(hl_sources_line(s, "/does/not/exist", 1));
	unlink(fifo);
	rmdir(directory);
	hl_sources_free(s);
}
END_TEST

START_TEST(names_cannot_drive_the_terminal)
{
	struct scene s = scene_new();
	char *text;

	model_add(&s.m, 1, "\033]0;x\007.c:1");
	for (int by = 0; by < HL_BY_COUNT; by++) {
		text = stats(&s, by, &hl_format_text, (struct hl_style){0});
		ck_assert_ptr_null(strchr(text, '\033'));
		free(text);
	}
	text = stats(&s, HL_BY_LINENO, &hl_format_csv, (struct hl_style){0});
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(colour_is_there_only_when_asked)
{
	struct scene s = scene_new();
	char *text;

	model_add(&s.m, 1, "a:1");
	text = stats(&s, HL_BY_LINENO, &hl_format_text, (struct hl_style){.color = 1});
	ck_assert_str_eq(text, "\033[1ma:1\033[0m: size=1 B, count=1, average=1 B\n");
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(a_limit_of_rows_is_kept_by_every_format)
{
	static const struct hl_format *const formats[] = {&hl_format_text, &hl_format_csv, &hl_format_json};
	struct scene s = scene_new();

	model_add(&s.m, 1, "a:1");
	model_add(&s.m, 2, "b:1");
	model_add(&s.m, 3, "c:1");
	for (size_t i = 0; i < 3; i++) {
		char *two = stats(&s, HL_BY_LINENO, formats[i], (struct hl_style){.limit = 2});
		char *three = stats(&s, HL_BY_LINENO, formats[i], (struct hl_style){0});

		ck_assert(strstr(two, "b") && strstr(two, "c"));
		ck_assert(strlen(two) < strlen(three));
		free(two);
		free(three);
	}
	scene_end(&s);
}
END_TEST

static uint64_t number(const json_t *o, const char *name)
{
	ck_assert_msg(json_is_integer(json_object_get(o, name)), "%s", name);
	return (uint64_t)json_integer_value(json_object_get(o, name));
}

static const char *string(const json_t *o, const char *name)
{
	ck_assert_msg(json_is_string(json_object_get(o, name)), "%s", name);
	return json_string_value(json_object_get(o, name));
}

START_TEST(json_has_the_members_of_schema_1)
{
	struct scene s = scene_new();
	char *text;
	json_t *root, *row;

	model_add(&s.m, 10240, "a\377\"\n:3,b:2");
	text = stats(&s, HL_BY_LINENO, &hl_format_json, (struct hl_style){0});
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(root != NULL, "%s", text);
	ck_assert_uint_eq(number(root, "schema"), 1);
	ck_assert_str_eq(string(json_object_get(root, "snapshot"), "label"), "la\"bel");
	ck_assert_uint_eq(number(json_object_get(root, "totals"), "size"), 10240);
	ck_assert_uint_eq(number(json_object_get(root, "totals"), "heap_size"), 115);
	row = json_array_get(json_object_get(root, "rows"), 0);
	ck_assert_str_eq(string(row, "file"), "a\\xff\"\n");
	ck_assert_uint_eq(number(row, "line"), 3);
	ck_assert_uint_eq(number(row, "size"), 10240);
	ck_assert_uint_eq(number(row, "count"), 1);
	ck_assert_uint_eq(number(row, "total"), 10240);
	json_decref(root);
	free(text);
	text = stats(&s, HL_BY_TRACEBACK, &hl_format_json, (struct hl_style){0});
	root = json_loads(text, 0, NULL);
	row = json_array_get(json_object_get(root, "rows"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(row, "traceback")), 2);
	ck_assert_str_eq(string(json_array_get(json_object_get(row, "traceback"), 1), "file"), "b");
	ck_assert(json_is_false(json_object_get(row, "truncated")));
	json_decref(root);
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(json_sizes_are_exact_up_to_64_bits)
{
	struct scene s = scene_new();
	char *text;

	*model_site(&s.m, "a:1", 1, HL_KIND_MALLOC) = (struct hl_stat){.size = UINT64_MAX, .count = 1};
	text = stats(&s, HL_BY_LINENO, &hl_format_json, (struct hl_style){0});
	ck_assert_ptr_nonnull(strstr(text, "\"size\": 18446744073709551615,"));
	free(text);
	scene_end(&s);
}
END_TEST

START_TEST(json_differences_have_old_new_and_diff)
{
	struct scene a = scene_new(), b = {.names = a.names};
	json_t *root, *row;
	char *text;

	model_init(&b.m, a.names);
	model_fixture(&a.m, 1);
	model_fixture(&b.m, 2);
	text = model_diff(&a.m, &b.m, &(struct hl_grouping){0}, NULL, &hl_format_json, &(struct hl_style){0});
	root = json_loads(text, 0, NULL);
	ck_assert_msg(root != NULL, "%s", text);
	row = json_array_get(json_object_get(root, "rows"), 2);
	ck_assert_str_eq(string(row, "file"), "b");
	ck_assert_uint_eq(number(row, "old_size"), 66);
	ck_assert_uint_eq(number(row, "new_size"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "diff_size")), -66);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "diff_count")), -1);
	ck_assert_str_eq(string(json_object_get(root, "old"), "trace"), "o.hl");
	ck_assert_uint_eq(number(json_object_get(json_object_get(root, "totals"), "new"), "size"), 5432);
	json_decref(root);
	free(text);
	model_release(&b.m);
	scene_end(&a);
}
END_TEST

START_TEST(csv_cells_are_quoted_and_no_formulas)
{
	static const struct {
		const char *file, *cell;
	} t[] = {
		{"plain.c", "plain.c"},
		{"a,b", "\"a,b\""},
		{"say \"x\"", "\"say \"\"x\"\"\""},
		{"=1+1", "'=1+1"},
		{"+x", "'+x"},
		{"-x", "'-x"},
		{"@x", "'@x"},
		{"=a,\"", "\"'=a,\"\"\""},
		{"\tx", "'\\x09x"},
		{"two\nlines", "two\\x0alines"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct scene s = scene_new();
		/* not by model_stack, which takes commas for frames */
		uint32_t tb = hl_names_traceback(s.names, 0, model_frame(s.names, t[i].file, 1));
		uint32_t site = hl_heap_site(&s.m.heap, tb, 1, HL_KIND_MALLOC, NULL);
		char want[256], *text;

		s.m.heap.sites[site].stat = (struct hl_stat){.size = 2, .count = 1};
		snprintf(want, sizeof(want),
			 "file,line,size,count,total,allocations,temporary,"
			 "size_error,count_error,total_error,allocations_error,temporary_error\n%s,1,2,1,0,0,"
			 "0,,,,,\n",
			 t[i].cell);
		text = stats(&s, HL_BY_LINENO, &hl_format_csv, (struct hl_style){0});
		ck_assert_str_eq(text, want);
		free(text);
		scene_end(&s);
	}
}
END_TEST

START_TEST(fields_and_tables_print_in_every_format)
{
	static const struct hl_field field[] = {
		{"command line", {.type = HL_CELL_TEXT, .text = "a b"}},
		{"size", {.type = HL_CELL_SIZE, .number = 10240}},
		{"none", {.type = HL_CELL_NONE}},
	};
	static const struct {
		const struct hl_format *format;
		const char *want;
	} t[] = {
		{&hl_format_text, "command line: a b\nsize: 10.0 KiB\nnone: -\n"},
		{&hl_format_csv, "name,value\ncommand line,a b\nsize,10240\nnone,\n"},
		{&hl_format_json,
		 "{\n \"schema\": 1,\n \"command_line\": \"a b\",\n \"size\": 10240,\n \"none\": null\n}\n"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);

		t[i].format->fields(out, &(struct hl_style){0}, &(struct hl_fields){.field = field, .n = 3});
		fclose(out);
		ck_assert_str_eq(text, t[i].want);
		free(text);
	}
}
END_TEST

MODEL_MAIN("report", a_limit_keeps_the_newest_and_a_negative_one_the_oldest_frames,
	   a_cut_stack_is_marked_at_its_oldest_frame, a_readable_source_line_follows_its_frame,
	   only_regular_files_are_read_for_source, names_cannot_drive_the_terminal,
	   colour_is_there_only_when_asked, a_limit_of_rows_is_kept_by_every_format,
	   json_has_the_members_of_schema_1, json_sizes_are_exact_up_to_64_bits,
	   json_differences_have_old_new_and_diff, csv_cells_are_quoted_and_no_formulas,
	   fields_and_tables_print_in_every_format)
