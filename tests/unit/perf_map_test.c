/*
 * perf_map_test.c - names of code made at run time: which line counts, and which file is believed.
 */
#include "analyzer/model/sym_jit.h"
#include "tests/unit/tracefile.h"
#include <string.h>
#include <sys/time.h>

static struct hl_process process;

static struct hl_jitmap *read_text(const char *text)
{
	spill(in_dir("map"), text, strlen(text));
	return hl_jitmap_open(&process, in_dir("map"), NULL, geteuid());
}

static const char *at(const struct hl_jitmap *m, uint64_t pc)
{
	const char *name = hl_jitmap_find(m, pc);

	return name ? name : "-";
}

START_TEST(a_function_is_found_from_its_first_byte_to_its_last)
{
	struct hl_jitmap *m = read_text("1000 10 one\n2000 8 two words <T>\n");

	ck_assert_str_eq(at(m, 0xfff), "-");
	ck_assert_str_eq(at(m, 0x1000), "one");
	ck_assert_str_eq(at(m, 0x100f), "one");
	ck_assert_str_eq(at(m, 0x1010), "-");
	ck_assert_str_eq(at(m, 0x2007), "two words <T>");
	ck_assert_str_eq(at(m, UINT64_MAX), "-");
	ck_assert_str_eq(at(m, 0), "-");
	hl_jitmap_free(m);
}
END_TEST

START_TEST(of_code_at_one_address_the_later_line_counts)
{
	struct hl_jitmap *m = read_text("1000 100 old\n"
					"1080 10 inner\n"
					"1000 20 new\n"
					"1040 4 newest\n"
					"1070 90 over both\n");

	ck_assert_str_eq(at(m, 0x1010), "new");
	ck_assert_str_eq(at(m, 0x1020), "old");
	ck_assert_str_eq(at(m, 0x1042), "newest");
	ck_assert_str_eq(at(m, 0x1050), "old");
	ck_assert_str_eq(at(m, 0x1085), "over both");
	ck_assert_str_eq(at(m, 0x10ff), "over both");
	hl_jitmap_free(m);
}
END_TEST

START_TEST(lines_of_another_form_are_passed_over)
{
	struct hl_jitmap *m =
		read_text("\n \n1000\n1000 10\n1000 10 \n-1000 10 minus\n0x 10 x\nzz 10 zz\n"
			  "1000 0 nothing\n1000 fffffffffffffff huge\n10000000000000000000 10 wide\n"
			  "1000 10 good\r\n2000 10 half");

	ck_assert_str_eq(at(m, 0x1000), "good\r");
	ck_assert_str_eq(at(m, 0x2000), "half");
	ck_assert_str_eq(at(m, 0x3000), "-");
	hl_jitmap_free(m);
	m = read_text("");
	ck_assert_str_eq(at(m, 0x1000), "-");
	hl_jitmap_free(m);
}
END_TEST

/* By its pid, below a root of ours. */
static struct hl_jitmap *by_pid(uint64_t started_s)
{
	process.start_realtime_ns = started_s * 1000000000u;
	return hl_jitmap_open(&process, NULL, dir, geteuid());
}

START_TEST(only_a_plain_file_of_ours_that_is_not_older_than_the_process_is_believed)
{
	struct timeval then[2] = {{1000, 0}, {1000, 0}};
	struct hl_jitmap *m;
	char path[300];

	process.pid = 4242;
	ck_assert_ptr_null(by_pid(0));
	mkdir(in_dir("tmp"), 0700);
	snprintf(path, sizeof(path), "%s", in_dir("tmp/perf-4242.map"));
	spill(path, "1000 10 one\n", 12);
	ck_assert_int_eq(utimes(path, then), 0);
	m = by_pid(1000);
	ck_assert_str_eq(at(m, 0x1000), "one");
	hl_jitmap_free(m);
	ck_assert_ptr_null(by_pid(1001));
	/* of a forked child that wrote none it is the parent's */
	process.pid = 4243;
	process.parent_pid = 4242;
	m = by_pid(1000);
	ck_assert_str_eq(at(m, 0x1000), "one");
	hl_jitmap_free(m);
	process.pid = 4242;
	process.parent_pid = 0;
	/* a link to it, a directory, a pipe that nobody writes to */
	rename(path, in_dir("tmp/other"));
	ck_assert_int_eq(symlink("other", path), 0);
	ck_assert_ptr_null(by_pid(0));
	unlink(path);
	mkdir(path, 0700);
	ck_assert_ptr_null(by_pid(0));
	rmdir(path);
	mkfifo(path, 0600);
	ck_assert_ptr_null(by_pid(0));
	unlink(path);
	if (geteuid() == 0) {
		rename(in_dir("tmp/other"), path);
		ck_assert_int_eq(chown(path, 12345, 12345), 0);
		ck_assert_ptr_null(by_pid(0));
		m = hl_jitmap_open(&process, NULL, dir, 12345);
		ck_assert_str_eq(at(m, 0x1000), "one");
		hl_jitmap_free(m);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("perf_map");
	TCase *t = tcase_create("perf_map");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, a_function_is_found_from_its_first_byte_to_its_last);
	tcase_add_test(t, of_code_at_one_address_the_later_line_counts);
	tcase_add_test(t, lines_of_another_form_are_passed_over);
	tcase_add_test(t, only_a_plain_file_of_ours_that_is_not_older_than_the_process_is_believed);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
