/*
 * group_test.c - rows: keys, sums, cumulative counting, peaks that follow the events.
 */
#include "analyzer/analysis/collect.h"
#include "tests/unit/heap_model.h"
#include <check.h>

static const struct hl_style all = {0};

static void expect(struct model *m, struct hl_grouping g, enum hl_sort sort, const char *want)
{
	char *text = model_stats(m, &g, NULL, sort, &hl_format_text, &all);

	ck_assert_str_eq(text, want);
	free(text);
}

static void with_model(void (*f)(struct model *))
{
	struct hl_names *names = hl_names_new();
	struct model m;

	model_init(&m, names);
	f(&m);
	model_release(&m);
	hl_names_free(names);
}

static void recursion(struct model *m)
{
	model_add(m, 10, "a.c:2,a.c:2,b.c:1");
	expect(m, (struct hl_grouping){.by = HL_BY_LINENO, .cumulative = 1}, HL_SORT_LIVE,
	       "a.c:2: size=20 B, count=2, average=10 B\nb.c:1: size=10 B, count=1, average=10 B\n");
	expect(m, (struct hl_grouping){.by = HL_BY_LINENO, .cumulative = 1, .dedup = 1}, HL_SORT_LIVE,
	       "b.c:1: size=10 B, count=1, average=10 B\na.c:2: size=10 B, count=1, average=10 B\n");
}

START_TEST(a_line_twice_in_a_stack_counts_twice_unless_dedup)
{
	with_model(recursion);
}
END_TEST

static void keys(struct model *m)
{
	uint32_t named =
		hl_names_frame(m->names, &(struct hl_name_frame){hl_names_intern(m->names, "lib.so!go"), 0,
								 hl_names_intern(m->names, "go"),
								 hl_names_intern(m->names, "/usr/lib/lib.so"),
								 HL_NAME_FUNCTION});
	struct hl_stat *s;
	uint32_t site = hl_heap_site(&m->heap, hl_names_traceback(m->names, 0, named), 2, HL_KIND_NEW, NULL);

	m->heap.sites[site].stat = (struct hl_stat){.size = 5, .count = 1};
	s = model_site(m, "a.c:1", 1, HL_KIND_MALLOC);
	*s = (struct hl_stat){.size = 8, .count = 2};
	expect(m, (struct hl_grouping){.by = HL_BY_FUNCTION}, HL_SORT_LIVE,
	       "f_a.c (a.c): size=8 B, count=2, average=4 B\n"
	       "go (/usr/lib/lib.so): size=5 B, count=1, average=5 B\n");
	expect(m, (struct hl_grouping){.by = HL_BY_OBJECT}, HL_SORT_LIVE,
	       "/lib/mod: size=8 B, count=2, average=4 B\n/usr/lib/lib.so: size=5 B, count=1, average=5 B\n");
	expect(m, (struct hl_grouping){.by = HL_BY_THREAD}, HL_SORT_LIVE,
	       "main (100): size=8 B, count=2, average=4 B\nworker (101): size=5 B, count=1, average=5 B\n");
	expect(m, (struct hl_grouping){.by = HL_BY_THREAD, .no_tid = 1}, HL_SORT_LIVE,
	       "main: size=8 B, count=2, average=4 B\nworker: size=5 B, count=1, average=5 B\n");
	expect(m, (struct hl_grouping){.by = HL_BY_FILENAME}, HL_SORT_LIVE,
	       "a.c:0: size=8 B, count=2, average=4 B\nlib.so!go:0: size=5 B, count=1, average=5 B\n");
}

START_TEST(every_grouping_has_its_own_label)
{
	with_model(keys);
}
END_TEST

static void templates(struct model *m)
{
	uint32_t file = hl_names_intern(m->names, "v.h"), module = hl_names_intern(m->names, "/m");

	for (int i = 0; i < 2; i++) {
		struct hl_name_frame f = {file, 7, hl_names_intern(m->names, i ? "push<long>" : "push<int>"),
					  module, HL_NAME_LINE};
		uint32_t site =
			hl_heap_site(&m->heap, hl_names_traceback(m->names, 0, hl_names_frame(m->names, &f)),
				     1, HL_KIND_NEW, NULL);

		m->heap.sites[site].stat = (struct hl_stat){.size = 1, .count = 1};
	}
	expect(m, (struct hl_grouping){.by = HL_BY_TRACEBACK}, HL_SORT_LIVE,
	       "v.h:7: size=2 B, count=2, average=1 B\n  File \"v.h\", line 7\n");
	expect(m, (struct hl_grouping){.by = HL_BY_FUNCTION}, HL_SORT_LIVE,
	       "push<long> (v.h): size=1 B, count=1, average=1 B\npush<int> (v.h): size=1 B, count=1, "
	       "average=1 B\n");
}

START_TEST(tracebacks_of_equal_lines_are_one_row_whatever_the_function)
{
	with_model(templates);
}
END_TEST

