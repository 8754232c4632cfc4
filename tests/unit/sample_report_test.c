/*
 * sample_report_test.c - what the verbs print of a small sampled trace, in every format, and of what is
 * extracted from it.
 *
 * The rate is 1000 bytes.  A block of 1000 bytes stands for 1 / (1 - 1/e) = 1.582 blocks and 1582 bytes,
 * with a standard error of 959.5 bytes and 0.96 blocks; one of 100 for 10.508 and 1050.8, with 999.6 and
 * 10.00.
 */
#include "analyzer/analysis/collect.h"
#include "analyzer/cli/verbs.h"
#include "tests/unit/heap_model.h"
#include "tests/unit/tracefile.h"
#include <jansson.h>
#include <math.h>

static struct encode enc;

/* Three blocks of 1000 and a hundred of 100 in two places; of the latter one dies at once and one later. */
static void make_small(const char *name, uint64_t rate)
{
	struct hl_writer *w = make_trace(name, rate ? 1 : 2); /* of two processes */

	encode_start(&enc, 0);
	if (rate)
		encode_sample(&enc, rate);
	encode_hello(&enc, 1, 1001, 0, "/none/app", "app", 3);
	ENCODE_NUMBERS(&enc, HL_FACT_THREAD, 1, 1001, 0, 0, 0);
	encode_name(&enc, 1, "app", 0);
	encode_module(&enc, 1, 0, 0x400000, 0x500000, 0x400000, "/none/app", "", 0);
	encode_node(&enc, 1, 0, 0x400101, 0);
	encode_node(&enc, 2, 1, 0x400201, 0);
	for (uint64_t i = 0; i < 3; i++)
		encode_alloc(&enc, 10 + i, HL_ENTRY_MALLOC, 0x1000 + 16 * i, 1000, 1);
	encode_alloc(&enc, 20, HL_ENTRY_NEW, 0x2000, 100, 2);
	encode_op_free(&enc, 21, HL_DOMAIN_HEAP, HL_ENTRY_DELETE | HL_ENTRY_TEMPORARY, 0x2000);
	encode_alloc(&enc, 22, HL_ENTRY_NEW, 0x2000, 100, 2);
	encode_mark(&enc, 23, HL_MARK_API, "before");
	encode_alloc(&enc, 24, HL_ENTRY_NEW, 0x2010, 100, 2);
	encode_free(&enc, 25, 0x1000, 0);
	add_claim(w, &enc, 4, 0);
	finish(w);
}

