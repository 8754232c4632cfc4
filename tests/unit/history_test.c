/*
 * history_test.c - which blocks an address was part of.
 */
#include "analyzer/analysis/history.h"
#include "tests/unit/tracefile.h"
#include <string.h>

enum { MAIN = 1, ALLOC, FREE, OTHER, STACKS };

static struct encode a;
static struct hl_names *names;
static struct hl_history found;

/* Stack ids are tracebacks here; the trace only has to know that many nodes. */
static void setup(void)
{
	static const char *const files[STACKS] = {"", "main.c", "alloc.c", "free.c", "other.c"};

	make_dir();
	names = hl_names_new();
	encode_start(&a, 1000);
	for (uint32_t i = 1; i < STACKS; i++) {
		struct hl_name_frame f = {.file = hl_names_intern(names, files[i]), .line = i};

		ck_assert_uint_eq(hl_names_traceback(names, 0, hl_names_frame(names, &f)), i);
		encode_node(&a, i, 0, 0x1000 + i, 0);
	}
}

static void teardown(void)
{
	hl_history_release(&found);
	hl_names_free(names);
	remove_dir();
}

static void ask(uint64_t address, uint64_t until, uint64_t keep)
{
	struct hl_writer *w;
	struct hl_stacks *stacks = hl_stacks_new(names, NULL, NULL);
	struct hl_replay_counts counts;
	struct hl_trace *t;
	struct hl_diag d;

	unlink(in_dir("t.hl"));
	w = make_trace("t.hl", 1);
	add_claim(w, &a, HL_STREAM(1, 0), 0);
	finish(w);
	t = open_trace("t.hl");
	ck_assert_int_eq(hl_history_load(&found, &(struct hl_calls){t, names, stacks}, address, until, keep,
					 &counts, &d),
			 HL_OK);
	hl_stacks_free(stacks);
	hl_trace_close(t);
}

static void expect(size_t i, uint64_t address, uint64_t size, int live)
{
	ck_assert_uint_lt(i, found.n);
	ck_assert_uint_eq(found.life[i].address, address);
	ck_assert_uint_eq(found.life[i].size, size);
	ck_assert_int_eq(found.life[i].live, live);
	ck_assert_int_eq(found.life[i].allocated.known, 1);
}

START_TEST(the_first_and_the_last_byte_belong_to_a_block_and_the_next_does_not)
{
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 40, ALLOC);
	encode_alloc(&a, 2001, HL_ENTRY_MALLOC, 0x530, 0, ALLOC);
	ask(0x500, UINT64_MAX, 0);
	ck_assert_uint_eq(found.n, 1);
	expect(0, 0x500, 40, 1);
	hl_history_release(&found);
	ask(0x527, UINT64_MAX, 0);
	expect(0, 0x500, 40, 1);
	hl_history_release(&found);
	ask(0x528, UINT64_MAX, 0);
	ck_assert_uint_eq(found.lives, 0);
	hl_history_release(&found);
	ask(0x4ff, UINT64_MAX, 0);
	ck_assert_uint_eq(found.lives, 0);
	hl_history_release(&found);
	/* a block of no bytes has its own address */
	ask(0x530, UINT64_MAX, 0);
	expect(0, 0x530, 0, 1);
}
END_TEST

START_TEST(lives_come_newest_first_with_who_made_and_who_ended_them)
{
	encode_alloc(&a, 2000, HL_ENTRY_NEW, 0x500, 64, ALLOC);
	encode_call(&a, 2001, FREE);
	encode_free(&a, 2001, 0x500, 1);
	encode_alloc(&a, 2002, HL_ENTRY_MALLOC, 0x4f0, 128, OTHER);
	encode_release(&a, 2003, 0x4f0);
	encode_alloc(&a, 2004, HL_ENTRY_REALLOC, 0x4f0, 256, MAIN);
	ask(0x510, UINT64_MAX, 0);
	ck_assert_uint_eq(found.n, 3);
	expect(0, 0x4f0, 256, 1);
	ck_assert_int_eq(found.life[0].ended.known, 0);
	ck_assert_str_eq(found.life[0].allocated.function, "realloc");
	ck_assert_uint_eq(found.life[0].allocated.traceback, MAIN);
	expect(1, 0x4f0, 128, 0);
	ck_assert_str_eq(found.life[1].ended.function, "realloc");
	expect(2, 0x500, 64, 0);
	ck_assert_str_eq(found.life[2].allocated.function, "operator new");
	ck_assert_str_eq(found.life[2].ended.function, "operator delete");
	ck_assert_uint_eq(found.life[2].ended.traceback, FREE);
	ck_assert_int_eq(found.stackless, 0);
}
END_TEST