static void sorts(struct model *m)
{
	struct hl_stat *freed = model_site(m, "b.c:1", 1, HL_KIND_MALLOC);

	model_add(m, 3, "a.c:1");
	*freed = (struct hl_stat){.total = 20480, .allocations = 9, .temporary = 4};
	expect(m, (struct hl_grouping){0}, HL_SORT_LIVE, "a.c:1: size=3 B, count=1, average=3 B\n");
	expect(m, (struct hl_grouping){0}, HL_SORT_TOTAL,
	       "b.c:1: size=0 B, count=0, total=20.0 KiB\na.c:1: size=3 B, count=1, average=3 B, total=3 "
	       "B\n");
	expect(m, (struct hl_grouping){0}, HL_SORT_COUNT,
	       "b.c:1: size=0 B, count=0, allocations=9\na.c:1: size=3 B, count=1, average=3 B, "
	       "allocations=1\n");
	expect(m, (struct hl_grouping){0}, HL_SORT_TEMPORARY, "b.c:1: size=0 B, count=0, temporary=4\n");
}

START_TEST(a_sort_shows_its_field_and_the_rows_that_have_it)
{
	with_model(sorts);
}
END_TEST

START_TEST(cumulative_is_refused_where_tracemalloc_refuses_it)
{
	struct hl_diag d;

	ck_assert_int_eq(hl_grouping_check(&(struct hl_grouping){.by = HL_BY_TRACEBACK, .cumulative = 1}, &d),
			 HL_ERR_USAGE);
	ck_assert_int_eq(hl_grouping_check(&(struct hl_grouping){.by = HL_BY_THREAD, .cumulative = 1}, &d),
			 HL_ERR_USAGE);
	ck_assert_int_eq(hl_grouping_check(&(struct hl_grouping){.dedup = 1}, &d), HL_ERR_USAGE);
	ck_assert_int_eq(hl_grouping_check(&(struct hl_grouping){.by = HL_BY_FILENAME, .cumulative = 1}, &d),
			 HL_OK);
}
END_TEST

/* Events as the replay reports them. */
struct run {
	struct model m;
	struct hl_view *view;
	struct hl_collector c;
};

static void run_start(struct run *r, struct hl_names *names, const struct hl_grouping *g)
{
	model_init(&r->m, names);
	r->view = hl_view_new(&r->m.heap, g, NULL, NULL);
	r->c = (struct hl_collector){.heap = &r->m.heap, .o = {.until = UINT64_MAX, .view = r->view}};
}

static struct hl_rows run_end(struct run *r, enum hl_sort sort)
{
	struct hl_rows rows;

	hl_view_rows(r->view, sort, HL_VIEW_TRACKED, &rows);
	hl_view_free(r->view);
	model_release(&r->m);
	return rows;
}

static struct hl_block born(struct run *r, uint64_t size, const char *stack)
{
	struct hl_block b = {.size = size, .stack = model_stack(r->m.names, stack), .thread = 1, .stamp = 10};

	hl_collect_sink.born(&r->c, &b);
	return b;
}

START_TEST(the_peak_of_a_row_is_its_own_not_the_heaps)
{
	struct hl_names *names = hl_names_new();
	struct run r;
	struct hl_rows rows;
	struct hl_block a;

	run_start(&r, names, &(struct hl_grouping){.by = HL_BY_LINENO});
	a = born(&r, 100, "a.c:1");
	hl_collect_sink.died(&r.c, &a, &(struct hl_death){.stamp = 11, .temporary = 1});
	born(&r, 40, "b.c:1,a.c:1");
	born(&r, 30, "a.c:1,m.c:1");
	born(&r, 30, "a.c:1,m.c:2");
	rows = run_end(&r, HL_SORT_PEAK);
	ck_assert_uint_eq(rows.n, 2);
	ck_assert_uint_eq(rows.row[0].stat.peak, 100);
	ck_assert_uint_eq(rows.row[0].stat.size, 60);
	ck_assert_uint_eq(rows.row[0].stat.total, 160);
	ck_assert_uint_eq(rows.row[0].stat.allocations, 3);
	ck_assert_uint_eq(rows.row[0].stat.temporary, 1);
	ck_assert_uint_eq(rows.row[1].stat.peak, 40);
	ck_assert_uint_eq(rows.sum.size, 100);
	free(rows.row);
	hl_names_free(names);
}
END_TEST

START_TEST(a_cumulative_peak_counts_a_line_as_often_as_the_stack_has_it)
{
	struct hl_names *names = hl_names_new();
	struct run r;
	struct hl_rows rows;
	struct hl_block a;

	run_start(&r, names, &(struct hl_grouping){.by = HL_BY_LINENO, .cumulative = 1});
	a = born(&r, 10, "a.c:2,a.c:2,b.c:1");
	hl_collect_sink.died(&r.c, &a, &(struct hl_death){.stamp = 11, .temporary = 0});
	born(&r, 1, "a.c:2");
	rows = run_end(&r, HL_SORT_PEAK);
	ck_assert_uint_eq(rows.n, 2);
	ck_assert_uint_eq(rows.row[0].stat.peak, 20);
	ck_assert_uint_eq(rows.row[0].stat.size, 1);
	ck_assert_uint_eq(rows.row[1].stat.peak, 10);
	free(rows.row);
	hl_names_free(names);
}
END_TEST

