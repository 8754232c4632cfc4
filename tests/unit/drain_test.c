/*
 * drain_test.c - the collector against processes that write a region as the library would.
 */
#include "analyzer/collect/collector.h"
#include "analyzer/collect/mail.h"
#include "analyzer/input/trace.h"
#include "fake_guest.h"
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static struct hl_share share;
static struct hl_collector *collector;
static char dir[64], file[96];

static void setup_with(uint64_t buffer, pid_t command, double every, uint64_t growth)
{
	struct hl_collector_options o = {.path = file, .command = command, .every_s = every, .growth_bytes = growth};
	struct hl_diag d;

	if (!share.region)
		ck_assert_msg(hl_share_make(&share, buffer, &d) == HL_OK, "%s", d.text);
	ck_assert_int_eq(hl_collector_new(&collector, &share, &o, &d), HL_OK);
}

static void make_directory(void)
{
	memset(&share, 0, sizeof(share));
	snprintf(dir, sizeof(dir), "/tmp/hl-drain-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/t.hl", dir);
}

static void remove_directory(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void make_share(uint64_t buffer)
{
	struct hl_diag d;

	ck_assert_msg(hl_share_make(&share, buffer, &d) == HL_OK, "%s", d.text);
}

/* What a finished or cut trace holds. */
struct seen {
	uint64_t allocs, bytes, marks;
	uint64_t last_address;
	char label[64];
	uint64_t missing, bad;
	int finished;
	enum hl_end end;
	uint32_t end_status;
	uint32_t image, parent;
	char parent_file[128];
	uint64_t lost[HL_LOST_KINDS];
	uint64_t sync;
};

static struct seen see(const char *path)
{
	struct seen s = {0};
	struct hl_trace *t;
	struct hl_merge *m;
	struct hl_event e;
	struct hl_diag d;

	ck_assert_msg(hl_trace_open(&t, path, &d) == HL_OK, "%s", d.text);
	m = hl_merge_new(t);
	while (hl_merge_next(m, &e) > 0) {
		if (e.type == HL_EV_ALLOC && !e.inherited) {
			s.allocs++;
			s.bytes += e.size;
			s.last_address = e.address;
		}
		if (e.type == HL_EV_MARK) {
			s.marks++;
			snprintf(s.label, sizeof(s.label), "%s", e.label);
		}
	}
	hl_merge_free(m);
	s.missing = hl_trace_health(t)->missing_claims;
	s.bad = hl_trace_health(t)->bad_blocks;
	s.finished = hl_trace_health(t)->finished;
	s.end = hl_trace_facts(t)->process.end;
	s.end_status = hl_trace_facts(t)->process.end_status;
	s.image = hl_trace_facts(t)->process.image_id;
	s.parent = hl_trace_facts(t)->process.parent_image;
	if (hl_trace_facts(t)->process.parent_file)
		snprintf(s.parent_file, sizeof(s.parent_file), "%s", hl_trace_facts(t)->process.parent_file);
	memcpy(s.lost, hl_trace_facts(t)->lost, sizeof(s.lost));
	s.sync = hl_trace_facts(t)->sync_stamp;
	hl_trace_close(t);
	return s;
}

static struct seen see_pid(pid_t pid, const char *rest)
{
	char path[200];

	snprintf(path, sizeof(path), "%s.%d%s", file, (int)pid, rest);
	return see(path);
}

static int exists(pid_t pid, const char *rest)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s.%d%s", file, (int)pid, rest);
	return stat(path, &st) == 0;
}

static void command_ended(pid_t pid)
{
	hl_collector_command_ended(collector, guest_kill(pid), 1);
}

static void finish(void)
{
	hl_collector_close(collector);
	hl_share_release(&share);
}

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

static void in_three_steps(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	for (uint64_t i = 1; i <= 100; i++)
		guest_alloc(g, i * 16, 10);
	guest_stay(g);
}

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

static void floods(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	for (uint64_t i = 1; i <= 1000000; i++)
		guest_alloc(g, i * 16, 10);
	guest_seal(g);
}

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
	for (uint32_t i = 0; i < g->share->nslots; i++)
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

