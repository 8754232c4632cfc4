/*
 * snapref_test.c - TRACE@SNAP: where it is split, which moment it names, what is live there.
 */
#include "analyzer/analysis/marks.h"
#include "analyzer/cli/snapref.h"
#include "analyzer/cli/subject.h"
#include "tests/unit/heap_model.h"
#include "tests/unit/tracefile.h"

static void setup(void)
{
	make_dir();
}

/* Two blocks, "a", a third block and the first freed: the peak, "2", "a" again, the end with one block. */
static void make_marked(const char *name)
{
	struct hl_writer *w = make_trace(name, 1);
	struct encode e;

	encode_start(&e, 1000);
	encode_hello(&e, 1, 1001, 1000, "/bin/x", "x", 2);
	encode_alloc(&e, 1010, HL_ENTRY_MALLOC, 0x1000, 100, 0);
	encode_alloc(&e, 1020, HL_ENTRY_MALLOC, 0x2000, 20, 0);
	encode_mark(&e, 1030, HL_MARK_API, "a");
	encode_alloc(&e, 1040, HL_ENTRY_NEW, 0x3000, 3, 0);
	encode_free(&e, 1050, 0x1000, 0);
	encode_mark(&e, 1060, HL_MARK_COMMAND, "2");
	encode_mark(&e, 1070, HL_MARK_INTERVAL, "a");
	encode_free(&e, 1080, 0x2000, 0);
	add_claim(w, &e, HL_STREAM(1, 0), 0);
	finish(w);
}

static void expect_split(const char *operand, const char *path, const char *snap)
{
	char *p = NULL, *s = NULL;
	struct hl_diag d;

	ck_assert_int_eq(hl_snapref_split(operand, &p, &s, &d), HL_OK);
	ck_assert_str_eq(p, path);
	ck_assert_pstr_eq(s, snap);
	free(p);
	free(s);
}

START_TEST(the_last_at_separates_unless_a_file_has_the_whole_name)
{
	char *p = NULL, *s = NULL, operand[300];
	struct hl_diag d;

	spill(in_dir("t"), "", 0);
	spill(in_dir("t@x"), "", 0);
	expect_split(in_dir("t"), in_dir("t"), NULL);
	expect_split(in_dir("t@1"), in_dir("t"), "1");
	expect_split(in_dir("t@x"), in_dir("t@x"), NULL);
	expect_split(in_dir("t@x@y z"), in_dir("t@x"), "y z");
	/* no such file either way: the error shall name what was typed */
	expect_split(in_dir("none@1"), in_dir("none@1"), NULL);
	snprintf(operand, sizeof(operand), "%s@", in_dir("t"));
	ck_assert_int_eq(hl_snapref_split(operand, &p, &s, &d), HL_ERR_USAGE);
}
END_TEST

static void expect_moment(struct hl_trace *t, const char *snap, uint64_t until, uint64_t number,
			  const char *label)
{
	struct hl_snapshot_ref ref = {0};
	uint64_t stamp = 0;
	struct hl_diag d = {0};

	ck_assert_msg(hl_snapref_resolve(t, snap, &stamp, &ref, &d) == HL_OK, "%s", d.text);
	ck_assert_uint_eq(stamp, until);
	ck_assert_uint_eq(ref.number, number);
	ck_assert_str_eq(ref.label, label);
	free((char *)ref.label);
}

START_TEST(a_name_is_a_number_a_label_the_peak_or_the_end)
{
	struct hl_snapshot_ref ref;
	struct hl_trace *t;
	struct hl_diag d;
	uint64_t stamp;

	make_marked("t.hl");
	t = open_trace("t.hl");
	expect_moment(t, NULL, UINT64_MAX, 0, "");
	expect_moment(t, "end", UINT64_MAX, 0, "");
	expect_moment(t, "peak", 1040, 0, "");
	expect_moment(t, "1", 1030, 1, "a");
	expect_moment(t, "2", 1060, 2, "2"); /* the number before the label */
	expect_moment(t, "3", 1070, 3, "a");
	expect_moment(t, "a", 1070, 3, "a"); /* the newest of equal labels */
	ck_assert_int_eq(hl_snapref_resolve(t, "4", &stamp, &ref, &d), HL_ERR_NOTFOUND);
	ck_assert_int_eq(hl_snapref_resolve(t, "", &stamp, &ref, &d), HL_ERR_NOTFOUND);
	ck_assert_int_eq(hl_snapref_resolve(t, "b", &stamp, &ref, &d), HL_ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(d.text, "no snapshot 'b' among its 3"));
	hl_trace_close(t);
}
END_TEST

