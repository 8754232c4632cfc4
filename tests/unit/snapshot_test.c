/*
 * snapshot_test.c - marks by the clock, by growth, and on request.
 */
#include "collector_fixture.h"

/* ---- snapshots ---- */

static void grows(struct guest *g)
{
	share.region->growth_on = 1;
	guest_image(g, 0);
	guest_hello(g);
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	for (uint64_t i = 1; i <= 100; i++) {
		guest_alloc(g, i * 16, 1 << 20);
		usleep(5000);
	}
	guest_stay(g);
}

static void collect_for(double seconds)
{
	uint64_t until = hl_stamp_clock() + (uint64_t)(seconds * 1e9);

	while (hl_stamp_clock() < until) {
		hl_collector_round(collector, 0);
		hl_collector_sleep(collector);
	}
}

START_TEST(growth_takes_a_snapshot_every_so_many_bytes)
{
	make_share(4u << 20);
	setup_with(0, 0, 0, 20u << 20);
	ck_assert_uint_eq(share.region->growth_on, 1);
	pid_t pid = guest_run(&share, grows);

	collector->outs.command = collector->options.command = pid;
	collect_for(1.0);
	command_ended(pid);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.allocs, 100);
	/* 100 MiB in steps of 20, each seen a little late */
	ck_assert_uint_ge(s.marks, 3);
	ck_assert_uint_le(s.marks, 5);
}
END_TEST

START_TEST(a_clock_takes_a_snapshot_every_so_often_even_of_an_idle_program)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, in_three_steps);

	setup_with(0, pid, 0.1, 0);
	collect_for(1.05);
	command_ended(pid);
	finish();
	struct seen s = see(file);

	ck_assert_uint_ge(s.marks, 7);
	ck_assert_uint_le(s.marks, 11);
}
END_TEST

/* The command that asks, in a process of its own. */
static pid_t ask(pid_t pid, const char *label, int want)
{
	pid_t client = fork();

	if (client == 0) {
		struct hl_found f = {
			.region = share.region, .backing = HL_BACKING_MEMFD, .nslots = share.nslots};
		struct hl_diag d;
		uint64_t stamp = 0;
		int err = hl_mail_snapshot(&f, pid, label, &stamp, &d);

		_exit(err == want && (err || stamp) ? 0 : 1);
	}
	return client;
}

static void answered(pid_t client)
{
	int status;

	while (waitpid(client, &status, WNOHANG) == 0) {
		hl_collector_round(collector, 0);
		hl_collector_sleep(collector);
	}
	ck_assert_int_eq(status, 0);
}

START_TEST(a_snapshot_that_is_asked_for_is_in_the_trace)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, in_three_steps);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 1);
	answered(ask(pid, "asked for", HL_OK));
	command_ended(pid);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.marks, 1);
	ck_assert_str_eq(s.label, "asked for");
}
END_TEST

START_TEST(a_process_that_is_not_traced_is_told_so)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, in_three_steps);

	setup_with(0, pid, 0, 0);
	answered(ask(getpid(), "", HL_ERR_NOTFOUND));
	command_ended(pid);
	finish();
}
END_TEST

START_TEST(a_mailbox_that_a_dead_client_left_is_taken_over)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, in_three_steps), dead = fork();

	if (dead == 0)
		_exit(0);
	waitpid(dead, NULL, 0);
	setup_with(0, pid, 0, 0);
	atomic_store(&share.region->mail.client, (uint32_t)dead);
	atomic_store(&share.region->mail.state, HL_MAIL_CLAIMED);
	answered(ask(pid, "after", HL_OK));
	command_ended(pid);
	finish();
	ck_assert_str_eq(see(file).label, "after");
}
END_TEST

START_TEST(a_snapshot_without_a_collector_gives_up)
{
	int status;

	make_share(4u << 20);
	waitpid(ask(getpid(), "", HL_ERR_NOTFOUND), &status, 0);
	ck_assert_int_eq(status, 0);
	hl_share_release(&share);
}
END_TEST

int main(void)
{
	static const TTest *tests[7];
	size_t n = 0;

	tests[n++] = growth_takes_a_snapshot_every_so_many_bytes;
	tests[n++] = a_clock_takes_a_snapshot_every_so_often_even_of_an_idle_program;
	tests[n++] = a_snapshot_that_is_asked_for_is_in_the_trace;
	tests[n++] = a_process_that_is_not_traced_is_told_so;
	tests[n++] = a_mailbox_that_a_dead_client_left_is_taken_over;
	tests[n++] = a_snapshot_without_a_collector_gives_up;
	return run_tests("snapshot", tests);
}
