/*
 * replay_test.c - events to blocks: each rule by itself.  replay_random_test.c has them all at once.
 */
#include "analyzer/model/replay.h"
#include "tests/unit/tracefile.h"
#include <stdarg.h>

#define WINDOW (TICKS_PER_S / 1000000000.0 * HL_REPAIR_NS)

/* What a sink was told, as a line of text; and the live bytes that follow from it. */
struct told {
	char text[1024];
	uint64_t live, most;
};

static void say(struct told *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct told *t, const char *fmt, ...)
{
	size_t n = strlen(t->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->text + n, sizeof(t->text) - n, fmt, ap);
	va_end(ap);
}

static void account(struct told *t, uint64_t more, uint64_t less)
{
	t->live += more - less;
	if (t->live > t->most)
		t->most = t->live;
}

#define X(v) ((unsigned long long)(v))

static void born(void *ctx, struct hl_block *b)
{
	ck_assert_uint_eq(b->user, 0);
	b->user = (uint32_t)b->address;
	say(ctx, "+%llx:%llu%s ", X(b->address), X(b->size), b->inherited ? "i" : "");
	account(ctx, b->size, 0);
}

static void died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	ck_assert_uint_ne(b->user, 0);
	say(ctx, "-%llx@%llu%s ", X(b->address), X(death->stamp), death->temporary ? "t" : "");
	account(ctx, 0, b->size);
}

static void moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	ck_assert_uint_eq(now->user, old->user);
	say(ctx, "%llx>%llx:%llu ", X(old->address), X(now->address), X(now->size));
	account(ctx, now->size, old->size);
}

static void shrunk(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp)
{
	say(ctx, "%llx:%llu-%llu@%llu ", X(b->address), X(b->size), X(lost), X(stamp));
	account(ctx, 0, lost);
}

static void bad_free(void *ctx, const struct hl_bad_free *bad)
{
	say(ctx, "!%llx@%llu ", X(bad->address), X(bad->stamp));
}

static void mark(void *ctx, uint64_t stamp, enum hl_mark reason, const char *label, uint32_t thread)
{
	say(ctx, "#%s/%d/%u@%llu ", label, reason, thread, X(stamp));
}

static const struct hl_sink sink = {
	.born = born, .died = died, .moved = moved, .shrunk = shrunk, .bad_free = bad_free, .mark = mark};

static void count_live(void *ctx, const struct hl_block *b)
{
	uint64_t *v = ctx;

	v[0]++;
	v[1] += b->size;
}

/* Replay, and check what must hold for every trace. */
static struct hl_replay_counts replay(const char *name, uint64_t until, struct told *told)
{
	struct hl_trace *t = open_trace(name);
	struct hl_replay_counts c;
	struct hl_diag d = {0};
	uint64_t live[2] = {0};

	memset(told, 0, sizeof(*told));
	ck_assert_int_eq(hl_replay_live(t, until, &sink, told, NULL, NULL, &c, &d), HL_OK);
	ck_assert_int_eq(hl_replay_live(t, until, NULL, NULL, count_live, live, NULL, &d), HL_OK);
	ck_assert_uint_eq(c.live_blocks, live[0]);
	ck_assert_uint_eq(c.live_bytes, live[1]);
	ck_assert_uint_eq(c.live_bytes, told->live);
	ck_assert_uint_eq(c.peak_bytes, told->most);
	ck_assert_uint_eq(c.live_blocks, c.inherited_blocks + c.allocs - c.frees);
	if (*told->text)
		told->text[strlen(told->text) - 1] = 0;
	hl_trace_close(t);
	return c;
}

static struct encode a, b;

/* Streams of threads 1 and 2 as a and b have them. */
static struct hl_replay_counts run(struct told *told)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_replay_counts c;

	if (a.n)
		add_claim(w, &a, HL_STREAM(1, 0), 0);
	if (b.n)
		add_claim(w, &b, HL_STREAM(2, 0), 0);
	finish(w);
	c = replay("t.hl", UINT64_MAX, told);
	remove(in_dir("t.hl"));
	return c;
}

static void start(void)
{
	make_dir();
	encode_start(&a, 1000);
	encode_start(&b, 1000);
}

