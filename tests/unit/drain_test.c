/*
 * drain_test.c - slots of processes that write a region as the library would: nothing committed is lost.
 */
#include "collector_fixture.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- one process ---- */

static void sealed_slots(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	for (uint64_t i = 1; i <= 20000; i++)
		guest_alloc(g, i * 16, 10);
	guest_seal(g);
	guest_stay(g);
}

START_TEST(sealed_slots_are_in_the_trace_and_free_again)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, sealed_slots);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 0);
	uint32_t used = hl_share_used(&share), freed = 0;

	ck_assert_uint_gt(used, 5);
	while (hl_list_pop(share.region, &share.region->free_head, share.nslots) != HL_NO_SLOT)
		freed++;
	ck_assert_uint_eq(freed, used);
	command_ended(pid);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.allocs, 20000);
	ck_assert_uint_eq(s.missing + s.bad, 0);
	ck_assert_int_eq(s.finished, 1);
}
END_TEST

START_TEST(what_is_committed_in_an_open_slot_is_in_the_trace_within_a_round)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, in_three_steps);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 1);
	ck_assert_uint_eq(see(file).allocs, 100);
	command_ended(pid);
	finish();
	ck_assert_uint_eq(see(file).allocs, 100);
}
END_TEST

static uint64_t resident_bytes(void)
{
	struct stat st;

	ck_assert_int_eq(fstat(share.fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

START_TEST(what_a_burst_took_is_given_back_and_can_be_used_again)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, sealed_slots);
	uint64_t tables;

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 0);
	ck_assert_uint_gt(resident_bytes(), 5ul * HL_SLOT_BYTES);
	hl_drain_trim(&collector->drain);
	tables = hl_region_slots_off(HL_BACKING_MEMFD, share.nslots);
	/* nothing of the slots: none is open; also after a round that looks at all of them */
	hl_collector_round(collector, 1);
	ck_assert_uint_le(resident_bytes(), tables);
	pid_t again = guest_run(&share, sealed_slots);

	command_ended(pid);
	guest_kill(again);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.allocs, 20000);
	ck_assert_uint_eq(s.missing + s.bad, 0);
}
END_TEST

/* Slots on the free list now. */
static uint32_t listed(void)
{
	uint32_t h = (uint32_t)atomic_load(&share.region->free_head), n = 0;

	for (uint32_t i = h ? h - 1 : HL_NO_SLOT; i != HL_NO_SLOT && n <= share.nslots;
	     i = hl_list_next(share.region, i, share.nslots))
		n++;
	return n;
}

static uint32_t least_listed = UINT32_MAX, holes;

/* In place of libc's: while pages are given back, how many slots can others still claim? */
int fallocate(int fd, int mode, off_t at, off_t bytes)
{
	uint32_t n = share.region ? listed() : 0;

	if (mode & FALLOC_FL_PUNCH_HOLE) {
		holes++;
		least_listed = n < least_listed ? n : least_listed;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, bytes);
}

START_TEST(others_can_claim_most_slots_while_pages_are_given_back)
{
	uint32_t all;

	make_share(4u << 20);
	pid_t pid = guest_run(&share, sealed_slots);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 0);
	all = listed();
	ck_assert_uint_gt(all, 5);
	hl_drain_trim(&collector->drain);
	ck_assert_uint_ge(holes, all);
	ck_assert_uint_ge(least_listed, all / 2);
	ck_assert_uint_eq(listed(), all);
	command_ended(pid);
	finish();
}
END_TEST

static void trickle(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	for (uint64_t i = 1; i <= 3000; i++) {
		guest_alloc(g, i * 16, 10);
		if (i % 10 == 0)
			usleep(100);
	}
	guest_seal(g);
}