START_TEST(at_a_moment_what_was_freed_later_lives)
{
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 64, ALLOC);
	encode_free(&a, 3000, 0x500, 0);
	encode_alloc(&a, 4000, HL_ENTRY_MALLOC, 0x500, 32, OTHER);
	ask(0x500, 2500, 0);
	ck_assert_uint_eq(found.n, 1);
	expect(0, 0x500, 64, 1);
	hl_history_release(&found);
	ask(0x500, UINT64_MAX, 0);
	ck_assert_uint_eq(found.n, 2);
	expect(1, 0x500, 64, 0);
	ck_assert_int_eq(found.stackless, 1);
}
END_TEST

START_TEST(of_many_lives_the_newest_are_kept_and_all_are_counted)
{
	for (uint64_t i = 0; i < 100; i++) {
		encode_alloc(&a, 2000 + 10 * i, HL_ENTRY_MALLOC, 0x500, 16 + i, ALLOC);
		if (i != 99)
			encode_free(&a, 2001 + 10 * i, 0x500, 0);
	}
	for (uint64_t keep = 1; keep < 8; keep++) {
		ask(0x500, UINT64_MAX, keep);
		ck_assert_uint_eq(found.n, keep);
		ck_assert_uint_eq(found.lives, 100);
		for (size_t i = 0; i < keep; i++)
			expect(i, 0x500, 16 + 99 - i, i == 0);
		hl_history_release(&found);
	}
}
END_TEST

START_TEST(a_block_inside_a_pools_block_is_told_with_it)
{
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 4096, ALLOC);
	encode_op_alloc(&a, 2001, HL_DOMAIN_POOL, HL_ENTRY_POOL, 0x500, 32, OTHER);
	encode_op_free(&a, 2002, HL_DOMAIN_POOL, HL_ENTRY_FREE, 0x500);
	ask(0x508, UINT64_MAX, 0);
	ck_assert_uint_eq(found.n, 2);
	expect(0, 0x500, 32, 0);
	ck_assert_uint_eq(found.life[0].domain, HL_DOMAIN_POOL);
	ck_assert_str_eq(found.life[0].ended.function, "heapledger_free");
	expect(1, 0x500, 4096, 1);
}
END_TEST

START_TEST(of_a_mapping_it_is_told_how_much_was_unmapped)
{
	encode_op_alloc(&a, 2000, HL_DOMAIN_MMAP, HL_ENTRY_MMAP, 0x10000, 0x4000, ALLOC);
	encode_op(&a, HL_OP_FREE_RANGE, 2001);
	encode_uv(&a, 0x11000);
	encode_uv(&a, 0x1000);
	ask(0x13000, UINT64_MAX, 0);
	ck_assert_uint_eq(found.n, 1);
	expect(0, 0x10000, 0x4000, 1);
	ck_assert_uint_eq(found.life[0].unmapped, 0x1000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history");
	TCase *t = tcase_create("history");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_first_and_the_last_byte_belong_to_a_block_and_the_next_does_not);
	tcase_add_test(t, lives_come_newest_first_with_who_made_and_who_ended_them);
	tcase_add_test(t, at_a_moment_what_was_freed_later_lives);
	tcase_add_test(t, of_many_lives_the_newest_are_kept_and_all_are_counted);
	tcase_add_test(t, a_block_inside_a_pools_block_is_told_with_it);
	tcase_add_test(t, of_a_mapping_it_is_told_how_much_was_unmapped);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