START_TEST(blocks_are_born_and_die_and_the_peak_is_when_it_was_first_reached)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 100, 1);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x20, 50, 1);
	encode_free(&a, 1003, 0x20, 0);
	encode_alloc(&a, 1004, HL_ENTRY_MALLOC, 0x30, 50, 1);
	encode_free(&a, 1005, 0x10, 0);
	encode_mark(&a, 1006, HL_MARK_API, "half");
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:100 +20:50 -20@1003t +30:50 -10@1005 #half/1/1@1006");
	ck_assert_uint_eq(c.allocs, 3);
	ck_assert_uint_eq(c.frees, 2);
	ck_assert_uint_eq(c.temporary, 1);
	ck_assert_uint_eq(c.total_bytes, 200);
	ck_assert_uint_eq(c.live_bytes, 50);
	ck_assert_uint_eq(c.peak_bytes, 150);
	ck_assert_uint_eq(c.peak_stamp, 1002);
	ck_assert_uint_eq(c.events, 6);
	ck_assert_uint_eq(c.first_stamp, 1001);
	ck_assert_uint_eq(c.last_stamp, 1006);
	ck_assert_uint_eq(c.violations + c.repaired + c.unexplained_frees + c.in_flight, 0);
}
END_TEST

START_TEST(only_an_alloc_of_the_same_thread_makes_a_death_lasting)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 1, 1);
	encode_alloc(&b, 1002, HL_ENTRY_MALLOC, 0x20, 1, 1);
	encode_free(&b, 1003, 0x10, 0); /* freed by another, still temporary */
	encode_alloc(&b, 1004, HL_ENTRY_MALLOC, 0x30, 1, 1);
	encode_free(&a, 1005, 0x20, 0);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:1 +20:1 -10@1003t +30:1 -20@1005");
	ck_assert_uint_eq(c.temporary, 1);
}
END_TEST

START_TEST(pool_and_heap_blocks_of_one_address_are_two)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 100, 1);
	encode_op_alloc(&a, 1002, HL_DOMAIN_POOL, HL_ENTRY_POOL, 0x10, 8, 1);
	encode_op_free(&a, 1003, HL_DOMAIN_POOL, HL_ENTRY_FREE, 0x10);
	encode_free(&a, 1004, 0x10, 0);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:100 +10:8 -10@1003t -10@1004");
	ck_assert_uint_eq(c.violations + c.unexplained_frees, 0);
}
END_TEST

START_TEST(a_realloc_counts_once_and_the_peak_never_sees_both)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 100, 1);
	encode_release(&a, 1002, 0x10);
	encode_alloc(&b, 1003, HL_ENTRY_MALLOC, 0x10, 7, 1); /* its address is given out meanwhile */
	encode_alloc(&a, 1004, HL_ENTRY_REALLOC, 0x20, 120, 1);
	encode_release(&a, 1005, 0x20);
	encode_restore(&a, 1006);
	encode_release(&a, 1007, 0x20);
	encode_alloc(&a, 1008, HL_ENTRY_REALLOC, 0x20, 30, 1); /* in place */
	encode_release(&a, 1009, 0x20);
	encode_drop(&a, 1010);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:100 +10:7 10>20:120 20>20:30 -20@1010t");
	ck_assert_uint_eq(c.reallocs, 2);
	ck_assert_uint_eq(c.allocs, 4);
	ck_assert_uint_eq(c.frees, 3);
	ck_assert_uint_eq(c.peak_bytes, 127);
	ck_assert_uint_eq(c.violations + c.repaired + c.unexplained_frees + c.in_flight, 0);
}
END_TEST

START_TEST(a_realloc_that_never_ends_is_in_flight_and_live)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 100, 1);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x20, 10, 1);
	encode_release(&a, 1003, 0x10); /* its end was lost */
	encode_release(&a, 1004, 0x20); /* its end is not yet there */
	c = run(&told);
	ck_assert_uint_eq(c.in_flight, 2);
	ck_assert_uint_eq(c.live_blocks, 2);
	ck_assert_uint_eq(c.live_bytes, 110);
}
END_TEST

START_TEST(a_late_free_from_another_thread_is_repaired_within_the_window)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 100, 1);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x10, 8, 1);
	encode_free(&b, 1002 + (uint64_t)WINDOW, 0x10, 0);
	encode_alloc(&a, 9000, HL_ENTRY_MALLOC, 0x20, 100, 1);
	encode_alloc(&a, 9001, HL_ENTRY_MALLOC, 0x20, 8, 1);
	encode_free(&b, 9002 + (uint64_t)WINDOW, 0x20, 0); /* too late: it is the new block's */
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:100 -10@1002t +10:8 +20:100 -20@9001t +20:8 -20@11002t");
	ck_assert_uint_eq(c.repaired, 1);
	ck_assert_uint_eq(c.violations, 1);
	ck_assert_uint_eq(c.peak_bytes, 108);
	ck_assert_uint_eq(c.live_bytes, 8);
}
END_TEST

