/*
 * region_test.c - slots between processes, and the region that `run` makes.
 */
#include "analyzer/collect/clock.h"
#include "fake_guest.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static struct hl_share share;

static void make(uint64_t bytes)
{
	struct hl_diag d;

	ck_assert_msg(hl_share_make(&share, bytes, &d) == HL_OK, "%s", d.text);
}

START_TEST(a_region_says_what_it_is)
{
	make(4u << 20);
	ck_assert_uint_eq(share.nbuffer, (4u << 20) / HL_SLOT_BYTES);
	ck_assert_uint_eq(share.nslots, share.nbuffer + HL_SHARE_RESERVE);
	ck_assert_uint_eq(share.region->reserve, HL_SHARE_RESERVE);
	ck_assert_uint_eq(share.region->magic, HL_REGION_MAGIC);
	ck_assert_uint_eq(share.region->nslots, share.nslots);
	ck_assert_uint_eq(share.region->backing, HL_BACKING_MEMFD);
	ck_assert_uint_eq(share.bytes, hl_region_bytes(HL_BACKING_MEMFD, share.nslots));
	ck_assert_uint_gt(share.region->start_realtime_ns, 1600000000ull * 1000000000);
	hl_share_release(&share);
}
END_TEST

START_TEST(no_process_can_take_pages_from_under_the_collector)
{
	make(HL_SHARE_MIN_BYTES);
	ck_assert_int_eq(ftruncate(share.fd, 4096), -1);
	ck_assert_int_eq(errno, EPERM);
	hl_share_release(&share);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_or_too_large_is_refused)
{
	struct hl_diag d;

	ck_assert_int_eq(hl_share_make(&share, HL_SHARE_MIN_BYTES - 1, &d), HL_ERR_REFUSED);
	ck_assert_int_eq(hl_share_make(&share, UINT64_MAX, &d), HL_ERR_REFUSED);
}
END_TEST

START_TEST(a_file_size_limit_shrinks_the_region_and_never_signals)
{
	struct rlimit old, low = {8u << 20, 0};

	getrlimit(RLIMIT_FSIZE, &old);
	low.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &low);
	make(64u << 20);
	setrlimit(RLIMIT_FSIZE, &old);
	ck_assert_uint_le(share.bytes, 8u << 20);
	ck_assert_uint_gt(share.bytes, 4u << 20);
	hl_share_release(&share);
}
END_TEST

START_TEST(a_tick_is_8_to_16_ns)
{
	ck_assert_uint_eq(hl_clock_shift(1000000000), 3);
	for (uint64_t hz = 130000000; hz < 6000000000; hz += 77777777) {
		double ns = 1e9 * (double)(1u << hl_clock_shift(hz)) / (double)hz;

		ck_assert_double_ge(ns, 8);
		ck_assert_double_lt(ns, 16.01);
	}
}
END_TEST

START_TEST(stamps_run_at_the_rate_that_the_header_says)
{
	struct timespec pause = {0, 200000000};
	uint64_t s0, s1, n0, n1;
	double told, seen;

	make(HL_SHARE_MIN_BYTES);
	n0 = hl_stamp_clock();
	s0 = hl_share_now(&share);
	nanosleep(&pause, NULL);
	s1 = hl_share_now(&share);
	n1 = hl_stamp_clock();
	told = (double)share.region->ticks_per_s;
	seen = (double)(s1 - s0) * 1e9 / (double)(n1 - n0);
	ck_assert_double_lt(told / seen, 1.005);
	ck_assert_double_gt(told / seen, 0.995);
	ck_assert_double_lt((double)hl_clock_rate(&share.clock) / seen, 1.001);
	ck_assert_double_gt((double)hl_clock_rate(&share.clock) / seen, 0.999);
	hl_share_release(&share);
}
END_TEST

START_TEST(the_slot_handed_back_last_is_taken_first)
{
	make(HL_SHARE_MIN_BYTES);
	struct hl_region *r = share.region;

	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, share.nslots, share.nbuffer), i);
	hl_list_push(r, &r->free_head, 0);
	hl_list_push(r, &r->free_head, 2);
	ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, share.nslots, share.nbuffer), 2);
	ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, share.nslots, share.nbuffer), 0);
	ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, share.nslots, share.nbuffer), 3);
	hl_share_release(&share);
}
END_TEST

