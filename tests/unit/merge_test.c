/*
 * merge_test.c - the order of events over streams, claims, blocks and forks.
 */
#include "tests/unit/tracefile.h"
#include <malloc.h>

static uint64_t seed = 11;

static uint64_t pick(uint64_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 24) % n;
}

static struct encode enc;

/* n frees of distinct addresses, stream << 32 | serial, from stamp on; split into blocks at random. */
static uint64_t random_stream(struct hl_writer *w, uint32_t stream, uint64_t stamp, unsigned n)
{
	uint32_t claim = 0;
	unsigned done = 0;

	while (done < n) {
		unsigned some = 1 + (unsigned)pick(40);
		size_t from = 0;

		encode_start(&enc, stamp);
		for (; some && done < n; some--, done++) {
			stamp += pick(4) ? pick(3) : pick(500);
			encode_free(&enc, stamp, ((uint64_t)stream << 32 | done) << 4, 0);
			if (!pick(10)) {
				add_part(w, &enc, stream, claim, from, enc.n);
				from = enc.n;
			}
		}
		if (from < enc.n)
			add_part(w, &enc, stream, claim, from, enc.n);
		claim++;
	}
	return stamp;
}

START_TEST(events_are_sorted_by_stamp_then_stream_and_keep_their_streams_order)
{
	for (int round = 0; round < 20; round++) {
		static unsigned seen[64];
		struct hl_writer *w = make_trace("t.hl", 1);
		uint64_t last_stamp = 0, last_stream = 0;
		unsigned total = 0, n[64], got = 0;
		struct hl_merge *m;
		struct hl_event e;
		struct hl_trace *t;

		memset(seen, 0, sizeof(seen));
		for (uint32_t s = 1; s < 64; s++) {
			n[s] = pick(3) ? (unsigned)pick(300) : 0;
			/* what lies in an image's stream is no event */
			total += hl_stream_is_image(s) ? 0 : n[s];
			random_stream(w, s, pick(5000), n[s]);
		}
		finish(w);
		t = open_trace("t.hl");
		m = hl_merge_new(t);
		while (hl_merge_next(m, &e)) {
			ck_assert(e.stamp > last_stamp || (e.stamp == last_stamp && e.stream >= last_stream));
			ck_assert_uint_eq(e.address, ((uint64_t)e.stream << 32 | seen[e.stream]++) << 4);
			ck_assert_uint_eq(e.thread, e.stream >> 2);
			ck_assert_int_eq(e.inherited, 0);
			last_stamp = e.stamp;
			last_stream = e.stream;
			got++;
		}
		ck_assert_int_eq(hl_merge_next(m, &e), 0);
		ck_assert_uint_eq(got, total);
		hl_merge_free(m);
		hl_trace_close(t);
		remove(in_dir("t.hl"));
	}
}
END_TEST

START_TEST(a_claim_that_begins_before_the_last_one_ended_does_not_turn_time_back)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	static const uint64_t expect[] = {100, 100, 150};
	struct hl_merge *m;
	struct hl_event e;
	struct hl_trace *t;

	encode_start(&enc, 100);
	encode_free(&enc, 100, 0x10, 0);
	add_claim(w, &enc, 4, 0);
	encode_start(&enc, 40);
	encode_free(&enc, 50, 0x20, 0);
	encode_free(&enc, 150, 0x30, 0);
	add_claim(w, &enc, 4, 1);
	finish(w);
	t = open_trace("t.hl");
	m = hl_merge_new(t);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hl_merge_next(m, &e), 1);
		ck_assert_uint_eq(e.stamp, expect[i]);
	}
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_stream_whose_first_claim_is_damaged_does_not_come_in_too_early)
{
	static const uint64_t expect[] = {300, 500, 600};
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_merge *m;
	struct hl_event e;
	struct hl_trace *t;

	encode_start(&enc, 500);
	encode_byte(&enc, 63 << 2 | HL_TAG_EVENT); /* no such event */
	add_claim(w, &enc, 4, 0);
	encode_start(&enc, 100);
	encode_free(&enc, 101, 0x10, 0);
	encode_free(&enc, 600, 0x10, 0);
	add_claim(w, &enc, 4, 1);
	encode_start(&enc, 300);
	encode_free(&enc, 300, 0x20, 0);
	add_claim(w, &enc, 8, 0);
	finish(w);
	t = open_trace("t.hl");
	m = hl_merge_new(t);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hl_merge_next(m, &e), 1);
		ck_assert_uint_eq(e.stamp, expect[i]);
	}
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 1);
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

