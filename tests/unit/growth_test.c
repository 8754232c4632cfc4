/*
 * growth_test.c - which chains of functions grow from snapshot to snapshot.
 */
#include "analyzer/analysis/growth.h"
#include "analyzer/analysis/baseline.h"
#include "tests/unit/suppress_fixture.h"
#include "tests/unit/tracefile.h"

enum { F = 1, F_ELSEWHERE, G, H, STACKS };

static struct encode a;
static struct hl_names *names;
static struct hl_growths found;
static uint64_t stamp, address;

/* Stack ids are tracebacks here; the trace only has to know that many nodes. */
static void setup(void)
{
	static const struct test_frame frames[STACKS] = {{NULL, NULL, 0, NULL},
							 {"f", "f.c", 10, "/bin/prog"},
							 {"f", "f.c", 20, "/bin/prog"},
							 {"g", "g.c", 10, "/bin/prog"},
							 {"h", "h.c", 10, "/bin/prog"}};

	make_dir();
	names = hl_names_new();
	stamp = 1000;
	address = 0x10000;
	encode_start(&a, stamp);
	for (uint32_t i = 1; i < STACKS; i++) {
		ck_assert_uint_eq(make_traceback(names, &frames[i], 1), i);
		encode_node(&a, i, 0, 0x1000 + i, 0);
	}
}

static void teardown(void)
{
	hl_growth_free(found.growth, found.n);
	hl_names_free(names);
	remove_dir();
}

/* The address of a new block. */
static uint64_t allocate(uint64_t bytes, uint32_t stack)
{
	address += 0x10000;
	encode_alloc(&a, ++stamp, HL_ENTRY_MALLOC, address, bytes, stack);
	return address;
}

static void release(uint64_t block)
{
	encode_free(&a, ++stamp, block, 0);
}

static void snapshot(enum hl_mark reason)
{
	encode_mark(&a, ++stamp, reason, "");
}

static void find(uint64_t max)
{
	struct hl_growth_watch *watch = hl_growth_watch_new();
	struct hl_stacks *stacks = hl_stacks_new(names, NULL, NULL);
	struct hl_writer *w;
	struct hl_trace *t;
	struct hl_diag d;

	unlink(in_dir("t.hl"));
	w = make_trace("t.hl", 1);
	add_claim(w, &a, HL_STREAM(1, 0), 0);
	finish(w);
	t = open_trace("t.hl");
	hl_growth_watch_start(watch, stacks);
	ck_assert_int_eq(hl_replay(t, UINT64_MAX, &hl_growth_sink, watch, NULL, &d), HL_OK);
	hl_growth_find(&found, watch, max);
	hl_growth_watch_free(watch);
	hl_stacks_free(stacks);
	hl_trace_close(t);
}

START_TEST(what_grows_in_every_snapshot_is_told_from_what_does_not)
{
	uint64_t released = 0;

	for (int i = 0; i < 4; i++) {
		allocate(100, F);
		if (i == 0)
			allocate(1000, H); /* grows once */
		if (i == 2)
			release(released);
		released = allocate(50, G);
		snapshot(HL_MARK_API);
	}
	find(0);
	ck_assert_uint_eq(found.snapshots, 4);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_eq(found.most, 300);
	ck_assert_uint_eq(found.growth[0].traceback, F);
	ck_assert_uint_eq(found.growth[0].hash, hl_baseline_hash(names, F));
	ck_assert_uint_eq(found.growth[0].times, 3);
	ck_assert_uint_eq(found.growth[0].from_bytes, 100);
	ck_assert_uint_eq(found.growth[0].from_blocks, 1);
	ck_assert_uint_eq(found.growth[0].to_bytes, 400);
	ck_assert_uint_eq(found.growth[0].to_blocks, 4);
}
END_TEST

START_TEST(lines_of_one_function_are_taken_together_and_the_largest_is_shown)
{
	for (int i = 0; i < 3; i++) {
		uint64_t other = allocate(i % 2 ? 10 : 60, F);

		allocate(100, F_ELSEWHERE);
		snapshot(HL_MARK_COMMAND);
		if (i == 0)
			release(other); /* F alone goes 60, 10, 70 */
	}
	find(0);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_eq(found.growth[0].traceback, F_ELSEWHERE);
	ck_assert_uint_eq(found.growth[0].from_bytes, 160);
	ck_assert_uint_eq(found.growth[0].to_bytes, 370);
}
END_TEST

START_TEST(the_first_snapshot_is_the_base_and_may_have_nothing)
{
	snapshot(HL_MARK_INTERVAL);
	for (int i = 0; i < 2; i++) {
		allocate(100, F);
		if (i)
			allocate(100, G); /* new at the third: did not grow at the second */
		snapshot(HL_MARK_SIGNAL);
	}
	find(0);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_eq(found.growth[0].traceback, F);
	ck_assert_uint_eq(found.growth[0].from_bytes, 0);
	ck_assert_uint_eq(found.growth[0].to_bytes, 200);
}
END_TEST

START_TEST(more_than_so_much_is_too_much_and_the_most_is_told_all_the_same)
{
	for (int i = 0; i < 3; i++) {
		allocate(100, F);
		allocate(70, G);
		snapshot(HL_MARK_API);
	}
	find(140);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_eq(found.most, 200);
	hl_growth_free(found.growth, found.n);
	find(139);
	ck_assert_uint_eq(found.n, 2);
	ck_assert_uint_eq(found.growth[0].traceback, F);
	ck_assert_uint_eq(found.growth[1].traceback, G);
	hl_growth_free(found.growth, found.n);
	find(200);
	ck_assert_uint_eq(found.n, 0);
	ck_assert_uint_eq(found.most, 200);
}
END_TEST

START_TEST(snapshots_of_growth_and_the_end_do_not_count)
{
	for (int i = 0; i < 2; i++) {
		allocate(100, F);
		snapshot(HL_MARK_API);
		snapshot(HL_MARK_GROWTH);
	}
	allocate(100, F);
	snapshot(HL_MARK_END);
	find(0);
	ck_assert_uint_eq(found.snapshots, 2);
	ck_assert_uint_eq(found.n, 0);
	ck_assert_uint_eq(found.most, 0);
}
END_TEST

START_TEST(a_mapping_counts_as_far_as_it_is_mapped)
{
	encode_map(&a, ++stamp, 0x7f0000000000, 0x2000, F);
	snapshot(HL_MARK_API);
	encode_map(&a, ++stamp, 0x7f0000100000, 0x4000, F);
	encode_unmap(&a, ++stamp, 0x7f0000000000, 0x1000);
	snapshot(HL_MARK_API);
	encode_map(&a, ++stamp, 0x7f0000200000, 0x1000, F);
	snapshot(HL_MARK_API);
	find(0);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_eq(found.growth[0].from_bytes, 0x2000);
	ck_assert_uint_eq(found.growth[0].to_bytes, 0x6000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("growth");
	TCase *t = tcase_create("growth");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_grows_in_every_snapshot_is_told_from_what_does_not);
	tcase_add_test(t, lines_of_one_function_are_taken_together_and_the_largest_is_shown);
	tcase_add_test(t, the_first_snapshot_is_the_base_and_may_have_nothing);
	tcase_add_test(t, more_than_so_much_is_too_much_and_the_most_is_told_all_the_same);
	tcase_add_test(t, snapshots_of_growth_and_the_end_do_not_count);
	tcase_add_test(t, a_mapping_counts_as_far_as_it_is_mapped);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