/* ---- fork and exec ---- */

static void forks_silent_child(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);

	uint32_t self = g->id;
	pid_t pid = getpid(), child = fork();

	if (child == 0) {
		guest_image(g, self);
		guest_hello(g);
		guest_fork_fact(g, self, pid, 0, 0);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	guest_stay(g);
}

START_TEST(a_forked_copy_without_an_event_gets_no_file)
{
	char command[200];

	make_share(4u << 20);
	pid_t pid = guest_run(&share, forks_silent_child);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 1);
	command_ended(pid);
	finish();
	ck_assert_uint_eq(see(file).allocs, 1);
	snprintf(command, sizeof(command), "test $(ls %s | wc -l) = 1", dir);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

static void grandchild_speaks(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);

	uint32_t self = g->id, used = atomic_load(&g->slot->used);
	pid_t pid = getpid(), child = fork();

	if (child == 0) {
		guest_image(g, self);
		guest_hello(g);
		guest_fork_fact(g, self, pid, 0, used);
		uint32_t middle = g->id;
		pid_t middle_pid = getpid(), grandchild = fork();

		if (grandchild == 0) {
			/* its parent is long gone when it first speaks */
			while (getppid() == middle_pid)
				usleep(1000);
			usleep(200000);
			guest_image(g, middle);
			guest_hello(g);
			guest_fork_fact(g, middle, middle_pid, 0, 0);
			guest_alloc(g, 32, 20);
			guest_stay(g);
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
	for (;;)
		pause();
}

START_TEST(a_copy_that_ended_gets_its_file_when_its_own_copy_needs_it)
{
	make_share(4u << 20);
	pid_t grandchild = 0, pid;
	int ends[2];
	char byte;

	ck_assert_int_eq(pipe(ends), 0);
	setup_with(0, 0, 0, 0);
	pid = fork();
	if (pid == 0) {
		struct guest g = {.share = &share, .report = ends[1]};

		grandchild_speaks(&g);
	}
	/* the middle one is collected and gone before the last one is there */
	for (int i = 0; i < 15; i++) {
		hl_collector_round(collector, 1);
		usleep(10000);
	}
	ck_assert_int_eq((int)read(ends[0], &byte, 1), 1);
	hl_collector_round(collector, 1);
	for (uint32_t i = 0; i < collector->outs.n; i++)
		if (collector->outs.all[i]->id == 3)
			grandchild = collector->outs.all[i]->pid;
	ck_assert_int_gt(grandchild, 0);
	pid_t middle = hl_outs_find(&collector->outs, 2)->pid;

	ck_assert_int_eq(exists(middle, ""), 1);
	kill(grandchild, SIGKILL);
	guest_kill(pid);
	hl_collector_command_ended(collector, 0, 1);
	finish();
	struct seen last = see_pid(grandchild, ""), mid = see_pid(middle, "");

	ck_assert_uint_eq(last.allocs, 1);
	ck_assert_uint_eq(last.parent, 2);
	ck_assert_ptr_nonnull(strstr(last.parent_file, "t.hl."));
	ck_assert_uint_eq(mid.parent, 1);
	ck_assert_int_eq(mid.finished, 1);
	ck_assert_int_eq(mid.end, HL_END_GONE);
}
END_TEST

static void execs(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);
	/* a new program in the same process: it knows nothing of the old slots */
	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 32, 20);
	guest_alloc(g, 48, 20);
	guest_stay(g);
}

START_TEST(an_exec_ends_one_trace_and_begins_another)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, execs);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 1);
	ck_assert_uint_eq(hl_collector_live(collector), 1);
	command_ended(pid);
	finish();
	struct seen first = see(file), second = see_pid(pid, ".2");

	ck_assert_uint_eq(first.allocs, 1);
	ck_assert_int_eq(first.end, HL_END_EXEC);
	ck_assert_uint_eq(second.allocs, 2);
	ck_assert_uint_eq(second.image, 2);
	ck_assert_int_eq(second.end, HL_END_SIGNAL);
	ck_assert_int_eq(exists(pid, ""), 0);
}
END_TEST

