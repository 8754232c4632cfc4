/*
 * symbols_debugfiles_test.c - debug information that is somewhere else, or of another build.
 */
#include "tests/unit/symbols_fixture.h"
#include "analyzer/model/sym_crc.h"
#include <fcntl.h>

static struct fx x;
static uint64_t leaf;

/* a: the full program; bare: without any symbol. */
static void setup(void)
{
	fx_setup();
	fx_sh("gcc -O2 -g -Wl,--build-id -o a a.c && strip -o bare a && objcopy --only-keep-debug a a.debug");
	leaf = fx_address("a", "hl_mark_leaf");
}

static void teardown(void)
{
	fx_close(&x);
	fx_remove();
}

/* Put DIR/file where a build-id directory `root` has the debug file of DIR/of. */
static void install(const char *file, const char *of, const char *root)
{
	struct hl_elf f;
	char hex[2 * HL_BUILD_ID_MAX + 1];

	ck_assert_int_eq(hl_elf_open(&f, fx_path(of)), 0);
	ck_assert_uint_ge(f.build_id_bytes, 8);
	for (uint32_t i = 0; i < f.build_id_bytes; i++)
		sprintf(hex + 2 * i, "%02x", f.build_id[i]);
	hl_elf_close(&f);
	fx_sh("mkdir -p %s/.build-id/%.2s && cp %s %s/.build-id/%.2s/%s.debug", root, hex, file, root, hex,
	      hex + 2);
}

static void expect_no_lines(void)
{
	ck_assert_uint_eq(x.n, 1);
	ck_assert_int_eq(x.frames[0].kind, HL_FRAME_OFFSET);
}

START_TEST(a_stripped_program_is_resolved_by_a_build_id_directory)
{
	const char *dirs[] = {fx_path("nowhere"), fx_path("dbg"), NULL};

	install("a.debug", "a", "dbg");
	fx_open(&x, "bare", "a");
	fx_ask(&x, leaf);
	expect_no_lines();
	x.options.debug_dirs = dirs;
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
}
END_TEST

START_TEST(a_deleted_program_is_resolved_by_a_build_id_directory)
{
	const char *dirs[] = {fx_path("dbg"), NULL};

	install("a.debug", "a", "dbg");
	fx_open(&x, "gone (deleted)", "a");
	x.options.debug_dirs = dirs;
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
	fx_ask(&x, 0x10);
	ck_assert_str_eq(x.frames[0].file, "gone+0x10");
}
END_TEST

START_TEST(a_deleted_program_that_is_back_is_used)
{
	fx_open(&x, "a (deleted)", "a");
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
}
END_TEST

START_TEST(a_sysroot_is_put_before_modules_and_debug_directories)
{
	fx_sh("mkdir -p root/opt root/usr/lib/debug && cp bare root/opt/prog");
	install("a.debug", "a", "root/usr/lib/debug");
	fx_open(&x, "/opt/prog", "a");
	fx_ask(&x, leaf);
	expect_no_lines();
	x.options.sysroot = fx_path("root");
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
}
END_TEST

START_TEST(a_debuglink_is_followed_beside_the_file_in_dot_debug_and_in_debug_directories)
{
	char under[512];
	const char *dirs[] = {fx_path("dbg"), NULL};

	fx_sh("objcopy --add-gnu-debuglink=a.debug bare");
	fx_open(&x, "bare", "a");
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
	fx_sh("mkdir .debug && mv a.debug .debug");
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
	snprintf(under, sizeof(under), "dbg%s", fx_directory);
	fx_sh("mkdir -p %s && mv .debug/a.debug %s", under, under);
	x.options.debug_dirs = dirs;
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
}
END_TEST

START_TEST(without_a_build_id_the_crc_of_the_debuglink_decides)
{
	fx_sh("gcc -O2 -g -Wl,--build-id=none -o a a.c && objcopy --only-keep-debug a a.debug && strip -o "
	      "bare a &&"
	      " objcopy --add-gnu-debuglink=a.debug bare");
	leaf = fx_address("a", "hl_mark_leaf");
	fx_open(&x, "bare", NULL);
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
	/* the same lines, but not the same file */
	fx_sh("printf x >> a.debug");
	fx_ask(&x, leaf);
	expect_no_lines();
}
END_TEST

