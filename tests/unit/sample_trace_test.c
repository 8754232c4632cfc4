/*
 * sample_trace_test.c - what one block of a sample stands for, and what the reader and the replay make of a
 * trace that is one.
 */
#include "analyzer/model/replay.h"
#include "analyzer/model/sample.h"
#include "tests/unit/tracefile.h"
#include <math.h>
#include <string.h>

#define RATE 1000u

static struct encode enc;

/* ---- one block ---- */

START_TEST(a_block_stands_for_its_inverse_probability)
{
	static const struct {
		uint64_t rate, size;
	} t[] = {{1, 0},
		 {1, 1},
		 {1, 2},
		 {512, 0},
		 {512, 16},
		 {512, 512},
		 {524288, 1},
		 {524288, 100000},
		 {524288, 1 << 20},
		 {1 << 30, 1},
		 {1 << 30, 1 << 20}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		double s = (double)t[i].size, p = 1 - exp(-fmax(s, 1) / (double)t[i].rate);
		struct hl_weight w = hl_weigh(t[i].rate, HL_DOMAIN_HEAP, t[i].size);

		ck_assert(fabs((double)w.blocks * 0x1p-16 - 1 / p) <= 1e-5 + 1e-6 / p);
		ck_assert(fabs((double)w.bytes * 0x1p-8 - s / p) <= 0.002 + 1e-6 * s / p);
		ck_assert(fabs(w.blocks_variance - (1 - p) / p / p) <= 1e-6 / p / p);
		ck_assert(fabs(w.bytes_variance - s * s * (1 - p) / p / p) <= 1e-6 * s * s / p / p);
	}
}
END_TEST

START_TEST(mappings_and_complete_traces_stand_for_themselves)
{
	struct hl_weight w = hl_weigh(RATE, HL_DOMAIN_MMAP, 4096);

	ck_assert_uint_eq(hl_sample_bytes(RATE, w.bytes), 4096);
	ck_assert_uint_eq(hl_sample_blocks(RATE, w.blocks), 1);
	ck_assert(w.bytes_variance == 0 && w.blocks_variance == 0);
	w = hl_weigh(0, HL_DOMAIN_HEAP, UINT64_MAX);
	ck_assert_uint_eq(w.bytes, UINT64_MAX);
	ck_assert_uint_eq(w.blocks, 1);
	ck_assert(w.bytes_variance == 0 && w.blocks_variance == 0);
}
END_TEST

START_TEST(no_value_of_size_or_rate_is_too_much)
{
	static const uint64_t values[] = {0, 1, 2, 1ull << 32, 1ull << 63, UINT64_MAX - 1, UINT64_MAX};
	const size_t n = sizeof(values) / sizeof(values[0]);

	for (size_t r = 1; r < n; r++)
		for (size_t s = 0; s < n; s++) {
			struct hl_weight w = hl_weigh(values[r], HL_DOMAIN_HEAP, values[s]);

			ck_assert(w.blocks >= 1 << HL_SAMPLE_BLOCK_SHIFT && w.blocks <= 1ull << 63);
			ck_assert(w.bytes <= 1ull << 63);
			ck_assert(w.blocks_variance >= 0 && w.blocks_variance < 1e300);
			ck_assert(w.bytes_variance >= 0 && w.bytes_variance < 1e300);
		}
}
END_TEST

/* ---- what the reader makes of it ---- */

static struct hl_trace *trace_of(const char *name, uint64_t first, uint64_t second)
{
	struct hl_writer *w = make_trace(name, 1);

	encode_start(&enc, 0);
	ENCODE_NUMBERS(&enc, HL_FACT_SAMPLE | HL_TAG_MUST >> 2, first);
	if (second)
		encode_sample(&enc, second);
	encode_node(&enc, 1, 0, 0x1000, 0);
	encode_alloc(&enc, 1, HL_ENTRY_MALLOC, 0x10, 0, 1);
	encode_alloc(&enc, 2, HL_ENTRY_MALLOC, 0x20, 1ull << 62, 1);
	encode_op_free(&enc, 3, HL_DOMAIN_HEAP, HL_ENTRY_FREE | HL_ENTRY_TEMPORARY, 0x10);
	add_claim(w, &enc, 4, 0);
	finish(w);
	return open_trace(name);
}

