/*
 * hostile_test.c - a process that writes nonsense, and a disk that is full.
 */
#include "collector_fixture.h"

/* ---- hostile ---- */

static void lies(struct guest *g)
{
	struct hl_region *r = g->share->region;

	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);
	atomic_store(&g->slot->used, 0xfffffff0u);
	g->slot->collected = 0xffffff00u;
	guest_seal(g);
	/* names an entry that is none, then an image that is none */
	guest_open(g);
	g->slot->image_entry = 0x7fffffff;
	atomic_store(&g->slot->used, 100);
	guest_seal(g);
	guest_open(g);
	g->slot->image_id = 0xffffffff;
	atomic_store(&g->slot->used, 100);
	guest_seal(g);
	/* a slot that claims to be the collector's own stream */
	guest_open(g);
	g->slot->stream = HL_STREAM_COLLECTOR;
	atomic_store(&g->slot->used, 100);
	guest_seal(g);
	/* a list that runs in a circle, over a slot that is free */
	guest_open(g);
	uint32_t last = g->index;

	guest_seal(g);
	atomic_store(&hl_region_links(r)[last], last + 1);
	/* an image that is its own parent, with an id from nowhere */
	guest_image(g, 0xfffffff0u);
	atomic_store(&guest_entry(g)->id, 0xfffffff0u);
	/* header words that the collector must have copied */
	r->nslots = 0xffffffff;
	r->slot_bytes = 1;
	atomic_store(&r->bump, 0xffffffff);
	r->mail.pid = 1;
	memset(r->mail.label, 'A', sizeof(r->mail.label));
	atomic_store(&r->mail.state, HL_MAIL_POSTED);
	guest_stay(g);
}

START_TEST(a_process_that_writes_nonsense_harms_only_its_own_trace)
{
	make_share(HL_SHARE_MIN_BYTES);
	pid_t good = guest_run(&share, in_three_steps), bad = guest_run(&share, lies);

	setup_with(0, good, 0, 1);
	for (int i = 0; i < 3; i++)
		hl_collector_round(collector, 1);
	guest_kill(bad);
	for (int i = 0; i < 3; i++)
		hl_collector_round(collector, 1);
	command_ended(good);
	ck_assert_uint_gt(collector->outs.orphan_bytes, 0);
	finish();
	struct seen s = see(file);

	ck_assert_uint_eq(s.allocs, 100);
	ck_assert_uint_eq(s.missing + s.bad, 0);
}
END_TEST

START_TEST(no_slot_is_ever_free_twice)
{
	uint8_t *freed;
	uint32_t i;

	make_share(HL_SHARE_MIN_BYTES);
	pid_t bad = guest_run(&share, lies);

	setup_with(0, bad, 0, 0);
	hl_collector_round(collector, 1);
	command_ended(bad);
	freed = calloc(share.nslots, 1);
	while ((i = hl_list_pop(share.region, &share.region->free_head, share.nslots)) != HL_NO_SLOT)
		ck_assert_int_eq(freed[i]++, 0);
	free(freed);
	finish();
}
END_TEST

START_TEST(a_full_disk_is_counted_and_stops_nobody)
{
	struct rlimit old, low;
	int status;

	make_share(HL_SHARE_MIN_BYTES);
	setup_with(0, 0, 0, 0);
	pid_t pid = guest_run(&share, floods);

	collector->outs.command = pid;
	collector->options.command = pid;
	getrlimit(RLIMIT_FSIZE, &old);
	low = (struct rlimit){200000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &low);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		hl_collector_round(collector, 0);
		hl_collector_sleep(collector);
	}
	hl_collector_command_ended(collector, status, 1);
	setrlimit(RLIMIT_FSIZE, &old);
	ck_assert_int_eq(status, 0);
	ck_assert_int_ne(collector->outs.warning.err, 0);
	ck_assert_uint_gt(collector->outs.main_out->refused_bytes, 1000000);
	finish();
	struct seen s = see(file);

	ck_assert_uint_gt(s.allocs, 1000);
	ck_assert_uint_lt(s.allocs, 1000000);
}
END_TEST

int main(void)
{
	static const TTest *tests[4];
	size_t n = 0;

	tests[n++] = a_process_that_writes_nonsense_harms_only_its_own_trace;
	tests[n++] = no_slot_is_ever_free_twice;
	tests[n++] = a_full_disk_is_counted_and_stops_nobody;
	return run_tests("hostile", tests);
}
