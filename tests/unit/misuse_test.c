/*
 * misuse_test.c - which free is wrong, and which block it hit.
 */
#include "analyzer/analysis/misuse.h"
#include "tests/unit/tracefile.h"
#include <string.h>

enum { MAIN = 1, ALLOC, FREE, AGAIN, OTHER, STACKS };

static struct encode a, b;
static struct hl_names *names;
static struct hl_misuses found;
static struct hl_replay_counts counts;

/* Stack ids are tracebacks here; the trace only has to know that many nodes. */
static void setup(void)
{
	static const char *const files[STACKS] = {"", "main.c", "alloc.c", "free.c", "again.c", "other.c"};

	make_dir();
	names = hl_names_new();
	encode_start(&a, 1000);
	encode_start(&b, 1000);
	for (uint32_t i = 1; i < STACKS; i++) {
		struct hl_name_frame f = {.file = hl_names_intern(names, files[i]), .line = i};

		ck_assert_uint_eq(hl_names_traceback(names, 0, hl_names_frame(names, &f)), i);
		encode_node(&a, i, 0, 0x1000 + i, 0);
	}
}

static void teardown(void)
{
	hl_misuses_release(&found);
	hl_names_free(names);
	remove_dir();
}

static void end_by(struct encode *e, uint64_t stamp, uint64_t address, uint64_t stack, enum hl_entry entry)
{
	encode_call(e, stamp, stack);
	if (entry == HL_ENTRY_FREE)
		encode_free(e, stamp, address, 0);
	else
		encode_op_free(e, stamp, HL_DOMAIN_HEAP, entry, address);
}

/* a and b are the claims of two threads. */
static void look(void)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_stacks *stacks = hl_stacks_new(names, NULL, NULL);
	uint64_t kinds[HL_MISUSE_KINDS];
	struct hl_replay_counts c;
	struct hl_trace *t;
	struct hl_diag d;

	add_claim(w, &a, HL_STREAM(1, 0), 0);
	add_claim(w, &b, HL_STREAM(2, 0), 0);
	finish(w);
	t = open_trace("t.hl");
	ck_assert_int_eq(hl_misuses_add(&found, t, "t.hl", names, stacks, &counts, &d), HL_OK);
	ck_assert_int_eq(hl_misuses_count(t, kinds, &c, &d), HL_OK);
	ck_assert_mem_eq(kinds, found.count, sizeof(kinds));
	ck_assert_uint_eq(counts.unexplained_frees,
			  found.count[HL_MISUSE_DOUBLE] + found.count[HL_MISUSE_INVALID]);
	ck_assert_uint_eq(counts.mismatched_frees, found.count[HL_MISUSE_MISMATCHED]);
	hl_stacks_free(stacks);
	hl_trace_close(t);
}

static void expect_call(const struct hl_call *c, const char *function, uint32_t traceback)
{
	ck_assert_int_eq(c->known, function != NULL);
	if (!function)
		return;
	ck_assert_str_eq(c->function, function);
	ck_assert_uint_eq(c->traceback, traceback);
}

START_TEST(a_second_free_comes_with_the_first_and_the_allocation)
{
	/* all in one tick, as of a program with one thread, and the address is used again at once */
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 40, ALLOC);
	end_by(&a, 2000, 0x500, FREE, HL_ENTRY_FREE);
	end_by(&a, 2000, 0x500, AGAIN, HL_ENTRY_FREE);
	encode_alloc(&a, 2000, HL_ENTRY_CALLOC, 0x500, 8, OTHER);
	end_by(&a, 2000, 0x500, MAIN, HL_ENTRY_FREE);
	look();
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.row->kind, HL_MISUSE_DOUBLE);
	ck_assert_uint_eq(found.row->address, 0x500);
	ck_assert_uint_eq(found.row->size, 40);
	expect_call(&found.row->freed, "free", AGAIN);
	expect_call(&found.row->freed_before, "free", FREE);
	expect_call(&found.row->allocated, "malloc", ALLOC);
}
END_TEST

START_TEST(a_block_that_realloc_moved_away_is_freed_twice_at_its_old_place)
{
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 40, ALLOC);
	encode_release(&a, 2001, 0x500);
	encode_alloc(&a, 2002, HL_ENTRY_REALLOC, 0x900, 80, OTHER);
	end_by(&a, 2003, 0x500, AGAIN, HL_ENTRY_FREE);
	look();
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.row->kind, HL_MISUSE_DOUBLE);
	expect_call(&found.row->freed_before, "realloc", OTHER);
	expect_call(&found.row->allocated, "malloc", ALLOC);
}
END_TEST

START_TEST(a_realloc_of_a_freed_block_is_a_double_free)
{
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 40, ALLOC);
	end_by(&a, 2001, 0x500, FREE, HL_ENTRY_FREE);
	encode_call(&a, 2002, AGAIN);
	encode_release(&a, 2002, 0x500);
	look();
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.row->kind, HL_MISUSE_DOUBLE);
	expect_call(&found.row->freed, "realloc", AGAIN);
}
END_TEST