START_TEST(pieces_of_a_slot_taken_while_it_fills_join_without_a_gap)
{
	int status;

	make_share(4u << 20);
	pid_t pid = guest_run(&share, trickle);

	setup_with(0, pid, 0, 0);
	while (waitpid(pid, &status, WNOHANG) == 0)
		hl_collector_round(collector, 1);
	hl_collector_command_ended(collector, status, 1);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.allocs, 3000);
	ck_assert_uint_eq(s.missing + s.bad, 0);
	ck_assert_uint_gt(s.sync, 0);
}
END_TEST

START_TEST(a_killed_process_leaves_everything_it_committed)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, in_three_steps);

	setup_with(0, pid, 0, 0);
	command_ended(pid);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.allocs, 100);
	ck_assert_int_eq(s.end, HL_END_SIGNAL);
	ck_assert_uint_eq(s.end_status, SIGKILL);
}
END_TEST

/* Dies between the state and the list: nobody else can know of the slot. */
static void dies_while_sealing(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);
	atomic_store(&g->slot->state, HL_SLOT_SEALED);
	guest_stay(g);
}

START_TEST(a_slot_whose_owner_died_on_the_way_to_the_list_is_found)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, dies_while_sealing);

	setup_with(0, pid, 0, 0);
	command_ended(pid);
	ck_assert_uint_eq(hl_list_pop(share.region, &share.region->free_head, share.nslots), 0);
	finish();
	ck_assert_uint_eq(see(file).allocs, 1);
}
END_TEST

static void loses(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);
	atomic_store(&guest_entry(g)->lost[HL_LOST_FULL], 77);
	atomic_store(&guest_entry(g)->lost[HL_LOST_STACK], 3);
	guest_stay(g);
}

START_TEST(losses_are_in_the_trace_and_the_entry_is_clean_again)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, loses);
	struct hl_image *e = hl_region_images(share.region);

	setup_with(0, pid, 0, 0);
	atomic_store(&share.region->refused_images, 2);
	command_ended(pid);
	ck_assert_uint_eq(atomic_load(&e->pid), 0);
	ck_assert_uint_eq(atomic_load(&e->id), 0);
	ck_assert_uint_eq(atomic_load(&e->lost[HL_LOST_FULL]), 0);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.lost[HL_LOST_FULL], 77);
	ck_assert_uint_eq(s.lost[HL_LOST_STACK], 3);
	ck_assert_uint_eq(s.lost[HL_LOST_CHILD], 2);
}
END_TEST

static void never_seals(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);
	atomic_store(&g->slot->in_hook_since, g->stamp);
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	for (uint64_t i = 2;; i++) {
		guest_alloc(g, i * 16, 10);
		if (i > 500)
			pause();
		usleep(1000);
	}
}

START_TEST(a_trace_is_never_called_complete_beyond_a_thread_that_is_in_a_hook)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, never_seals);
	uint64_t since = atomic_load(&hl_share_slot(&share, 0)->in_hook_since);

	setup_with(0, pid, 0, 0);
	for (int i = 0; i < 4; i++) {
		hl_collector_round(collector, 1);
		usleep(20000);
	}
	ck_assert_uint_le(see(file).sync, since);
	atomic_store(&hl_share_slot(&share, 0)->in_hook_since, 0);
	for (int i = 0; i < 4; i++) {
		hl_collector_round(collector, 1);
		usleep(20000);
	}
	ck_assert_uint_gt(see(file).sync, since);
	command_ended(pid);
	finish();
}
END_TEST

/* ---- many ---- */

START_TEST(a_full_region_loses_nothing_when_its_writers_wait)
{
	pid_t pids[3];
	int left = 3, status;

	make_share(HL_SHARE_MIN_BYTES);
	setup_with(0, 1, 0, 0);
	for (int i = 0; i < 3; i++)
		pids[i] = guest_run(&share, floods);
	while (left) {
		hl_collector_round(collector, 0);
		hl_collector_sleep(collector);
		while (left && waitpid(-1, &status, WNOHANG) > 0) {
			ck_assert_int_eq(status, 0);
			left--;
		}
	}
	hl_collector_command_ended(collector, 0, 1);
	ck_assert_uint_eq(hl_collector_live(collector), 0);
	finish();
	for (int i = 0; i < 3; i++) {
		struct seen s = see_pid(pids[i], "");

		ck_assert_uint_eq(s.allocs, 1000000);
		ck_assert_uint_eq(s.missing + s.bad, 0);
	}
}
END_TEST