START_TEST(an_early_free_from_another_thread_is_repaired_within_the_window)
{
	struct hl_replay_counts c;
	struct told told;

	encode_free(&b, 1001, 0x10, 0);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x10, 8, 1);
	encode_free(&b, 2001, 0x20, 0);
	encode_alloc(&a, 2002 + (uint64_t)WINDOW, HL_ENTRY_MALLOC, 0x20, 9, 1);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:8 -10@1002t !20@2001 +20:9");
	ck_assert_uint_eq(c.repaired, 1);
	ck_assert_uint_eq(c.unexplained_frees, 1);
	ck_assert_uint_eq(c.violations, 0);
}
END_TEST

START_TEST(one_threads_own_order_is_never_called_an_inversion)
{
	struct hl_replay_counts c;
	struct told told;

	/* a block from before the trace is freed and its address given out again at once */
	encode_free(&a, 1001, 0x10, 0);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x10, 8, 1);
	/* a lost free, then the new block's own */
	encode_alloc(&a, 1003, HL_ENTRY_MALLOC, 0x10, 9, 1);
	encode_free(&a, 1004, 0x10, 0);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:8 -10@1003t !10@1001 +10:9 -10@1004t");
	ck_assert_uint_eq(c.repaired, 0);
	ck_assert_uint_eq(c.violations, 1);
	ck_assert_uint_eq(c.unexplained_frees, 1);
}
END_TEST

START_TEST(signal_handlers_keep_their_threads_order)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_replay_counts c;
	struct told told;

	/* the handler's stream is another one, its thread is not */
	encode_free(&b, 1001, 0x10, 0);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x10, 8, 1);
	/* in one tick a stream has its order all the same */
	encode_free(&a, 1003, 0x20, 0);
	encode_alloc(&a, 1003, HL_ENTRY_MALLOC, 0x20, 9, 1);
	add_claim(w, &a, HL_STREAM(1, 0), 0);
	add_claim(w, &b, HL_STREAM(1, 1), 0);
	finish(w);
	c = replay("t.hl", UINT64_MAX, &told);
	ck_assert_str_eq(told.text, "+10:8 +20:9 !10@1001 !20@1003");
	ck_assert_uint_eq(c.repaired, 0);
	ck_assert_uint_eq(c.unexplained_frees, 2);
}
END_TEST

START_TEST(ties_are_settled_without_being_counted)
{
	struct hl_replay_counts c;
	struct told told;

	/* thread 2 frees, thread 1 is given the address, all in one tick; stream 1 sorts first */
	encode_alloc(&b, 1000, HL_ENTRY_MALLOC, 0x10, 5, 1);
	encode_free(&b, 1001, 0x10, 0);
	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 8, 1);
	/* thread 2 allocates, thread 1 frees it in the same tick */
	encode_alloc(&b, 1500, HL_ENTRY_MALLOC, 0x20, 5, 1);
	encode_free(&a, 1500, 0x20, 0);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:5 -10@1001t +10:8 +20:5 -20@1500t");
	ck_assert_uint_eq(c.repaired + c.violations + c.unexplained_frees, 0);
	ck_assert_uint_eq(c.live_bytes, 8);
	ck_assert_uint_eq(c.peak_bytes, 13);
}
END_TEST

START_TEST(a_free_stamped_before_the_end_of_a_realloc_that_failed_is_repaired)
{
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 8, 1);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x20, 9, 1);
	encode_alloc(&a, 1003, HL_ENTRY_MALLOC, 0x30, 7, 1);
	encode_release(&b, 1010, 0x10);
	encode_free(&a, 1011, 0x10, 0);
	encode_restore(&b, 1012);
	/* in one tick, stream 1 sorts first */
	encode_release(&b, 1020, 0x20);
	encode_free(&a, 1021, 0x20, 0);
	encode_restore(&b, 1021);
	/* the other half is a realloc's */
	encode_release(&b, 1030, 0x30);
	encode_release(&a, 1031, 0x30);
	encode_restore(&b, 1032);
	encode_alloc(&a, 1033, HL_ENTRY_REALLOC, 0x40, 6, 1);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:8 +20:9 +30:7 -10@1012 -20@1021 30>40:6");
	ck_assert_uint_eq(c.repaired, 2);
	ck_assert_uint_eq(c.violations + c.unexplained_frees + c.in_flight, 0);
	ck_assert_uint_eq(c.live_bytes, 6);
}
END_TEST