START_TEST(the_crc_is_the_one_of_ieee_802_3)
{
	uint32_t crc = 0;
	int fd;

	fx_sh("printf 123456789 > check");
	fd = open(fx_path("check"), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(hl_crc32_fd(fd, &crc), 0);
	close(fd);
	ck_assert_uint_eq(crc, 0xcbf43926);
}
END_TEST

START_TEST(a_file_shared_by_dwz_is_found_by_name_and_by_build_id)
{
	const char *dirs[] = {fx_path("dbg"), NULL};

	if (!fx_have("a file shared by dwz", "dwz"))
		return;
	/* enough in common for dwz to share */
	fx_sh("sed 's/return x + 5/return x + 6/' a.c > a2.c && gcc -O2 -g -DTWO -o a2 a2.c && cp a full");
	fx_sh("dwz -m common.debug a a2 && test -s common.debug && readelf -S a | grep -q debugaltlink");
	fx_open(&x, "a", "a");
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
	install("common.debug", "common.debug", "dbg");
	fx_sh("rm common.debug");
	x.options.debug_dirs = dirs;
	fx_ask(&x, leaf);
	fx_expect_leaf(&x);
	/* without it lines are still there */
	x.options.debug_dirs = NULL;
	fx_ask(&x, leaf);
	ck_assert_int_eq(x.frames[0].kind, HL_FRAME_LINE);
	ck_assert_uint_eq(x.frames[0].line, 4);
	/* nor does something that waits for a writer hold us */
	fx_sh("mkfifo common.debug");
	fx_ask(&x, leaf);
	ck_assert_uint_eq(x.frames[0].line, 4);
}
END_TEST

START_TEST(a_compressed_symbol_table_gives_names)
{
	if (!fx_have("a compressed symbol table", "xz nm objcopy"))
		return;
	fx_sh("nm -D a --format=posix --defined-only | cut -d' ' -f1 | sort > dynsyms;"
	      "nm a --format=posix --defined-only | awk '$2 ~ /[tTD]/ { print $1 }' | sort > funcsyms;"
	      "comm -13 dynsyms funcsyms > keep;"
	      "objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbols=keep a.debug "
	      "mini &&"
	      "xz -f mini && objcopy --add-section .gnu_debugdata=mini.xz bare");
	fx_open(&x, "bare", "a");
	fx_ask(&x, fx_address("a", "hl_mark_hidden"));
	ck_assert_str_eq(x.frames[0].file, "bare!hidden");
	/* damaged: as if it were not there */
	fx_sh("head -c 100 mini.xz > cut.xz && strip -R .gnu_debugdata bare && "
	      "objcopy --add-section .gnu_debugdata=cut.xz bare");
	fx_ask(&x, fx_address("a", "hl_mark_hidden"));
	expect_no_lines();
}
END_TEST

START_TEST(a_file_of_another_build_is_not_used_and_told)
{
	struct hl_symbol_stats stats;

	fx_sh("cp a old && sed 's/x + 5/x + 7/' a.c > b.c && gcc -O2 -g -Wl,--build-id -o a b.c");
	fx_open(&x, "a", "old");
	fx_ask(&x, leaf);
	expect_no_lines();
	hl_symbols_stats(x.symbols, &stats);
	ck_assert_ptr_nonnull(strstr(stats.hint, x.module.path));
	ck_assert_ptr_nonnull(strstr(stats.hint, "has changed"));
	/* a file that lost its build-id is another one, too */
	fx_sh("objcopy -R .note.gnu.build-id old a");
	fx_ask(&x, leaf);
	expect_no_lines();
}
END_TEST

START_TEST(a_wrong_file_in_the_build_id_directory_is_not_used)
{
	const char *dirs[] = {fx_path("dbg"), NULL};

	fx_sh("sed 's/x + 5/x + 7/' a.c > b.c && gcc -O2 -g -Wl,--build-id -o b b.c");
	install("b", "a", "dbg");
	fx_open(&x, "bare", "a");
	x.options.debug_dirs = dirs;
	fx_ask(&x, leaf);
	expect_no_lines();
}
END_TEST

START_TEST(the_hint_names_what_costs_most_lines)
{
	struct hl_symbol_stats stats;

	fx_open(&x, "bare", "a");
	fx_ask(&x, leaf);
	hl_symbols_stats(x.symbols, &stats);
	ck_assert_uint_eq(stats.pcs, 1);
	ck_assert_uint_eq(stats.with_module, 1);
	ck_assert_ptr_nonnull(strstr(stats.hint, "no line information in"));
	ck_assert_ptr_nonnull(strstr(stats.hint, "-g"));
	fx_open(&x, "a", "a");
	fx_ask(&x, leaf);
	hl_symbols_stats(x.symbols, &stats);
	ck_assert_uint_eq(stats.with_line, 1);
	ck_assert_str_eq(stats.hint, "");
	/* a libc whose debug file is nowhere */
	fx_sh("mkdir -p root/usr/lib && cp bare root/usr/lib/libc.so.6");
	fx_open(&x, "/usr/lib/libc.so.6", "a");
	x.options.sysroot = fx_path("root");
	fx_ask(&x, leaf);
	hl_symbols_stats(x.symbols, &stats);
	if (access("/etc/debian_version", F_OK) == 0)
		ck_assert_ptr_nonnull(strstr(stats.hint, "install libc6-dbg"));
	else
		ck_assert_ptr_nonnull(strstr(stats.hint, "install its debug package"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_stripped_program_is_resolved_by_a_build_id_directory,
		a_deleted_program_is_resolved_by_a_build_id_directory,
		a_deleted_program_that_is_back_is_used,
		a_sysroot_is_put_before_modules_and_debug_directories,
		a_debuglink_is_followed_beside_the_file_in_dot_debug_and_in_debug_directories,
		without_a_build_id_the_crc_of_the_debuglink_decides,
		the_crc_is_the_one_of_ieee_802_3,
		a_file_shared_by_dwz_is_found_by_name_and_by_build_id,
		a_compressed_symbol_table_gives_names,
		a_file_of_another_build_is_not_used_and_told,
		a_wrong_file_in_the_build_id_directory_is_not_used,
		the_hint_names_what_costs_most_lines,
	};
	Suite *s = suite_create("symbols: debug files");
	TCase *tc = tcase_create("debug files");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