static struct hl_rows realloc_run(int origin, struct hl_names *names)
{
	struct run r;
	struct hl_block old, now;

	run_start(&r, names, &(struct hl_grouping){.by = HL_BY_LINENO});
	r.c.o.origin = origin;
	old = born(&r, 100, "a.c:1");
	now = (struct hl_block){.size = 150,
				.stack = model_stack(names, "b.c:2"),
				.thread = 1,
				.stamp = 20,
				.entry = HL_ENTRY_REALLOC,
				.user = old.user};
	hl_collect_sink.moved(&r.c, &old, &now);
	hl_collect_sink.shrunk(&r.c, &now, 30, 21);
	return run_end(&r, HL_SORT_LIVE);
}

START_TEST(a_grown_block_has_the_stack_of_the_realloc)
{
	struct hl_names *names = hl_names_new();
	struct hl_rows rows = realloc_run(0, names);

	ck_assert_uint_eq(rows.n, 1);
	ck_assert_str_eq(hl_names_string(names, rows.row[0].key.a), "b.c");
	ck_assert_uint_eq(rows.row[0].stat.size, 120);
	ck_assert_uint_eq(rows.row[0].stat.peak, 150);
	free(rows.row);
	hl_names_free(names);
}
END_TEST

START_TEST(a_grown_block_keeps_its_first_stack_when_asked_and_peaks_once)
{
	struct hl_names *names = hl_names_new();
	struct hl_rows rows = realloc_run(1, names);

	ck_assert_uint_eq(rows.n, 1);
	ck_assert_str_eq(hl_names_string(names, rows.row[0].key.a), "a.c");
	ck_assert_uint_eq(rows.row[0].stat.peak, 150); /* never 250: old and new are not both there */
	ck_assert_uint_eq(rows.row[0].stat.total, 250);
	free(rows.row);
	hl_names_free(names);
}
END_TEST

START_TEST(blocks_outside_of_since_and_min_size_do_not_count)
{
	struct hl_names *names = hl_names_new();
	struct run r;
	struct hl_rows rows;
	struct hl_block old, now, small;

	run_start(&r, names, &(struct hl_grouping){.by = HL_BY_LINENO});
	r.c.o.since = 10;
	r.c.o.min_size = 50;
	old = born(&r, 100, "a.c:1"); /* stamp 10 is not after 10 */
	ck_assert_uint_eq(old.user, 0);
	hl_collect_sink.died(&r.c, &old, &(struct hl_death){.stamp = 15, .temporary = 0});
	small = (struct hl_block){.size = 49, .stack = model_stack(names, "b.c:1"), .thread = 1, .stamp = 11};
	hl_collect_sink.born(&r.c, &small);
	now = small;
	now.size = 50;
	now.stamp = 12;
	hl_collect_sink.moved(&r.c, &small, &now);
	rows = run_end(&r, HL_SORT_LIVE);
	ck_assert_uint_eq(rows.n, 1);
	ck_assert_uint_eq(rows.row[0].stat.size, 50);
	ck_assert_uint_eq(rows.row[0].stat.allocations, 1);
	free(rows.row);
	hl_names_free(names);
}
END_TEST

START_TEST(inherited_blocks_are_live_but_no_allocations_of_this_process)
{
	struct hl_names *names = hl_names_new();
	struct run r;
	struct hl_rows rows;
	struct hl_block b;

	run_start(&r, names, &(struct hl_grouping){.by = HL_BY_LINENO});
	b = (struct hl_block){.size = 8, .stack = model_stack(names, "a.c:1"), .thread = 1, .inherited = 1};
	hl_collect_sink.born(&r.c, &b);
	rows = run_end(&r, HL_SORT_TOTAL);
	ck_assert_uint_eq(rows.n, 1);
	ck_assert_uint_eq(rows.row[0].stat.size, 8);
	ck_assert_uint_eq(rows.row[0].stat.total, 0);
	ck_assert_uint_eq(rows.row[0].stat.allocations, 0);
	free(rows.row);
	hl_names_free(names);
}
END_TEST

MODEL_MAIN("group", a_line_twice_in_a_stack_counts_twice_unless_dedup, every_grouping_has_its_own_label,
	   tracebacks_of_equal_lines_are_one_row_whatever_the_function,
	   a_sort_shows_its_field_and_the_rows_that_have_it,
	   cumulative_is_refused_where_tracemalloc_refuses_it, the_peak_of_a_row_is_its_own_not_the_heaps,
	   a_cumulative_peak_counts_a_line_as_often_as_the_stack_has_it,
	   a_grown_block_has_the_stack_of_the_realloc,
	   a_grown_block_keeps_its_first_stack_when_asked_and_peaks_once,
	   blocks_outside_of_since_and_min_size_do_not_count,
	   inherited_blocks_are_live_but_no_allocations_of_this_process)
