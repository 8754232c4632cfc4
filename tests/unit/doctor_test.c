/*
 * doctor_test.c - what is found out about a command before it runs, where its trace goes, and the
 * collector's own records.
 */
#include "analyzer/collect/elfinfo.h"
#include "analyzer/collect/names.h"
#include "analyzer/collect/note.h"
#include "analyzer/collect/target.h"
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct hl_target target;

static void enter(void)
{
	snprintf(dir, sizeof(dir), "/tmp/hl-doctor-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	/* any readable file serves: what it holds is not looked at */
	setenv("HEAPLEDGER_LIBRARY", "/proc/self/exe", 1);
}

static void leave(void)
{
	char command[128];

	snprintf(command, sizeof(command), "cd / && /bin/rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *name, const void *data, size_t n, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, data, n), (int)n);
	fchmod(fd, mode);
	close(fd);
}

static void write_script(const char *name, const char *text)
{
	write_file(name, text, strlen(text), 0755);
}

static const char *refusal(const char *command)
{
	hl_target_check(&target, command, 1);
	const struct hl_check *c = hl_target_refusal(&target);

	return c ? c->text : "";
}

static const struct hl_check *row(const char *name)
{
	for (unsigned i = 0; i < target.nchecks; i++)
		if (!strcmp(target.checks[i].name, name))
			return &target.checks[i];
	return NULL;
}

START_TEST(a_plain_program_is_traced)
{
	ck_assert_str_eq(refusal("ls"), "");
	ck_assert_int_eq(target.status, 0);
	ck_assert_ptr_nonnull(strstr(target.path, "/ls"));
	ck_assert_ptr_nonnull(row("dynamic"));
}
END_TEST

START_TEST(path_is_searched_as_a_shell_does)
{
	mkdir("a", 0755);
	mkdir("b", 0755);
	write_script("a/tool", "#!/bin/sh\n");
	chmod("a/tool", 0644);
	write_script("b/tool", "#!/bin/sh\n");
	setenv("PATH", "a:b", 1);
	ck_assert_str_eq(refusal("tool"), "");
	ck_assert_str_eq(target.path, "b/tool");
	unlink("b/tool");
	refusal("tool");
	ck_assert_int_eq(target.status, 126);
	unlink("a/tool");
	refusal("tool");
	ck_assert_int_eq(target.status, 127);
	write_script("tool", "#!/bin/sh\n");
	setenv("PATH", "a::b", 1);
	ck_assert_str_eq(refusal("tool"), "");
	refusal("");
	ck_assert_int_eq(target.status, 127);
}
END_TEST

START_TEST(scripts_are_followed_to_their_program)
{
	write_script("s", "#! /bin/sh -e\n");
	ck_assert_str_eq(refusal("./s"), "");
	ck_assert_ptr_nonnull(strstr(row("interpreter")->text, "/bin/sh"));
	write_script("e", "#!/usr/bin/env -S A=1 -u B sh -x\n");
	ck_assert_str_eq(refusal("./e"), "");
	write_script("e", "#!/usr/bin/env no-such-program\n");
	ck_assert_str_ne(refusal("./e"), "");
	ck_assert_int_eq(target.status, 127);
	write_script("m", "#!/no/interpreter\n");
	refusal("./m");
	ck_assert_int_eq(target.status, 126);
	write_script("n", "#!");
	refusal("./n");
	ck_assert_int_ne(target.status, 0);
	write_script("plain", "echo no line\n");
	ck_assert_str_eq(refusal("./plain"), "");
	ck_assert_int_eq(target.by_shell, 1);
	write_script("empty", "");
	ck_assert_str_eq(refusal("./empty"), "");
}
END_TEST

START_TEST(scripts_that_run_each_other_end)
{
	char text[200];

	snprintf(text, sizeof(text), "#!%s/loop\n", dir);
	write_script("loop", text);
	ck_assert_ptr_nonnull(strstr(refusal("./loop"), "too many"));
}
END_TEST

/* Every cut and many damaged copies of a real program: an answer, no crash. */
START_TEST(damaged_programs_get_an_answer)
{
	static uint8_t image[1 << 20];
	int fd = open("/bin/ls", O_RDONLY);
	ssize_t n = read(fd, image, sizeof(image));
	unsigned seed = 1;

	ck_assert_int_gt((int)n, 4096);
	close(fd);
	for (ssize_t cut = 0; cut < n; cut += cut < 200 ? 7 : 4999) {
		write_file("cut", image, (size_t)cut, 0755);
		hl_target_check(&target, "./cut", 1);
		ck_assert_uint_gt(target.nchecks, 0);
	}
	for (int round = 0; round < 150; round++) {
		ssize_t at = round < 100 ? rand_r(&seed) % 1024 : rand_r(&seed) % n;
		uint8_t old[8];

		memcpy(old, image + at, sizeof(old));
		for (int k = 0; k < 8; k++)
			image[at + k] = (uint8_t)rand_r(&seed);
		write_file("bent", image, (size_t)n, 0755);
		hl_target_check(&target, "./bent", 1);
		ck_assert_uint_gt(target.nchecks, 0);
		memcpy(image + at, old, sizeof(old));
	}
}
END_TEST

START_TEST(a_sanitizer_is_known_by_the_name_of_its_library)
{
	ck_assert_int_eq(hl_elfinfo_is_sanitizer("libasan.so.8"), 1);
	ck_assert_int_eq(hl_elfinfo_is_sanitizer("libclang_rt.asan-x86_64.so"), 1);
	/* these have no allocator */
	ck_assert_int_eq(hl_elfinfo_is_sanitizer("libubsan.so.1"), 0);
	ck_assert_int_eq(hl_elfinfo_is_sanitizer("libclang_rt.ubsan_standalone-x86_64.so"), 0);
	ck_assert_int_eq(hl_elfinfo_is_sanitizer("libclang_rt.builtins-x86_64.so"), 0);
	ck_assert_int_eq(hl_elfinfo_is_sanitizer("libsane.so.1"), 0);
}
END_TEST

START_TEST(a_library_path_that_ld_preload_cannot_hold_is_refused)
{
	static const char *const names[] = {"a b.so", "a:b.so", "a\tb.so", "$LIB.so"};
	struct hl_diag d;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		write_file(names[i], "", 0, 0644);
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		setenv("HEAPLEDGER_LIBRARY", path, 1);
		ck_assert_int_eq(hl_library_find(path, sizeof(path), &d), HL_ERR_REFUSED);
	}
	setenv("HEAPLEDGER_LIBRARY", "missing.so", 1);
	ck_assert_int_eq(hl_library_find(path, sizeof(path), &d), HL_ERR_REFUSED);
	/* a relative name becomes absolute: programs change their directory */
	write_file("fine.so", "", 0, 0644);
	setenv("HEAPLEDGER_LIBRARY", "fine.so", 1);
	ck_assert_int_eq(hl_library_find(path, sizeof(path), &d), HL_OK);
	ck_assert_int_eq(path[0], '/');
}
END_TEST

START_TEST(output_patterns_are_expanded_once)
{
	struct hl_diag d;
	char out[PATH_MAX], host[256] = "", want[600];

	gethostname(host, sizeof(host) - 1);
	ck_assert_int_eq(hl_output_expand(out, sizeof(out), "x.%n.%p.%h.%%.hl", "/usr/bin/we%pird", 42, &d),
			 HL_OK);
	snprintf(want, sizeof(want), "x.we%%pird.42.%s.%%.hl", host);
	ck_assert_str_eq(out, want);
	ck_assert_int_eq(hl_output_expand(out, sizeof(out), "%q", "a", 1, &d), HL_ERR_USAGE);
	ck_assert_int_eq(hl_output_expand(out, sizeof(out), "100%", "a", 1, &d), HL_ERR_USAGE);
	ck_assert_int_eq(hl_output_expand(out, sizeof(out), "", "a", 1, &d), HL_ERR_USAGE);
	ck_assert_int_eq(hl_output_expand(out, sizeof(out), "dir/", "a", 1, &d), HL_ERR_USAGE);
	memset(want, 'a', 300);
	want[300] = 0;
	ck_assert_int_eq(hl_output_expand(out, sizeof(out), want, "a", 1, &d), HL_ERR_USAGE);
}
END_TEST

START_TEST(a_reserved_name_is_held_and_given_back)
{
	struct hl_diag d;
	struct stat st;

	ck_assert_int_eq(hl_output_reserve("r.hl", 0, &d), HL_OK);
	ck_assert_int_eq(stat("r.hl", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(hl_output_reserve("r.hl", 0, &d), HL_ERR_REFUSED);
	hl_output_unreserve("r.hl", 0);
	ck_assert_int_eq(stat("r.hl", &st), -1);
	write_file("old.hl", "x", 1, 0600);
	ck_assert_int_eq(hl_output_reserve("old.hl", 1, &d), HL_OK);
	hl_output_unreserve("old.hl", 0);
	ck_assert_int_eq(stat("old.hl", &st), 0);
}
END_TEST

START_TEST(leading_facts_are_no_event_and_damage_is_one)
{
	struct hl_note n;
	struct hl_glance g;
	static const uint8_t hello[] = {HL_TAG_FACT | HL_FACT_HELLO << 2, 2, 1, 1};
	static const uint8_t thread[] = {HL_TAG_EVENT | HL_OP_THREAD << 2, 0, 5};
	static const uint8_t cut[] = {HL_TAG_FACT | HL_FACT_HELLO << 2, 200, 1};
	static const uint8_t alloc[] = {HL_TAG_ALLOC, 1, 2, 3};

	hl_note_start(&n, 100);
	hl_note_parent(&n, "file.hl", (const uint8_t *)"0123456789abcdef", 7);
	hl_note_sync(&n, 99);
	hl_note_lost(&n, HL_LOST_FULL, 12345678901ull);
	hl_note_end(&n, HL_END_SIGNAL, 9, 100);
	ck_assert_uint_eq(n.facts, 4);
	g = hl_note_glance(n.data, n.bytes);
	ck_assert_int_eq(g.event | g.hello, 0);
	hl_note_mark(&n, 100, HL_MARK_COMMAND, "label");
	ck_assert_int_eq(hl_note_glance(n.data, n.bytes).event, 1);
	g = hl_note_glance(hello, sizeof(hello));
	ck_assert_int_eq(g.hello, 1);
	ck_assert_int_eq(g.event, 0);
	ck_assert_int_eq(hl_note_glance(thread, sizeof(thread)).event, 0);
	ck_assert_int_eq(hl_note_glance(cut, sizeof(cut)).event, 1);
	ck_assert_int_eq(hl_note_glance(alloc, sizeof(alloc)).event, 1);
	ck_assert_int_eq(hl_note_glance(alloc, 0).event, 0);
}
END_TEST

START_TEST(a_note_never_outgrows_its_room)
{
	struct hl_note n;
	char name[400];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	hl_note_start(&n, 1);
	for (int i = 0; i < 20; i++) {
		hl_note_parent(&n, name, (const uint8_t *)"0123456789abcdef", UINT32_MAX);
		hl_note_mark(&n, UINT64_MAX, HL_MARK_COMMAND, name);
		ck_assert_uint_le(n.bytes, HL_NOTE_ROOM);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("doctor");
	TCase *t = tcase_create("doctor");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, enter, leave);
	tcase_add_test(t, a_plain_program_is_traced);
	tcase_add_test(t, path_is_searched_as_a_shell_does);
	tcase_add_test(t, scripts_are_followed_to_their_program);
	tcase_add_test(t, scripts_that_run_each_other_end);
	tcase_add_test(t, damaged_programs_get_an_answer);
	tcase_add_test(t, a_sanitizer_is_known_by_the_name_of_its_library);
	tcase_add_test(t, a_library_path_that_ld_preload_cannot_hold_is_refused);
	tcase_add_test(t, output_patterns_are_expanded_once);
	tcase_add_test(t, a_reserved_name_is_held_and_given_back);
	tcase_add_test(t, leading_facts_are_no_event_and_damage_is_one);
	tcase_add_test(t, a_note_never_outgrows_its_room);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