START_TEST(snapshots_are_listed_with_what_was_live_and_the_end)
{
	struct hl_replay_counts counts;
	struct hl_snapshots s;
	struct hl_trace *t;
	struct hl_diag d;

	make_marked("t.hl");
	t = open_trace("t.hl");
	ck_assert_int_eq(hl_snapshots_replay(t, &s, &counts, &d), HL_OK);
	ck_assert_uint_eq(s.n, 4);
	ck_assert_uint_eq(s.s[0].live_bytes, 120);
	ck_assert_uint_eq(s.s[0].live_blocks, 2);
	ck_assert_uint_eq(s.s[1].live_bytes, 23);
	ck_assert_uint_eq(s.s[1].reason, HL_MARK_COMMAND);
	ck_assert_uint_eq(s.s[3].number, 0);
	ck_assert_uint_eq(s.s[3].live_bytes, 3);
	ck_assert_uint_eq(s.s[3].live_blocks, 1);
	hl_snapshots_release(&s);
	hl_trace_close(t);
}
END_TEST

/* size/count of the only row of a question about the marked trace. */
static void expect_live(const char *operand, const char *since, uint64_t min_size, uint64_t size,
			uint64_t count)
{
	struct hl_names *names = hl_names_new();
	const struct hl_cli cli = {0};
	struct hl_subject s;
	struct hl_query q;
	struct hl_rows rows;
	struct hl_diag d = {0};

	hl_query_init(&q, &cli);
	q.since = since;
	q.min_size = min_size;
	ck_assert_msg(hl_subject_open(&s, operand, &q, names, &d) == HL_OK, "%s", d.text);
	ck_assert_int_eq(hl_subject_rows(&s, &q, 0, 0, &rows, &d), HL_OK);
	ck_assert_uint_eq(rows.sum.size, size);
	ck_assert_uint_eq(rows.sum.count, count);
	ck_assert_uint_eq(rows.n, count != 0);
	ck_assert_int_eq(s.nothing, 0);
	free(rows.row);
	hl_subject_release(&s);
	hl_query_release(&q);
	hl_names_free(names);
}

START_TEST(a_snapshot_holds_the_events_up_to_its_stamp)
{
	make_marked("t.hl");
	expect_live(in_dir("t.hl"), NULL, 0, 3, 1);
	expect_live(in_dir("t.hl@1"), NULL, 0, 120, 2);
	expect_live(in_dir("t.hl@peak"), NULL, 0, 123, 3);
	expect_live(in_dir("t.hl@2"), NULL, 0, 23, 2);
	expect_live(in_dir("t.hl@2"), "1", 0, 3, 1);
	expect_live(in_dir("t.hl@peak"), NULL, 20, 120, 2);
	expect_live(in_dir("t.hl@a"), "2", 0, 0, 0);
}
END_TEST

START_TEST(a_trace_without_events_is_known_as_that)
{
	struct hl_writer *w = make_trace("empty.hl", 1);
	struct hl_names *names = hl_names_new();
	const struct hl_cli cli = {0};
	struct hl_subject s;
	struct hl_query q;
	struct hl_rows rows;
	struct hl_diag d;
	struct encode e;

	encode_start(&e, 1000);
	encode_hello(&e, 1, 1001, 1000, "/bin/x", "x", 2);
	encode_mark(&e, 1010, HL_MARK_API, "m");
	add_claim(w, &e, HL_STREAM(1, 0), 0);
	finish(w);
	hl_query_init(&q, &cli);
	ck_assert_int_eq(hl_subject_open(&s, in_dir("empty.hl@m"), &q, names, &d), HL_OK);
	ck_assert_int_eq(hl_subject_rows(&s, &q, 0, 0, &rows, &d), HL_OK);
	ck_assert_int_eq(s.nothing, 1);
	free(rows.row);
	hl_subject_release(&s);
	hl_query_release(&q);
	hl_names_free(names);
}
END_TEST

START_TEST(a_moment_before_the_first_allocation_is_not_nothing)
{
	struct hl_writer *w = make_trace("late.hl", 1);
	struct encode e;

	encode_start(&e, 1000);
	encode_hello(&e, 1, 1001, 1000, "/bin/x", "x", 2);
	encode_mark(&e, 1010, HL_MARK_API, "m");
	encode_alloc(&e, 1020, HL_ENTRY_MALLOC, 0x1000, 1, 0);
	add_claim(w, &e, HL_STREAM(1, 0), 0);
	finish(w);
	expect_live(in_dir("late.hl@m"), NULL, 0, 0, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("snapref");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, remove_dir);
	tcase_add_test(c, the_last_at_separates_unless_a_file_has_the_whole_name);
	tcase_add_test(c, a_name_is_a_number_a_label_the_peak_or_the_end);
	tcase_add_test(c, snapshots_are_listed_with_what_was_live_and_the_end);
	tcase_add_test(c, a_snapshot_holds_the_events_up_to_its_stamp);
	tcase_add_test(c, a_trace_without_events_is_known_as_that);
	tcase_add_test(c, a_moment_before_the_first_allocation_is_not_nothing);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
