/*
 * needed_test.c - finding a program's libraries and its calls of dlopen, in files that are whole, cut and bent.
 */
#include "analyzer/collect/deepbind.h"
#include "analyzer/collect/ldcache.h"
#include "analyzer/collect/needed.h"
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void enter(void)
{
	snprintf(dir, sizeof(dir), "/tmp/hl-needed-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	unsetenv("LD_LIBRARY_PATH");
	unsetenv("LD_PRELOAD");
}

static void leave(void)
{
	char command[128];

	snprintf(command, sizeof(command), "cd / && /bin/rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *name, const void *data, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, data, n), (int)n);
	close(fd);
}

static size_t read_file(const char *name, uint8_t *data, size_t room)
{
	int fd = open(name, O_RDONLY);
	ssize_t n = read(fd, data, room);

	ck_assert_int_gt((int)n, 4096);
	close(fd);
	return (size_t)n;
}

/* ---- the cache ---- */

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

#define ENTRIES 3

/* A table as ldconfig writes it: liba.so for a special processor, then for all, and libb.so. */
static size_t make_table(uint8_t *p)
{
	static const char strings[] = "liba.so\0/v3/liba.so\0/lib/liba.so\0libb.so\0/lib/libb.so";
	static const uint32_t key[ENTRIES] = {0, 0, 33}, value[ENTRIES] = {8, 20, 41};
	size_t at = 48 + ENTRIES * 24;

	memset(p, 0, at);
	memcpy(p, "glibc-ld.so.cache1.1", 20);
	put32(p + 20, ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		put32(p + 48 + i * 24 + 4, (uint32_t)at + key[i]);
		put32(p + 48 + i * 24 + 8, (uint32_t)at + value[i]);
	}
	p[48 + 23] = 0x40; /* hwcap of the first */
	memcpy(p + at, strings, sizeof(strings));
	return at + sizeof(strings);
}

static void assert_found(const char *file)
{
	struct hl_ldcache c;
	uint32_t at = 0;

	hl_ldcache_open(&c, file);
	ck_assert_str_eq(hl_ldcache_next(&c, "liba.so", &at), "/lib/liba.so");
	ck_assert_str_eq(hl_ldcache_next(&c, "liba.so", &at), "/v3/liba.so");
	ck_assert_ptr_null(hl_ldcache_next(&c, "liba.so", &at));
	at = 0;
	ck_assert_str_eq(hl_ldcache_next(&c, "libb.so", &at), "/lib/libb.so");
	at = 0;
	ck_assert_ptr_null(hl_ldcache_next(&c, "lib", &at));
	hl_ldcache_release(&c);
}

START_TEST(the_cache_is_read_alone_and_behind_the_older_table)
{
	uint8_t b[1024] = {0};
	size_t n = make_table(b);

	write_file("new", b, n);
	assert_found("new");
	memset(b, 0, sizeof(b));
	memcpy(b, "ld.so-1.7.0", 11);
	put32(b + 12, 1); /* 16 bytes, an entry of 12, and up to the next 8 */
	n = make_table(b + 32);
	write_file("both", b, 32 + n);
	assert_found("both");
}
END_TEST

static void ask(const char *file)
{
	struct hl_ldcache c;
	uint32_t at = 0;

	hl_ldcache_open(&c, file);
	while (hl_ldcache_next(&c, "libb.so", &at))
		;
	hl_ldcache_release(&c);
}

START_TEST(a_damaged_cache_is_searched_in_bounds)
{
	uint8_t b[1024] = {0}, copy[1024];
	size_t n = make_table(b);
	unsigned seed = 7;

	ask("missing");
	for (size_t cut = 0; cut < n; cut++) {
		write_file("cut", b, cut);
		ask("cut");
	}
	for (int round = 0; round < 2000; round++) {
		memcpy(copy, b, n);
		for (int k = 0; k < 3; k++)
			copy[20 + (size_t)rand_r(&seed) % (n - 20)] = (uint8_t)rand_r(&seed);
		write_file("bent", copy, n);
		ask("bent");
	}
}
END_TEST

/* ---- libraries ---- */

START_TEST(the_libraries_of_a_program_are_found)
{
	struct hl_needed n;
	int libc = 0;

	ck_assert_int_eq(hl_needed_find(&n, "/bin/ls"), 1);
	ck_assert_uint_gt(n.n, 2);
	ck_assert_int_eq(n.cut, 0);
	for (unsigned i = 0; i < n.n; i++) {
		ck_assert_ptr_nonnull(n.libs[i].path);
		libc |= !strcmp(n.libs[i].name, "libc.so.6");
	}
	ck_assert_int_eq(libc, 1);
	hl_needed_release(&n);
	ck_assert_int_eq(hl_needed_find(&n, "missing"), 0);
	write_file("empty", "", 0);
	ck_assert_int_eq(hl_needed_find(&n, "empty"), 0);
}
END_TEST

START_TEST(more_libraries_than_there_is_room_for_are_cut)
{
	static uint8_t image[1 << 20];
	static char preload[1 << 16];
	size_t bytes = read_file("/bin/true", image, sizeof(image)), at = 0;
	struct hl_needed n;
	char name[32];

	for (int i = 0; i < HL_NEEDED_MAX + 20; i++) {
		snprintf(name, sizeof(name), "./lib%d.so", i);
		write_file(name, image, bytes);
		at += (size_t)snprintf(preload + at, sizeof(preload) - at, "%s:", name);
	}
	setenv("LD_PRELOAD", preload, 1);
	ck_assert_int_eq(hl_needed_find(&n, "/bin/ls"), 1);
	unsetenv("LD_PRELOAD");
	ck_assert_uint_eq(n.n, HL_NEEDED_MAX);
	ck_assert_int_eq(n.cut, 1);
	hl_needed_release(&n);
}
END_TEST

static void look(const char *file)
{
	struct hl_deepbind b;
	struct hl_needed n;
	int fd = open(file, O_RDONLY);

	if (hl_needed_find(&n, file))
		hl_needed_release(&n);
	hl_deepbind_scan(&b, fd);
	ck_assert_uint_le(b.deep, b.constants);
	ck_assert_uint_le(b.constants, b.calls);
	close(fd);
}

START_TEST(damaged_programs_are_looked_at_in_bounds)
{
	static uint8_t image[4 << 20];
	size_t n = read_file("/bin/bash", image, sizeof(image));
	unsigned seed = 3;

	look("/bin/bash");
	for (size_t cut = 0; cut < n; cut += cut < 1024 ? 61 : 79999) {
		write_file("cut", image, cut);
		look("cut");
	}
	for (int round = 0; round < 200; round++) {
		/* the headers, or somewhere: relocations, dynamic section, code */
		size_t at = (size_t)rand_r(&seed) % (round % 2 ? 1024 : n - 8);
		uint8_t old[8];

		memcpy(old, image + at, sizeof(old));
		for (int k = 0; k < 8; k++)
			image[at + (size_t)k] = (uint8_t)rand_r(&seed);
		write_file("bent", image, n);
		look("bent");
		memcpy(image + at, old, sizeof(old));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("needed");
	TCase *t = tcase_create("needed");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, enter, leave);
	tcase_add_test(t, the_cache_is_read_alone_and_behind_the_older_table);
	tcase_add_test(t, a_damaged_cache_is_searched_in_bounds);
	tcase_add_test(t, the_libraries_of_a_program_are_found);
	tcase_add_test(t, more_libraries_than_there_is_room_for_are_cut);
	tcase_add_test(t, damaged_programs_are_looked_at_in_bounds);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