START_TEST(labels_are_strings_and_several_merges_do_not_disturb_each_other)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_merge *a, *b;
	struct hl_event ea, eb;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_mark(&enc, 1, HL_MARK_API, "first");
	encode_mark(&enc, 2, HL_MARK_SIGNAL, "");
	encode_free(&enc, 3, 0x10, 0);
	add_claim(w, &enc, 4, 0);
	encode_start(&enc, 2);
	encode_mark(&enc, 2, HL_MARK_INTERVAL, "the collector's");
	add_claim(w, &enc, HL_STREAM_COLLECTOR, 0);
	finish(w);
	t = open_trace("t.hl");
	a = hl_merge_new(t);
	b = hl_merge_new(t);
	ck_assert_int_eq(hl_merge_next(a, &ea), 1);
	ck_assert_int_eq(hl_merge_next(b, &eb), 1);
	ck_assert_int_eq(hl_merge_next(b, &eb), 1);
	ck_assert_str_eq(ea.label, "first");
	ck_assert_int_eq(ea.mark, HL_MARK_API);
	ck_assert_str_eq(eb.label, "");
	ck_assert_int_eq(hl_merge_next(b, &eb), 1);
	ck_assert_str_eq(eb.label, "the collector's");
	ck_assert_uint_eq(eb.thread, 0);
	ck_assert_int_eq(hl_merge_next(b, &eb), 1);
	ck_assert_ptr_null(eb.label);
	ck_assert_int_eq(hl_merge_next(b, &eb), 0);
	ck_assert_str_eq(ea.label, "first");
	hl_merge_free(a);
	hl_merge_free(b);
	hl_trace_close(t);
}
END_TEST

START_TEST(threads_that_live_one_after_another_need_the_memory_of_one)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	uint32_t n = 20000, got = 0;
	struct hl_merge *m;
	struct hl_event e;
	struct hl_trace *t;
	size_t before, most = 0;

	for (uint32_t i = 1; i <= n; i++) {
		encode_start(&enc, i * 10);
		encode_free(&enc, i * 10 + 3, 0x10, 0);
		encode_free(&enc, i * 10 + 12, 0x20, 0); /* overlaps with its successor */
		add_claim(w, &enc, HL_STREAM(i, 0), 0);
	}
	finish(w);
	t = open_trace("t.hl");
	m = hl_merge_new(t);
	before = mallinfo2().uordblks;
	while (hl_merge_next(m, &e)) {
		if (got++ % 1000 == 0 && mallinfo2().uordblks > before + most)
			most = mallinfo2().uordblks - before;
	}
	ck_assert_uint_eq(got, 2 * n);
	ck_assert_uint_lt(most, 100000);
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

/* Stream s of a file: frees of s << 16 | 0, 1, ... at the stamps from, from + 1, ...; five a claim. */
static void steady_stream(struct hl_writer *w, uint32_t stream, uint64_t from, unsigned n, size_t *cut_at)
{
	for (unsigned i = 0; i < n; i++) {
		if (i % 5 == 0)
			encode_start(&enc, from + i);
		encode_free(&enc, from + i, (uint64_t)stream << 16 | i << 4, 0);
		if (i == 7)
			*cut_at = enc.n; /* two claims of five: three events into the second */
		if (i % 5 == 4 || i == n - 1)
			add_claim(w, &enc, stream, i / 5);
	}
}