static int redirect(FILE *f, const char *name)
{
	int saved = dup(fileno(f)), fd = open(in_dir(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

	fflush(f);
	dup2(fd, fileno(f));
	close(fd);
	return saved;
}

static char *take_back(FILE *f, int saved, const char *name)
{
	size_t n;
	char *text;

	fflush(f);
	dup2(saved, fileno(f));
	close(saved);
	text = (char *)slurp(in_dir(name), &n);
	text[n] = '\0';
	return text;
}

struct printed {
	char *out, *err;
	int status;
	struct hl_diag d;
};

/* A command line of words; names of files are in dir. */
static struct printed verb(const char *line)
{
	char *copy = strdup(line), *argv[16] = {NULL}, *save = NULL, words[16][256];
	struct printed p = {0};
	struct hl_cli cli = {.program = "heapledger"};
	char here[256];
	int argc = 0, out, err;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		snprintf(words[argc], sizeof(words[0]), "%s", word);
		argv[argc] = words[argc];
		argc++;
	}
	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	ck_assert_int_eq(chdir(dir), 0);
	out = redirect(stdout, "out");
	err = redirect(stderr, "err");
	p.status = hl_verb_find(argv[0])->main(&cli, hl_verb_find(argv[0]), argc, argv, &p.d);
	p.err = take_back(stderr, err, "err");
	p.out = take_back(stdout, out, "out");
	ck_assert_int_eq(chdir(here), 0);
	free(copy);
	return p;
}

static void expect(const char *line, const char *want)
{
	struct printed p = verb(line);

	ck_assert_msg(p.status == 0, "%s: %s", line, p.d.text);
	ck_assert_str_eq(p.out, want);
	free(p.out);
	free(p.err);
}

static void expect_said(const char *line, const char *want, int is_said)
{
	struct printed p = verb(line);

	ck_assert_msg(p.status == 0, "%s: %s", line, p.d.text);
	ck_assert_msg((strstr(p.err, want) != NULL) == is_said, "%s:\n%s", line, p.err);
	free(p.out);
	free(p.err);
}

#define OLDER "app+0x100:0"
#define NEWER "app+0x200:0"

START_TEST(rows_end_in_the_error_of_their_size_and_of_what_they_are_sorted_by)
{
	make_small("t.hl", 1000);
	make_small("full.hl", 0);
	expect("stats t.hl", OLDER ": size=3164 B, count=3, average=1055 B, error=+-43%\n" NEWER
				   ": size=2102 B, count=21, average=100 B, error=+-67%\n");
	expect("stats t.hl --sort peak", OLDER
	       ": size=3164 B, count=3, average=1055 B, peak=4746 B, error=+-43%, peak_error=+-35%\n" NEWER
	       ": size=2102 B, count=21, average=100 B, peak=2102 B, error=+-67%, peak_error=+-67%\n");
	expect("stats t.hl --sort total -n 1", OLDER
	       ": size=3164 B, count=3, average=1055 B, total=4746 B, error=+-43%, total_error=+-35%\n");
	expect("stats t.hl --sort count -n 1",
	       NEWER ": size=2102 B, count=21, average=100 B, allocations=32, error=+-67%, "
		     "allocations_error=+-54%\n");
	expect("stats t.hl --sort temporary", NEWER ": size=2102 B, count=21, average=100 B, temporary=11, "
						    "error=+-67%, temporary_error=+-91%\n");
	/* with nothing live there is no error of it */
	expect("stats t.hl@1 --sort total --since 1", "");
	expect("stats full.hl", OLDER ": size=2000 B, count=2, average=1000 B\n" NEWER
				      ": size=200 B, count=2, average=100 B\n");
}
END_TEST

START_TEST(notes_say_that_it_is_a_sample)
{
	static const char *const lines[] = {
		"stats t.hl", "stats t.hl --format csv", "stats t.hl --format json",
		"info t.hl",  "snapshots t.hl",          "diff full.hl t.hl"};

	make_small("t.hl", 1000);
	make_small("full.hl", 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_said(lines[i], "t.hl: estimates from a sample of one in 1000 B (6 blocks recorded)\n",
			    1);
	expect_said("stats t.hl",
		    "selected: size=5266 B (+-37%), count=24 in 2 rows\n"
		    "heap: size=5266 B (+-37%), count=24, peak=6848 B (+-32%), allocations=36, "
		    "frees=12, temporary=11\n",
		    1);
	expect_said("stats full.hl", "sample", 0);
	expect_said("stats full.hl", "+-", 0);
	expect_said("diff full.hl t.hl", "full.hl: is complete, no sample: its numbers are exact\n", 1);
	expect_said("diff full.hl t.hl", "\nt.hl: is complete", 0);
	expect_said("diff t.hl t.hl", "is complete", 0);
	expect_said("diff full.hl full.hl", "sample", 0);
	expect_said("diff full.hl full.hl", "+-", 0);
}
END_TEST

START_TEST(columns_of_errors_are_always_there)
{
	make_small("t.hl", 1000);
	make_small("full.hl", 0);
	expect("stats t.hl --format csv",
	       "file,line,size,count,peak,total,allocations,temporary,size_error,count_error,peak_error,"
	       "total_error,allocations_error,temporary_error\n"
	       "app+0x100,0,3164,3,4746,4746,5,0,1357,1.36,1662,1662,1.66,0.00\n"
	       "app+0x200,0,2102,21,2102,3152,32,11,1414,14.14,1414,1731,17.31,10.00\n");
	expect("stats full.hl --format csv",
	       "file,line,size,count,peak,total,allocations,temporary,size_error,count_error,peak_error,"
	       "total_error,allocations_error,temporary_error\n"
	       "app+0x100,0,2000,2,3000,3000,3,0,,,,,,\n"
	       "app+0x200,0,200,2,200,300,3,1,,,,,,\n");
	/* what lives at both moments adds nothing: a block of 1000 went, one of 100 came */
	expect("diff t.hl@before t.hl --format csv",
	       "file,line,old_size,new_size,diff_size,old_count,new_count,diff_count,diff_size_error,"
	       "diff_count_error\n"
	       "app+0x100,0,4746,3164,-1582,5,3,-2,960,0.96\n"
	       "app+0x200,0,1051,2102,1051,11,21,10,1000,10.00\n");
	expect("diff full.hl@before full.hl --format csv",
	       "file,line,old_size,new_size,diff_size,old_count,new_count,diff_count,diff_size_error,"
	       "diff_count_error\n"
	       "app+0x100,0,3000,2000,-1000,3,2,-1,,\n"
	       "app+0x200,0,100,200,100,1,2,1,,\n");
	expect("snapshots t.hl --format csv",
	       "snapshot,seconds,label,reason,size,count,size_error,count_error\n"
	       "1,0.000000,before,api,5797,15,1939,10.133051\n"
	       "end,0.000000,,end,5266,24,1960,14.201224\n");
	expect("snapshots full.hl --format csv",
	       "snapshot,seconds,label,reason,size,count,size_error,count_error\n"
	       "1,0.000000,before,api,3100,4,,\n"
	       "end,0.000000,,end,2200,4,,\n");
}
END_TEST

START_TEST(text_of_differences_and_snapshots_has_errors_in_a_sample_only)
{
	make_small("t.hl", 1000);
	make_small("full.hl", 0);
	expect("diff t.hl@before t.hl",
	       OLDER ": size=3164 B (-1582 B), count=3 (-2), average=1055 B, error=+-960 B\n" NEWER
		     ": size=2102 B (+1051 B), count=21 (+10), average=100 B, error=+-1000 B\n");
	/* the other way round it is the same change */
	expect("diff t.hl t.hl@before -n 1",
	       OLDER ": size=4746 B (+1582 B), count=5 (+2), average=949 B, error=+-960 B\n");
	expect("diff t.hl t.hl",
	       OLDER ": size=3164 B (+0 B), count=3 (+0), average=1055 B, error=+-0 B\n" NEWER
		     ": size=2102 B (+0 B), count=21 (+0), average=100 B, error=+-0 B\n");
	/* against a complete trace only the estimates' own error counts */
	expect("diff full.hl t.hl",
	       NEWER ": size=2102 B (+1902 B), count=21 (+19), average=100 B, error=+-1414 B\n" OLDER
		     ": size=3164 B (+1164 B), count=3 (+1), average=1055 B, error=+-1357 B\n");
	expect("diff full.hl full.hl@before -n 1",
	       OLDER ": size=3000 B (+1000 B), count=3 (+1), average=1000 B\n");
	expect("snapshots t.hl",
	       "1: seconds=0.000 s, label=before, reason=api, size=5797 B, count=15, size_error=1939 B, "
	       "count_error=10.13\n"
	       "end: seconds=0.000 s, label=-, reason=end, size=5266 B, count=24, size_error=1960 B, "
	       "count_error=14.20\n");
	expect("snapshots full.hl", "1: seconds=0.000 s, label=before, reason=api, size=3100 B, count=4\n"
				    "end: seconds=0.000 s, label=-, reason=end, size=2200 B, count=4\n");
}
END_TEST

static json_t *json_of(const char *line)
{
	struct printed p = verb(line);
	json_t *root;

	ck_assert_msg(p.status == 0, "%s: %s", line, p.d.text);
	root = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(root != NULL, "%s", p.out);
	free(p.out);
	free(p.err);
	return root;
}

static double number(const json_t *o, const char *name)
{
	ck_assert_msg(json_is_number(json_object_get(o, name)), "%s", name);
	return json_number_value(json_object_get(o, name));
}

START_TEST(json_has_the_sample_and_errors_or_null)
{
	json_t *t, *full, *row, *same;
	const char *name;

	make_small("t.hl", 1000);
	make_small("full.hl", 0);
	t = json_of("stats t.hl --format json");
	full = json_of("stats full.hl --format json");
	ck_assert(number(json_object_get(t, "sample"), "bytes") == 1000);
	ck_assert(number(json_object_get(t, "sample"), "recorded") == 6);
	ck_assert(json_is_null(json_object_get(full, "sample")));
	row = json_array_get(json_object_get(t, "rows"), 0);
	ck_assert(number(row, "size") == 3164 && number(row, "size_error") == 1357);
	ck_assert(number(row, "count_error") == 1.36 && number(row, "peak_error") == 1662);
	ck_assert(number(json_object_get(t, "totals"), "heap_size_error") == 1960);
	ck_assert(number(json_object_get(t, "totals"), "size_error") == 1960);
	same = json_array_get(json_object_get(full, "rows"), 0);
	ck_assert_uint_eq(json_object_size(row), json_object_size(same));
	json_object_foreach(same, name, row)
	{
		ck_assert_msg(json_is_null(row) == (strstr(name, "_error") != NULL), "%s", name);
	}
	json_decref(t);
	json_decref(full);
	t = json_of("diff full.hl t.hl --format json");
	ck_assert(json_is_null(json_object_get(json_object_get(t, "sample"), "old")));
	ck_assert(number(json_object_get(json_object_get(t, "sample"), "new"), "bytes") == 1000);
	ck_assert(number(json_array_get(json_object_get(t, "rows"), 0), "diff_size_error") == 1414);
	ck_assert(number(json_object_get(json_object_get(t, "totals"), "diff"), "size_error") == 1960);
	json_decref(t);
	t = json_of("info t.hl --format json");
	ck_assert(number(t, "sample") == 1000 && number(t, "recorded_blocks") == 6);
	ck_assert(number(t, "live_size") == 5266 && number(t, "live_size_error") == 1960);
	ck_assert(number(t, "events") == 9); /* what is in the trace, no estimate */
	json_decref(t);
	t = json_of("info full.hl --format json");
	ck_assert(json_is_null(json_object_get(t, "sample")));
	json_decref(t);
}
END_TEST

static void expect_same(const char *line, const char *other)
{
	struct printed a = verb(line), b = verb(other);

	ck_assert_msg(a.status == 0 && b.status == 0, "%s%s", a.d.text, b.d.text);
	ck_assert(*a.out);
	ck_assert_str_eq(a.out, b.out);
	free(a.out);
	free(a.err);
	free(b.out);
	free(b.err);
}

/* Members of b are those of a, but for where it comes from. */
static void expect_same_json(const char *line, const char *other)
{
	json_t *a = json_of(line), *b = json_of(other);

	json_object_del(a, "snapshot");
	json_object_del(b, "snapshot");
	for (size_t i = 0; i < json_array_size(json_object_get(a, "rows")); i++) {
		json_object_del(json_array_get(json_object_get(a, "rows"), i), "peak");
		json_object_del(json_array_get(json_object_get(a, "rows"), i), "peak_error");
	}
	ck_assert(json_array_size(json_object_get(a, "rows")) == 2);
	ck_assert(json_equal(a, b));
	json_decref(a);
	json_decref(b);
}

START_TEST(an_extracted_snapshot_says_what_its_trace_says)
{
	make_small("t.hl", 1000);
	make_small("full.hl", 0);
	expect("extract t.hl --all -o t.hls", "");
	expect("extract t.hl@before --all -o before.hls", "");
	expect("extract full.hl --all -o full.hls", "");
	expect_same("stats t.hl", "stats t.hls");
	expect_same("stats t.hl --by traceback", "stats t.hls --by traceback");
	expect_same("stats t.hl --sort total", "stats t.hls --sort total");
	expect_same("stats t.hl --sort count", "stats t.hls --sort count");
	expect_same("stats t.hl --sort temporary", "stats t.hls --sort temporary");
	expect_same("stats full.hl", "stats full.hls");
	expect_same("diff full.hl t.hl", "diff full.hls t.hls");
	expect_same_json("stats t.hl --format json", "stats t.hls --format json");
	expect_said("stats t.hls", "t.hls: estimates from a sample of one in 1000 B (6 blocks recorded)\n",
		    1);
	expect_said("stats full.hls", "sample", 0);
	/* which blocks live at both moments is not in the files: an upper bound */
	expect("diff before.hls t.hls -n 1",
	       OLDER ": size=3164 B (-1582 B), count=3 (-2), average=1055 B, error=+-2146 B\n");
}
END_TEST

START_TEST(a_row_that_counts_a_block_twice_doubts_it_twice)
{
	for (int dedup = 0; dedup < 2; dedup++) {
		struct hl_names *names = hl_names_new();
		struct hl_grouping g = {.by = HL_BY_FILENAME, .cumulative = 1, .dedup = dedup};
		struct hl_collector c = {0};
		struct hl_rows rows;
		struct model m;

		model_init(&m, names);
		m.heap.sample_bytes = 1000;
		c.heap = &m.heap;
		c.o.until = UINT64_MAX;
		c.o.view = hl_view_new(&m.heap, &g, NULL, NULL);
		for (int i = 0; i < 2; i++) {
			struct hl_block b = {.size = 1000,
					     .stack = model_stack(names, i ? "a:3" : "a:1,a:2,b:1"),
					     .thread = 1,
					     .stamp = 10};

			hl_collect_sink.born(&c, &b);
		}
		hl_view_rows(c.o.view, HL_SORT_LIVE, HL_VIEW_TRACKED | HL_VIEW_FULL, &rows);
		ck_assert_uint_eq(rows.n, 2);
		/* one block counts twice and one once, or each once */
		ck_assert_uint_eq(rows.row[0].stat.size, dedup ? 3164 : 4746);
		ck_assert(fabs(rows.row[0].error.size - 959.52 * sqrt(dedup ? 2 : 5)) < 0.1);
		ck_assert(fabs(rows.row[0].error.peak - rows.row[0].error.size) < 1e-6);
		ck_assert(fabs(rows.row[0].error.count - 0.95952 * sqrt(dedup ? 2 : 5)) < 1e-4);
		ck_assert(fabs(rows.row[1].error.size - 959.52) < 0.1);
		ck_assert(fabs(rows.sum_error.size - 959.52 * sqrt(2)) < 0.1);
		free(rows.row);
		hl_view_free(c.o.view);
		model_release(&m);
		hl_names_free(names);
	}
}
END_TEST

START_TEST(a_wrong_rate_is_refused_in_one_line)
{
	static const char *const bad[] = {
		"0", "-1", "half", "512Q", "1.5M", "2G", "1e6", "0K", "1180591620717411303424", "16777216T"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[128];
		struct printed p;

		snprintf(line, sizeof(line), "run --sample %s -- /none/such", bad[i]);
		p = verb(line);
		ck_assert_int_eq(p.status, HL_ERR_USAGE);
		ck_assert_int_eq(hl_error_status(p.status), 2);
		ck_assert_msg(strstr(p.d.text, "--sample") != NULL, "%s", p.d.text);
		ck_assert_ptr_null(strchr(p.d.text, '\n'));
		ck_assert_str_eq(p.out, "");
		ck_assert_str_eq(p.err, "");
		free(p.out);
		free(p.err);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sample_report");
	TCase *t = tcase_create("sample_report");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, rows_end_in_the_error_of_their_size_and_of_what_they_are_sorted_by);
	tcase_add_test(t, notes_say_that_it_is_a_sample);
	tcase_add_test(t, columns_of_errors_are_always_there);
	tcase_add_test(t, text_of_differences_and_snapshots_has_errors_in_a_sample_only);
	tcase_add_test(t, json_has_the_sample_and_errors_or_null);
	tcase_add_test(t, an_extracted_snapshot_says_what_its_trace_says);
	tcase_add_test(t, a_row_that_counts_a_block_twice_doubts_it_twice);
	tcase_add_test(t, a_wrong_rate_is_refused_in_one_line);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