START_TEST(an_address_inside_a_block_is_told_with_its_block)
{
	encode_alloc(&a, 2000, HL_ENTRY_NEW_ARRAY, 0x500, 64, ALLOC);
	end_by(&a, 2001, 0x510, FREE, HL_ENTRY_FREE);
	/* past its end: nobody's */
	end_by(&a, 2002, 0x540, OTHER, HL_ENTRY_FREE);
	/* of a dead one */
	end_by(&a, 2003, 0x500, FREE, HL_ENTRY_DELETE_ARRAY);
	end_by(&a, 2004, 0x520, AGAIN, HL_ENTRY_FREE);
	look();
	ck_assert_uint_eq(found.n, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(found.row[i].kind, HL_MISUSE_INVALID);
	ck_assert_uint_eq(found.row[0].address - found.row[0].block, 0x10);
	expect_call(&found.row[0].freed_before, NULL, 0);
	expect_call(&found.row[0].allocated, "operator new[]", ALLOC);
	expect_call(&found.row[1].allocated, NULL, 0);
	expect_call(&found.row[2].freed_before, "operator delete[]", FREE);
	expect_call(&found.row[2].allocated, "operator new[]", ALLOC);
}
END_TEST

START_TEST(each_function_has_those_that_go_with_it)
{
	static const enum hl_entry allocs[] = {HL_ENTRY_MALLOC,  HL_ENTRY_CALLOC, HL_ENTRY_REALLOC,
					       HL_ENTRY_ALIGNED, HL_ENTRY_NEW,    HL_ENTRY_NEW_ARRAY};
	static const enum hl_entry ends[] = {HL_ENTRY_FREE, HL_ENTRY_DELETE, HL_ENTRY_DELETE_ARRAY};
	uint64_t stamp = 2000;

	for (unsigned i = 0; i < 6; i++)
		for (unsigned k = 0; k < 3; k++) {
			unsigned goes = i < 4 ? 0 : i - 3;

			ck_assert_int_eq(hl_entry_mismatch(allocs[i], ends[k]), goes != k);
			encode_alloc(&a, ++stamp, allocs[i], 0x500, 8, ALLOC);
			end_by(&a, ++stamp, 0x500, FREE, ends[k]);
		}
	ck_assert_int_eq(hl_entry_mismatch(HL_ENTRY_MALLOC, HL_ENTRY_REALLOC), 0);
	encode_alloc(&a, ++stamp, HL_ENTRY_NEW, 0x500, 8, ALLOC);
	encode_release(&a, ++stamp, 0x500);
	encode_alloc(&a, ++stamp, HL_ENTRY_REALLOC, 0x900, 80, OTHER);
	look();
	ck_assert_uint_eq(found.count[HL_MISUSE_MISMATCHED], 13);
	ck_assert_uint_eq(found.count[HL_MISUSE_DOUBLE] + found.count[HL_MISUSE_INVALID], 0);
}
END_TEST

START_TEST(equal_calls_are_one_row_and_rows_come_in_order_of_time)
{
	for (uint64_t i = 0; i < 5; i++) {
		encode_alloc(&a, 2000 + 10 * i, HL_ENTRY_NEW, 0x500 + 32 * i, 8, ALLOC);
		end_by(&a, 2001 + 10 * i, 0x500 + 32 * i, FREE, HL_ENTRY_FREE);
		if (i == 2)
			end_by(&a, 2002 + 10 * i, 0x500 + 32 * i, AGAIN, HL_ENTRY_FREE);
	}
	look();
	ck_assert_uint_eq(found.n, 2);
	ck_assert_int_eq(found.row[0].kind, HL_MISUSE_MISMATCHED);
	ck_assert_uint_eq(found.row[0].count, 5);
	ck_assert_uint_eq(found.row[0].address, 0x500);
	ck_assert_int_eq(found.row[1].kind, HL_MISUSE_DOUBLE);
	ck_assert_uint_eq(found.row[1].count, 1);
	ck_assert_int_eq(found.stackless, 0);
}
END_TEST

START_TEST(an_inversion_between_threads_is_no_misuse)
{
	encode_alloc(&a, 2000, HL_ENTRY_MALLOC, 0x500, 8, ALLOC);
	/* the other thread's free of the next block at this address has the older stamp */
	end_by(&a, 2001, 0x500, FREE, HL_ENTRY_FREE);
	end_by(&b, 2002, 0x500, FREE, HL_ENTRY_FREE);
	encode_alloc(&a, 2003, HL_ENTRY_MALLOC, 0x500, 8, ALLOC);
	look();
	ck_assert_uint_eq(counts.repaired, 1);
	ck_assert_uint_eq(found.n, 0);
}
END_TEST

START_TEST(without_stacks_of_frees_the_rest_is_told)
{
	encode_alloc(&a, 2000, HL_ENTRY_NEW, 0x500, 8, ALLOC);
	encode_free(&a, 2001, 0x500, 0);
	encode_free(&a, 2002, 0x500, 0);
	look();
	ck_assert_uint_eq(found.n, 2);
	expect_call(&found.row[0].freed, "free", 0);
	expect_call(&found.row[1].freed, "free", 0);
	expect_call(&found.row[1].freed_before, "free", 0);
	ck_assert_int_eq(found.stackless, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("misuse");
	TCase *t = tcase_create("misuse");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_second_free_comes_with_the_first_and_the_allocation);
	tcase_add_test(t, a_block_that_realloc_moved_away_is_freed_twice_at_its_old_place);
	tcase_add_test(t, a_realloc_of_a_freed_block_is_a_double_free);
	tcase_add_test(t, an_address_inside_a_block_is_told_with_its_block);
	tcase_add_test(t, each_function_has_those_that_go_with_it);
	tcase_add_test(t, equal_calls_are_one_row_and_rows_come_in_order_of_time);
	tcase_add_test(t, an_inversion_between_threads_is_no_misuse);
	tcase_add_test(t, without_stacks_of_frees_the_rest_is_told);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