START_TEST(files_of_one_pid_are_numbered_and_old_files_are_kept)
{
	char path[200];

	make_share(4u << 20);
	pid_t pid = guest_run(&share, execs);

	snprintf(path, sizeof(path), "%s.%d.2", file, (int)pid);
	FILE *f = fopen(path, "w");

	fputs("old", f);
	fclose(f);
	setup_with(0, pid, 0, 0);
	command_ended(pid);
	finish();
	ck_assert_uint_eq(see_pid(pid, ".3").allocs, 2);
}
END_TEST

static void said_it_ended(struct guest *g)
{
	uint8_t b[30];

	guest_image(g, 0);
	guest_hello(g);
	guest_alloc(g, 16, 10);
	guest_fact(g, HL_FACT_END, b, hl_put_uv(hl_put_uv(hl_put_uv(b, HL_END_EXIT), 3), guest_now(g)));
	atomic_store(&guest_entry(g)->ended, 1);
	_exit(3);
}

START_TEST(an_end_that_the_program_told_is_kept)
{
	int status;

	make_share(4u << 20);
	pid_t pid = guest_run(&share, said_it_ended);

	setup_with(0, pid, 0, 0);
	waitpid(pid, &status, 0);
	hl_collector_command_ended(collector, status, 1);
	finish();
	struct seen s = see(file);

	ck_assert_int_eq(s.end, HL_END_EXIT);
	ck_assert_uint_eq(s.end_status, 3);
}
END_TEST

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
		struct hl_found f = {.region = share.region, .backing = HL_BACKING_MEMFD, .nslots = share.nslots};
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
	Suite *s = suite_create("drain");
	TCase *t = tcase_create("drain");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_directory, remove_directory);
	tcase_add_test(t, sealed_slots_are_in_the_trace_and_free_again);
	tcase_add_test(t, what_is_committed_in_an_open_slot_is_in_the_trace_within_a_round);
	tcase_add_test(t, pieces_of_a_slot_taken_while_it_fills_join_without_a_gap);
	tcase_add_test(t, a_killed_process_leaves_everything_it_committed);
	tcase_add_test(t, a_slot_whose_owner_died_on_the_way_to_the_list_is_found);
	tcase_add_test(t, losses_are_in_the_trace_and_the_entry_is_clean_again);
	tcase_add_test(t, a_trace_is_never_called_complete_beyond_a_thread_that_is_in_a_hook);
	tcase_add_test(t, a_full_region_loses_nothing_when_its_writers_wait);
	tcase_add_test(t, the_slots_of_a_dead_process_reach_those_who_wait);
	tcase_add_test(t, a_forked_copy_without_an_event_gets_no_file);
	tcase_add_test(t, a_copy_that_ended_gets_its_file_when_its_own_copy_needs_it);
	tcase_add_test(t, an_exec_ends_one_trace_and_begins_another);
	tcase_add_test(t, files_of_one_pid_are_numbered_and_old_files_are_kept);
	tcase_add_test(t, an_end_that_the_program_told_is_kept);
	tcase_add_test(t, a_process_that_writes_nonsense_harms_only_its_own_trace);
	tcase_add_test(t, no_slot_is_ever_free_twice);
	tcase_add_test(t, a_full_disk_is_counted_and_stops_nobody);
	tcase_add_test(t, growth_takes_a_snapshot_every_so_many_bytes);
	tcase_add_test(t, a_clock_takes_a_snapshot_every_so_often_even_of_an_idle_program);
	tcase_add_test(t, a_snapshot_that_is_asked_for_is_in_the_trace);
	tcase_add_test(t, a_process_that_is_not_traced_is_told_so);
	tcase_add_test(t, a_mailbox_that_a_dead_client_left_is_taken_over);
	tcase_add_test(t, a_snapshot_without_a_collector_gives_up);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