START_TEST(a_release_stamped_before_its_alloc_still_moves_the_block)
{
	struct hl_replay_counts c;
	struct told told;

	encode_release(&b, 1001, 0x10);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x10, 8, 1);
	encode_alloc(&b, 1003, HL_ENTRY_REALLOC, 0x20, 16, 1);
	c = run(&told);
	ck_assert_str_eq(told.text, "+10:8 10>20:16");
	ck_assert_uint_eq(c.repaired, 1);
	ck_assert_uint_eq(c.unexplained_frees + c.violations, 0);
}
END_TEST

START_TEST(a_realloc_of_an_unknown_block_is_an_alloc_and_an_unexplained_free)
{
	struct hl_replay_counts c;
	struct told told;

	encode_release(&a, 1001, 0x10);
	encode_alloc(&a, 1002, HL_ENTRY_REALLOC, 0x20, 16, 1);
	c = run(&told);
	ck_assert_str_eq(told.text, "+20:16 !10@1001");
	ck_assert_uint_eq(c.unexplained_frees, 1);
	ck_assert_uint_eq(c.reallocs, 0);
}
END_TEST

START_TEST(unmapping_cuts_splits_and_ends_mappings_to_the_byte)
{
	struct hl_replay_counts c;
	struct told told;

	encode_map(&a, 1001, 0x1000, 0x4000, 1);
	encode_unmap(&a, 1002, 0x2000, 0x1000); /* the middle: two pieces of one block */
	encode_unmap(&a, 1003, 0x0, 0x1800);    /* the front, and what was never mapped */
	encode_unmap(&a, 1004, 0x4000, 0x9000); /* the end */
	encode_map(&a, 1005, 0x8000, 0x1000, 1);
	encode_unmap(&a, 1006, 0x1000, 0x7800); /* both pieces left, and half of another block */
	encode_unmap(&a, 1007, 0x8000, UINT64_MAX);
	c = run(&told);
	ck_assert_str_eq(told.text,
			 "+1000:16384 1000:12288-4096@1002 1800:10240-2048@1003 1800:6144-4096@1004 "
			 "+8000:4096 1800:4096-2048@1006 -1800@1006 8800:2048-2048@1006 -8800@1007t");
	ck_assert_uint_eq(c.live_bytes, 0);
	ck_assert_uint_eq(c.total_bytes, 0x5000);
	ck_assert_uint_eq(c.unexplained_frees, 0);
}
END_TEST

START_TEST(mapping_over_a_mapping_replaces_what_it_covers)
{
	struct hl_replay_counts c;
	struct told told;

	encode_map(&a, 1001, 0x1000, 0x2000, 1);
	encode_map(&a, 1002, 0x2000, 0x2000, 1);
	encode_op_free(&a, 1003, HL_DOMAIN_MMAP, HL_ENTRY_FREE, 0x2000);
	encode_op_free(&a, 1004, HL_DOMAIN_MMAP, HL_ENTRY_FREE, 0x2000);
	encode_map(&a, 1005, UINT64_MAX - 0xfff, 0x9000, 1); /* clipped where addresses end */
	encode_map(&a, 1006, 0x5000, 0, 1);                  /* nothing */
	c = run(&told);
	ck_assert_str_eq(told.text, "+1000:8192 1000:4096-4096@1002 +2000:8192 -2000@1003t "
				    "+fffffffffffff000:4095");
	ck_assert_uint_eq(c.peak_bytes, 0x3000);
	ck_assert_uint_eq(c.unexplained_frees, 1);
}
END_TEST

START_TEST(a_replay_until_a_stamp_includes_that_stamp_and_no_more)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_replay_counts c;
	struct told told;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 1, 1);
	encode_alloc(&a, 1002, HL_ENTRY_MALLOC, 0x20, 1, 1);
	encode_alloc(&a, 1003, HL_ENTRY_MALLOC, 0x30, 1, 1);
	add_claim(w, &a, HL_STREAM(1, 0), 0);
	encode_free(&b, 1002, 0x10, 0);
	add_claim(w, &b, HL_STREAM(2, 0), 0);
	finish(w);
	replay("t.hl", 1000, &told);
	ck_assert_str_eq(told.text, "");
	c = replay("t.hl", 1002, &told);
	ck_assert_str_eq(told.text, "+10:1 +20:1 -10@1002");
	ck_assert_uint_eq(c.last_stamp, 1002);
}
END_TEST