START_TEST(the_reserve_is_for_those_who_say_that_they_never_had_one)
{
	make(HL_SHARE_MIN_BYTES);
	struct hl_region *r = share.region;
	uint32_t n = share.nslots;

	for (uint32_t i = 0; i < share.nbuffer; i++)
		ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, n, share.nbuffer), i);
	ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, n, share.nbuffer), HL_NO_SLOT);
	for (uint32_t i = share.nbuffer; i < n; i++)
		ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, n, n), i);
	ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, n, n), HL_NO_SLOT);
	/* what comes back is anybody's */
	hl_list_push(r, &r->free_head, n - 1);
	ck_assert_uint_eq(hl_region_claim(r, HL_BACKING_MEMFD, n, share.nbuffer), n - 1);
	hl_share_release(&share);
}
END_TEST

START_TEST(a_damaged_list_gives_no_slot)
{
	make(HL_SHARE_MIN_BYTES);
	struct hl_region *r = share.region;

	atomic_store(&r->free_head, 0xffffffffu);
	ck_assert_uint_eq(hl_list_pop(r, &r->free_head, share.nslots), HL_NO_SLOT);
	atomic_store(&r->sealed_head, share.nslots + 1);
	ck_assert_uint_eq(hl_list_take(&r->sealed_head, share.nslots), HL_NO_SLOT);
	atomic_store(&hl_region_links(r)[1], 12345678);
	ck_assert_uint_eq(hl_list_next(r, 1, share.nslots), HL_NO_SLOT);
	hl_share_release(&share);
}
END_TEST

#define OWNERS 3
#define TURNS  20000

/* Each owner writes its name into the slot it took and finds it there afterwards. */
static void take_turns(struct guest *g)
{
	uint32_t self = (uint32_t)getpid();

	for (int i = 0; i < TURNS; i++) {
		guest_open(g);
		memcpy(g->slot->data, &self, sizeof(self));
		for (volatile int spin = 0; spin < 20; spin++)
			;
		uint32_t found;

		memcpy(&found, g->slot->data, sizeof(found));
		if (found != self || atomic_load(&g->slot->state) != HL_SLOT_OPEN)
			_exit(1);
		guest_seal(g);
	}
}

START_TEST(a_slot_has_one_owner_at_a_time_in_all_processes)
{
	pid_t pids[OWNERS];
	unsigned long seen = 0;

	make(HL_SHARE_MIN_BYTES);
	/* so few that they all wait for each other */
	share.nslots = share.nbuffer = 4;
	share.region->nslots = 4;
	for (int k = 0; k < OWNERS; k++) {
		pids[k] = fork();
		if (pids[k] == 0) {
			struct guest g = {.share = &share, .stream = HL_STREAM(1, 0)};

			take_turns(&g);
			_exit(0);
		}
	}
	while (seen < (unsigned long)OWNERS * TURNS) {
		struct hl_region *r = share.region;
		uint32_t ticket = atomic_load(&r->seal_futex), list[4], n = 0;

		for (uint32_t i = hl_list_take(&r->sealed_head, 4); i != HL_NO_SLOT && n < 4;
		     i = hl_list_next(r, i, 4))
			list[n++] = i;
		seen += n;
		while (n) {
			atomic_store(&hl_share_slot(&share, list[--n])->state, HL_SLOT_FREE);
			hl_list_push(r, &r->free_head, list[n]);
			atomic_fetch_add(&r->free_futex, 1);
			if (atomic_load(&r->free_waiters))
				hl_share_wake(&r->free_futex, 1);
		}
		atomic_store(&r->collector_waits, 1);
		hl_share_sleep(&r->seal_futex, ticket, 10000000);
		atomic_store(&r->collector_waits, 0);
	}
	for (int k = 0; k < OWNERS; k++) {
		int status;

		waitpid(pids[k], &status, 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(seen, (unsigned long)OWNERS * TURNS);
	hl_share_release(&share);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("region");
	TCase *t = tcase_create("region");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_region_says_what_it_is);
	tcase_add_test(t, no_process_can_take_pages_from_under_the_collector);
	tcase_add_test(t, a_buffer_that_is_too_small_or_too_large_is_refused);
	tcase_add_test(t, a_file_size_limit_shrinks_the_region_and_never_signals);
	tcase_add_test(t, a_tick_is_8_to_16_ns);
	tcase_add_test(t, stamps_run_at_the_rate_that_the_header_says);
	tcase_add_test(t, the_slot_handed_back_last_is_taken_first);
	tcase_add_test(t, the_reserve_is_for_those_who_say_that_they_never_had_one);
	tcase_add_test(t, a_damaged_list_gives_no_slot);
	tcase_add_test(t, a_slot_has_one_owner_at_a_time_in_all_processes);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
