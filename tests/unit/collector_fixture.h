/*
 * collector_fixture.h - a region, its collector, and a look at the traces that come out; for the tests of
 * the collector.  One test, one process (libcheck forks), so plain statics serve.
 */
#ifndef HL_TESTS_COLLECTOR_FIXTURE_H
#define HL_TESTS_COLLECTOR_FIXTURE_H

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

static inline void setup_with(uint64_t buffer, pid_t command, double every, uint64_t growth)
{
	struct hl_collector_options o = {
		.path = file, .command = command, .every_s = every, .growth_bytes = growth};
	struct hl_diag d;

	if (!share.region)
		ck_assert_msg(hl_share_make(&share, buffer, &d) == HL_OK, "%s", d.text);
	ck_assert_int_eq(hl_collector_new(&collector, &share, &o, &d), HL_OK);
}

static inline void make_directory(void)
{
	memset(&share, 0, sizeof(share));
	snprintf(dir, sizeof(dir), "/tmp/hl-drain-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/t.hl", dir);
}

static inline void remove_directory(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline void make_share(uint64_t buffer)
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

static inline struct seen see(const char *path)
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

static inline struct seen see_pid(pid_t pid, const char *rest)
{
	char path[200];

	snprintf(path, sizeof(path), "%s.%d%s", file, (int)pid, rest);
	return see(path);
}

static inline int exists(pid_t pid, const char *rest)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s.%d%s", file, (int)pid, rest);
	return stat(path, &st) == 0;
}

static inline void command_ended(pid_t pid)
{
	hl_collector_command_ended(collector, guest_kill(pid), 1);
}

static inline void finish(void)
{
	hl_collector_close(collector);
	hl_share_release(&share);
}

/* Bodies of guests that several tests use. */
static inline void in_three_steps(struct guest *g)
{
	guest_image(g, 0);
	guest_hello(g);
	for (uint64_t i = 1; i <= 100; i++)
		guest_alloc(g, i * 16, 10);
	guest_stay(g);
}

static inline void floods(struct guest *g)
{
	guest_image(g, 0);
	/* before the first slot: while others fill the region it comes only when somebody collects */
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	guest_hello(g);
	for (uint64_t i = 1; i <= 1000000; i++)
		guest_alloc(g, i * 16, 10);
	guest_seal(g);
}

/* Add the tests with the fixture and run them; the exit status. */
static inline int run_tests(const char *name, const TTest *const *tests)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_directory, remove_directory);
	for (; *tests; tests++)
		tcase_add_test(t, *tests);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