START_TEST(a_childs_replay_begins_with_the_heap_it_inherited)
{
	static const uint8_t uuid[16] = "the same for all";
	struct hl_writer *w = make_trace("parent.hl", 1);
	struct hl_replay_counts c;
	struct told told;
	size_t cut;

	encode_alloc(&a, 1001, HL_ENTRY_MALLOC, 0x10, 1000, 1);
	encode_free(&a, 1002, 0x10, 0);
	encode_mark(&a, 1003, HL_MARK_API, "the parent's");
	encode_free(&a, 1004, 0x666, 0); /* the parent's riddle, not the child's */
	encode_alloc(&a, 1005, HL_ENTRY_MALLOC, 0x20, 20, 1);
	encode_alloc(&a, 1006, HL_ENTRY_MALLOC, 0x30, 30, 1);
	encode_release(&a, 1007, 0x30);
	cut = a.n;
	encode_alloc(&a, 1008, HL_ENTRY_REALLOC, 0x40, 40, 1);
	add_claim(w, &a, HL_STREAM(1, 0), 0);
	finish(w);
	w = make_trace("child.hl", 2);
	encode_start(&b, 5000);
	ENCODE_NUMBERS(&b, HL_FACT_FORK, 1, 1001, 2, 1, HL_STREAM(1, 0), 0, cut);
	encode_parent(&b, "parent.hl", uuid, 1);
	encode_free(&b, 5001, 0x20, 0);
	encode_alloc(&b, 5002, HL_ENTRY_REALLOC, 0x50, 5, 1);
	add_claim(w, &b, HL_STREAM(1, 0), 0);
	finish(w);
	c = replay("child.hl", UINT64_MAX, &told);
	ck_assert_str_eq(told.text, "+20:20i +30:30i -20@5001 +50:5");
	ck_assert_uint_eq(c.inherited_blocks, 2);
	ck_assert_uint_eq(c.inherited_bytes, 50);
	ck_assert_uint_eq(c.allocs, 1);
	ck_assert_uint_eq(c.frees, 1);
	ck_assert_uint_eq(c.total_bytes, 5);
	ck_assert_uint_eq(c.events, 2);
	ck_assert_uint_eq(c.first_stamp, 5001);
	ck_assert_uint_eq(c.in_flight, 1);
	ck_assert_uint_eq(c.unexplained_frees + c.violations + c.repaired, 0);
	ck_assert_uint_eq(c.peak_bytes, 50);
	/* the peak was at the fork: a replay until then is that heap */
	c = replay("child.hl", c.peak_stamp, &told);
	ck_assert_str_eq(told.text, "+20:20i +30:30i");
	ck_assert_uint_eq(c.events, 0);
	ck_assert_uint_eq(c.live_bytes, 50);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("replay");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, start, remove_dir);
	tcase_add_test(t, blocks_are_born_and_die_and_the_peak_is_when_it_was_first_reached);
	tcase_add_test(t, only_an_alloc_of_the_same_thread_makes_a_death_lasting);
	tcase_add_test(t, pool_and_heap_blocks_of_one_address_are_two);
	tcase_add_test(t, a_realloc_counts_once_and_the_peak_never_sees_both);
	tcase_add_test(t, a_realloc_that_never_ends_is_in_flight_and_live);
	tcase_add_test(t, a_late_free_from_another_thread_is_repaired_within_the_window);
	tcase_add_test(t, an_early_free_from_another_thread_is_repaired_within_the_window);
	tcase_add_test(t, one_threads_own_order_is_never_called_an_inversion);
	tcase_add_test(t, signal_handlers_keep_their_threads_order);
	tcase_add_test(t, ties_are_settled_without_being_counted);
	tcase_add_test(t, a_release_stamped_before_its_alloc_still_moves_the_block);
	tcase_add_test(t, a_free_stamped_before_the_end_of_a_realloc_that_failed_is_repaired);
	tcase_add_test(t, a_realloc_of_an_unknown_block_is_an_alloc_and_an_unexplained_free);
	tcase_add_test(t, unmapping_cuts_splits_and_ends_mappings_to_the_byte);
	tcase_add_test(t, mapping_over_a_mapping_replaces_what_it_covers);
	tcase_add_test(t, a_replay_until_a_stamp_includes_that_stamp_and_no_more);
	tcase_add_test(t, a_childs_replay_begins_with_the_heap_it_inherited);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