static void holds_all_slots(struct guest *g)
{
	guest_image(g, 0);
	for (uint32_t i = 0; i < g->share->nbuffer; i++)
		guest_open(g);
	guest_stay(g);
}

static void takes_one(struct guest *g)
{
	guest_image(g, 0);
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	guest_hello(g);
}

START_TEST(the_slots_of_a_dead_process_reach_those_who_wait)
{
	make_share(HL_SHARE_MIN_BYTES);
	pid_t greedy = guest_run(&share, holds_all_slots), waiting;
	time_t until = time(NULL) + 10;

	setup_with(0, 1, 0, 0);
	hl_collector_round(collector, 1);
	waiting = guest_run(&share, takes_one);
	guest_kill(greedy);
	while (waitpid(waiting, NULL, WNOHANG) == 0 && time(NULL) < until) {
		hl_collector_round(collector, 0);
		hl_collector_sleep(collector);
	}
	ck_assert_int_lt(time(NULL), until);
	hl_collector_command_ended(collector, 0, 1);
	finish();
}
END_TEST

/* Killed, or gone by a jump, between taking a slot and opening it. */
static void takes_and_never_opens(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	hl_region_claim(g->share->region, HL_BACKING_MEMFD, g->share->nslots, g->share->nbuffer);
	guest_stay(g);
}

static uint32_t count_free(void)
{
	uint32_t n = 0;

	while (hl_list_pop(share.region, &share.region->free_head, share.nslots) != HL_NO_SLOT)
		n++;
	return n;
}

START_TEST(a_slot_that_its_taker_never_opened_is_free_when_he_is_gone)
{
	make_share(HL_SHARE_MIN_BYTES);
	pid_t taker = guest_run(&share, takes_and_never_opens), other;

	setup_with(0, 1, 0, 0);
	hl_collector_round(collector, 1);
	for (int i = 0; i < 3; i++)
		hl_drain_trim(&collector->drain);
	other = guest_run(&share, in_three_steps);
	/* he may still open it */
	ck_assert_uint_eq((uint32_t)atomic_load(&share.region->free_head), 0);
	hl_collector_round(collector, 1);
	guest_kill(taker);
	for (int i = 0; i < 3; i++)
		hl_collector_round(collector, 1);
	hl_drain_trim(&collector->drain);
	hl_drain_trim(&collector->drain);
	/* the one that he did open, and the other; not the living process's */
	ck_assert_uint_eq(count_free(), 2);
	guest_kill(other);
	hl_collector_command_ended(collector, 0, 1);
	finish();
}
END_TEST

int main(void)
{
	static const TTest *tests[13];
	size_t n = 0;

	tests[n++] = sealed_slots_are_in_the_trace_and_free_again;
	tests[n++] = what_a_burst_took_is_given_back_and_can_be_used_again;
	tests[n++] = others_can_claim_most_slots_while_pages_are_given_back;
	tests[n++] = what_is_committed_in_an_open_slot_is_in_the_trace_within_a_round;
	tests[n++] = pieces_of_a_slot_taken_while_it_fills_join_without_a_gap;
	tests[n++] = a_killed_process_leaves_everything_it_committed;
	tests[n++] = a_slot_whose_owner_died_on_the_way_to_the_list_is_found;
	tests[n++] = losses_are_in_the_trace_and_the_entry_is_clean_again;
	tests[n++] = a_trace_is_never_called_complete_beyond_a_thread_that_is_in_a_hook;
	tests[n++] = a_full_region_loses_nothing_when_its_writers_wait;
	tests[n++] = the_slots_of_a_dead_process_reach_those_who_wait;
	tests[n++] = a_slot_that_its_taker_never_opened_is_free_when_he_is_gone;
	return run_tests("drain", tests);
}