START_TEST(a_child_inherits_exactly_the_prefix_that_its_fork_names)
{
	static const uint8_t uuid[16] = "the same for all";
	struct hl_writer *w = make_trace("parent.hl", 1);
	unsigned inherited[64] = {0}, own = 0, state = 1;
	size_t cut = 0, other;
	struct hl_merge *m;
	struct hl_event e;
	struct hl_trace *t;

	steady_stream(w, HL_STREAM(1, 0), 10, 20, &cut);
	steady_stream(w, HL_STREAM(2, 0), 12, 20, &other); /* not listed, ended before */
	steady_stream(w, HL_STREAM(3, 1), 14, 20, &other); /* listed with nothing of its claim 1 */
	steady_stream(w, HL_STREAM(5, 0), 90, 20, &other); /* began after the fork */
	steady_stream(w, HL_STREAM_COLLECTOR, 90, 5, &other);
	finish(w);
	w = make_trace("child.hl", 2);
	encode_start(&enc, 100);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 5, 2, HL_STREAM(3, 1), 1, 0, HL_STREAM(1, 0), 1, cut);
	encode_parent(&enc, "parent.hl", uuid, 1);
	encode_free(&enc, 100, 0x10, 0);
	add_claim(w, &enc, HL_STREAM(1, 0), 0);
	finish(w);
	t = open_trace("child.hl");
	m = hl_merge_new(t);
	while (hl_merge_next(m, &e)) {
		ck_assert_int_le(e.inherited, (int)state); /* all inherited ones first */
		state = e.inherited;
		if (e.inherited)
			inherited[e.stream]++;
		else
			own++;
	}
	ck_assert_uint_eq(inherited[HL_STREAM(1, 0)], 8);
	ck_assert_uint_eq(inherited[HL_STREAM(2, 0)], 20);
	ck_assert_uint_eq(inherited[HL_STREAM(3, 1)], 5);
	ck_assert_uint_eq(inherited[HL_STREAM(5, 0)], 0);
	ck_assert_uint_eq(own, 1);
	ck_assert_str_eq(hl_trace_health(t)->first_problem, "");
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_grandchild_inherits_through_its_parent)
{
	static const uint64_t expect[] = {10, 11, 20, 30};
	static const uint8_t uuid[16] = "the same for all";
	struct hl_writer *w;
	struct hl_merge *m;
	struct hl_event e;
	struct hl_trace *t;
	size_t cut = 0;

	for (uint32_t i = 0; i < 3; i++) {
		char name[16], parent[16];

		snprintf(name, sizeof(name), "%u.hl", i);
		snprintf(parent, sizeof(parent), "%u.hl", i - 1);
		w = make_trace(name, i + 1);
		encode_start(&enc, i * 10 + 10);
		if (i) {
			ENCODE_NUMBERS(&enc, HL_FACT_FORK, i, 1000 + i, 2, 1, 4, 0, cut);
			encode_parent(&enc, parent, uuid, i);
		}
		encode_free(&enc, i * 10 + 10, 0x10, 0);
		if (i == 0)
			encode_free(&enc, 11, 0x20, 0);
		cut = enc.n;
		encode_free(&enc, 99, 0x30, 0); /* after its child was forked */
		if (i == 2)
			enc.n = cut;
		add_claim(w, &enc, 4, 0);
		finish(w);
	}
	t = open_trace("2.hl");
	m = hl_merge_new(t);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(hl_merge_next(m, &e), 1);
		ck_assert_uint_eq(e.stamp, expect[i]);
		ck_assert_int_eq(e.inherited, i < 3);
	}
	ck_assert_int_eq(hl_merge_next(m, &e), 0);
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

START_TEST(claims_that_the_parent_lost_are_the_childs_gaps_only_below_the_fork)
{
	static const uint8_t uuid[16] = "the same for all";
	struct hl_writer *w = make_trace("parent.hl", 1);
	struct hl_trace *t;

	for (uint32_t claim = 0; claim < 10; claim += 3) { /* 0 3 6 9 */
		encode_start(&enc, claim * 10);
		encode_free(&enc, claim * 10, 0x10, 0);
		add_claim(w, &enc, 4, claim);
	}
	finish(w);
	w = make_trace("child.hl", 2);
	encode_start(&enc, 100);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 2, 1, 4, 3, 1);
	encode_parent(&enc, "parent.hl", uuid, 1);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("child.hl");
	ck_assert_uint_eq(hl_trace_health(t)->missing_claims, 2);
	hl_trace_close(t);
	t = open_trace("parent.hl");
	ck_assert_uint_eq(hl_trace_health(t)->missing_claims, 6);
	hl_trace_close(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("merge");
	TCase *t = tcase_create("merge");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, events_are_sorted_by_stamp_then_stream_and_keep_their_streams_order);
	tcase_add_test(t, a_claim_that_begins_before_the_last_one_ended_does_not_turn_time_back);
	tcase_add_test(t, a_stream_whose_first_claim_is_damaged_does_not_come_in_too_early);
	tcase_add_test(t, labels_are_strings_and_several_merges_do_not_disturb_each_other);
	tcase_add_test(t, threads_that_live_one_after_another_need_the_memory_of_one);
	tcase_add_test(t, a_child_inherits_exactly_the_prefix_that_its_fork_names);
	tcase_add_test(t, a_grandchild_inherits_through_its_parent);
	tcase_add_test(t, claims_that_the_parent_lost_are_the_childs_gaps_only_below_the_fork);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