START_TEST(a_trace_says_once_what_it_is_a_sample_of)
{
	struct hl_replay_counts c;
	struct hl_diag d;
	struct hl_trace *t = trace_of("one.hl", 4096, 4096);

	ck_assert_uint_eq(hl_trace_facts(t)->sample_bytes, 4096);
	ck_assert_uint_eq(hl_trace_health(t)->unknown_facts, 0);
	ck_assert_str_eq(hl_trace_health(t)->first_problem, "");
	hl_trace_close(t);

	t = trace_of("two.hl", 4096, 8192);
	ck_assert_uint_eq(hl_trace_facts(t)->sample_bytes, 4096);
	ck_assert_ptr_nonnull(strstr(hl_trace_health(t)->first_problem, "8192"));
	hl_trace_close(t);

	t = trace_of("none.hl", 0, 0); /* no probability: damage */
	ck_assert_uint_eq(hl_trace_facts(t)->sample_bytes, 0);
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 1);
	hl_trace_close(t);

	t = trace_of("most.hl", UINT64_MAX, 0);
	ck_assert_int_eq(hl_replay(t, UINT64_MAX, NULL, NULL, &c, &d), HL_OK);
	ck_assert_uint_eq(c.recorded, 2);
	ck_assert(c.allocs_error > 0 && c.allocs_error < 1e300);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_child_is_a_sample_as_its_parent_is)
{
	struct hl_writer *w = make_trace("parent.hl", 1);
	struct hl_replay_counts c;
	struct hl_trace *t;
	struct hl_diag d;

	encode_start(&enc, 0);
	encode_sample(&enc, RATE);
	encode_node(&enc, 1, 0, 0x1000, 0);
	encode_alloc(&enc, 1, HL_ENTRY_MALLOC, 0x10, 1000, 1);
	add_claim(w, &enc, 4, 0);
	finish(w);
	w = make_trace("parent.hl.1002", 2);
	size_t used = enc.n;

	encode_start(&enc, 10);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 2, 1, 4, 0, used);
	encode_parent(&enc, "parent.hl", (const uint8_t *)"the same for all", 1);
	encode_sample(&enc, RATE);
	encode_alloc(&enc, 11, HL_ENTRY_MALLOC, 0x20, 1000, 1);
	encode_alloc(&enc, 12, HL_ENTRY_MALLOC, 0x30, 1000, 1);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("parent.hl.1002");
	ck_assert_str_eq(hl_trace_health(t)->first_problem, "");
	ck_assert_int_eq(hl_replay(t, UINT64_MAX, NULL, NULL, &c, &d), HL_OK);
	ck_assert_uint_eq(c.recorded, 3);
	ck_assert_uint_eq(c.inherited_bytes, 1582); /* 1000 / (1 - 1 / e) */
	ck_assert_uint_eq(c.total_bytes, 3164);
	ck_assert_uint_eq(c.live_bytes, 4746);
	ck_assert_uint_eq(c.peak_bytes, 4746);
	ck_assert_uint_eq(c.allocs, 3); /* 3.16 */
	ck_assert_uint_eq(c.live_blocks, 5);
	ck_assert_uint_eq(c.inherited_blocks, 2);
	ck_assert(c.live_bytes_error == c.peak_bytes_error && c.live_bytes_error > c.total_bytes_error);
	hl_trace_close(t);
}
END_TEST

START_TEST(only_what_the_record_says_is_temporary_in_a_sample)
{
	for (int sample = 0; sample < 2; sample++) {
		const char *name = sample ? "sample.hl" : "full.hl";
		struct hl_writer *w = make_trace(name, 1);
		struct hl_replay_counts c;
		struct hl_trace *t;
		struct hl_diag d;

		encode_start(&enc, 0);
		if (sample)
			encode_sample(&enc, 1); /* nearly all */
		encode_node(&enc, 1, 0, 0x1000, 0);
		encode_alloc(&enc, 1, HL_ENTRY_MALLOC, 0x10, 1000, 1);
		encode_free(&enc, 2, 0x10, 0); /* newest, but not flagged */
		encode_alloc(&enc, 3, HL_ENTRY_MALLOC, 0x10, 1000, 1);
		encode_alloc(&enc, 4, HL_ENTRY_MALLOC, 0x20, 1000, 1);
		encode_op_free(&enc, 5, HL_DOMAIN_HEAP, HL_ENTRY_DELETE | HL_ENTRY_TEMPORARY, 0x10);
		encode_map(&enc, 6, 0x7000, 4096, 1);
		encode_unmap(&enc, 7, 0x7000, 4096);
		encode_alloc(&enc, 8, HL_ENTRY_MALLOC, 0x30, 1000, 1);
		encode_alloc(&enc, 9, HL_ENTRY_MALLOC, 0x40, 1000, 1);
		encode_release(&enc, 10, 0x30);
		encode_op(&enc, HL_OP_DROP_TEMPORARY, 11);
		encode_release(&enc, 12, 0x40);
		encode_drop(&enc, 13); /* newest, but not flagged */
		add_claim(w, &enc, 4, 0);
		finish(w);
		t = open_trace(name);
		ck_assert_int_eq(hl_replay(t, UINT64_MAX, NULL, NULL, &c, &d), HL_OK);
		ck_assert_uint_eq(c.frees, 5);
		ck_assert_uint_eq(c.temporary, sample ? 2 : 3);
		hl_trace_close(t);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sample_trace");
	TCase *t = tcase_create("sample_trace");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, a_block_stands_for_its_inverse_probability);
	tcase_add_test(t, mappings_and_complete_traces_stand_for_themselves);
	tcase_add_test(t, no_value_of_size_or_rate_is_too_much);
	tcase_add_test(t, a_trace_says_once_what_it_is_a_sample_of);
	tcase_add_test(t, a_child_is_a_sample_as_its_parent_is);
	tcase_add_test(t, only_what_the_record_says_is_temporary_in_a_sample);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
