/*
 * images_test.c - which image gets which file: fork, exec, the ends that are told and those that are not.
 */
#include "collector_fixture.h"

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

static void forks_speaking_child(struct guest *g)
{
	guest_image(g, 0);

	uint32_t self = g->id;
	pid_t pid = getpid();

	if (fork() == 0) {
		guest_image(g, self);
		guest_hello(g);
		guest_fork_fact(g, self, pid, 0, 0);
		guest_alloc(g, 32, 20);
		guest_seal(g);
		guest_stay(g);
	}
	for (;;)
		pause();
}

/* Between two looks at the image table a parent can come, fork, and its child can fill a slot. */
START_TEST(a_child_that_is_heard_of_before_its_parent_names_it)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, forks_speaking_child);

	setup_with(0, pid, 0, 0);
	hl_drain_sealed(&collector->drain);
	hl_collector_round(collector, 1);
	pid_t child = hl_outs_find(&collector->outs, 2)->pid;

	kill(child, SIGKILL);
	command_ended(pid);
	finish();
	ck_assert_uint_eq(see(file).image, 1);
	ck_assert_uint_eq(see_pid(child, "").parent, 1);
	ck_assert_ptr_nonnull(strstr(see_pid(child, "").parent_file, "t.hl"));
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

/* What the child becomes stands before it in the image table. */
static void forks_child_that_execs(struct guest *g)
{
	struct hl_image *between = &hl_region_images(g->share->region)[1];

	guest_image(g, 0);

	uint32_t self = g->id;
	pid_t pid = getpid();

	atomic_store(&between->pid, (uint32_t)pid);
	if (fork() == 0) {
		guest_image(g, self);
		guest_hello(g);
		guest_fork_fact(g, self, pid, 0, 0);
		guest_alloc(g, 32, 20);
		atomic_store(&between->pid, 0);
		guest_image(g, 0);
		guest_hello(g);
		guest_alloc(g, 32, 20);
		guest_alloc(g, 48, 20);
		guest_seal(g);
		guest_stay(g);
	}
	for (;;)
		pause();
}

START_TEST(a_forked_child_has_the_first_name_and_what_it_became_the_second)
{
	make_share(4u << 20);
	pid_t pid = guest_run(&share, forks_child_that_execs);

	setup_with(0, pid, 0, 0);
	hl_collector_round(collector, 1);
	pid_t child = hl_outs_find(&collector->outs, 2)->pid;

	kill(child, SIGKILL);
	command_ended(pid);
	finish();
	struct seen first = see_pid(child, ""), second = see_pid(child, ".2");

	ck_assert_uint_eq(first.image, 2);
	ck_assert_uint_eq(first.allocs, 1);
	ck_assert_int_eq(first.end, HL_END_EXEC);
	ck_assert_uint_eq(second.image, 3);
	ck_assert_uint_eq(second.allocs, 2);
	ck_assert_int_eq(second.end, HL_END_GONE);
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

int main(void)
{
	static const TTest *tests[8];
	size_t n = 0;

	tests[n++] = a_forked_copy_without_an_event_gets_no_file;
	tests[n++] = a_copy_that_ended_gets_its_file_when_its_own_copy_needs_it;
	tests[n++] = a_child_that_is_heard_of_before_its_parent_names_it;
	tests[n++] = an_exec_ends_one_trace_and_begins_another;
	tests[n++] = a_forked_child_has_the_first_name_and_what_it_became_the_second;
	tests[n++] = files_of_one_pid_are_numbered_and_old_files_are_kept;
	tests[n++] = an_end_that_the_program_told_is_kept;
	return run_tests("images", tests);
}
