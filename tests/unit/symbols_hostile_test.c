/*
 * symbols_hostile_test.c - files that are cut, garbled or no files at all only say less.
 */
#include "tests/unit/symbols_fixture.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static struct fx x;

static void setup(void)
{
	fx_setup();
}

static void teardown(void)
{
	fx_close(&x);
	fx_remove();
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

struct bytes {
	uint8_t *data;
	size_t n;
};

static struct bytes read_file(const char *name)
{
	struct bytes b = {0};
	FILE *f = fopen(fx_path(name), "rb");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	b.n = (size_t)ftell(f);
	b.data = malloc(b.n);
	ck_assert_ptr_nonnull(b.data);
	rewind(f);
	ck_assert_uint_eq(fread(b.data, 1, b.n, f), b.n);
	fclose(f);
	return b;
}

static void write_bytes(const char *name, const uint8_t *data, size_t n)
{
	FILE *f = fopen(fx_path(name), "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

/* Ask for every 16th address of the file; whatever comes must be printable.  Returns how many had a line. */
static unsigned sweep(const char *name, uint64_t end)
{
	enum { NODES = 600 };
	struct hl_node nodes[NODES] = {{0}};
	struct hl_facts facts = {.nodes = nodes, .nnodes = NODES, .modules = &x.module, .nmodules = 1};
	struct hl_symbol_stats stats;
	unsigned lines = 0;
	uint32_t n;

	fx_open(&x, name, NULL);
	for (uint32_t i = 1; i < NODES; i++)
		nodes[i] = (struct hl_node){
			.pc = x.module.bias + end * i / NODES, .known = 1, .flags = HL_NODE_EXACT};
	x.symbols = hl_symbols_new(&facts, NULL);
	for (uint32_t i = 1; i < NODES; i++) {
		const struct hl_frame *f = hl_symbols_frames(x.symbols, i, &n);

		ck_assert_uint_ge(n, 1);
		lines += f->kind == HL_FRAME_LINE;
		for (uint32_t k = 0; k < n; k++) {
			ck_assert(f[k].kind == HL_FRAME_LINE || f[k].line == 0);
			ck_assert_uint_gt(strlen(f[k].file), 0);
			ck_assert_uint_gt(strlen(f[k].function), 0);
			ck_assert_ptr_nonnull(f[k].module);
		}
	}
	hl_symbols_stats(x.symbols, &stats);
	ck_assert_uint_eq(stats.pcs,
			  stats.with_line + stats.with_function + stats.with_module + stats.unknown);
	return lines;
}

static void build(const char *flags)
{
	fx_sh("gcc %s -Wl,--build-id=none -o a a.c", flags);
}

START_TEST(a_cut_file_only_says_less)
{
	struct bytes b;
	uint64_t end;

	build("-O2 -g");
	b = read_file("a");
	end = fx_address("a", "_end");
	ck_assert_uint_gt(sweep("a", end), 0);
	for (size_t n = 0; n < b.n; n += b.n / 97) {
		write_bytes("cut", b.data, n);
		sweep("cut", end);
	}
	free(b.data);
}
END_TEST

/* Garble the named sections of DIR/a, 40 ways each. */
static void garble(const char *const *sections, uint32_t seed)
{
	struct bytes b = read_file("a"), bad = {malloc(b.n), b.n};
	uint64_t end = fx_address("a", "_end");
	unsigned found = 0;

	ck_assert_ptr_nonnull(bad.data);
	for (; *sections; sections++) {
		struct hl_elf f;
		GElf_Shdr shdr;

		ck_assert_int_eq(hl_elf_open(&f, fx_path("a")), 0);
		if (hl_elf_section(&f, *sections, SHT_NULL, &shdr)) {
			found++;
			for (int i = 0; i < 40; i++) {
				memcpy(bad.data, b.data, b.n);
				for (uint32_t k = 1 + next_random(&seed) % 16; k && shdr.sh_size; k--)
					bad.data[shdr.sh_offset + next_random(&seed) % shdr.sh_size] =
						(uint8_t)(next_random(&seed) & (k & 1 ? 0xff : 0x81));
				write_bytes("bad", bad.data, b.n);
				sweep("bad", end);
			}
		}
		hl_elf_close(&f);
	}
	ck_assert_uint_gt(found, 2);
	free(bad.data);
	free(b.data);
}

static const char *const debug_sections[] = {
	".debug_info",   ".debug_abbrev",   ".debug_line",     ".debug_str",
	".debug_ranges", ".debug_rnglists", ".debug_line_str", NULL};

START_TEST(garbled_dwarf_5_only_says_less)
{
	build("-O2 -gdwarf-5");
	garble(debug_sections, 1);
}
END_TEST

START_TEST(garbled_dwarf_4_only_says_less)
{
	build("-O2 -gdwarf-4");
	garble(debug_sections, 2);
}
END_TEST

START_TEST(garbled_tables_and_headers_only_say_less)
{
	static const char *const tables[] = {".symtab", ".strtab", ".dynsym", ".dynstr", ".shstrtab", NULL};
	struct bytes b;
	uint32_t seed = 3;
	uint64_t end;

	build("-O2 -g");
	garble(tables, 4);
	b = read_file("a");
	end = fx_address("a", "_end");
	for (int i = 0; i < 200; i++) {
		struct bytes bad = {malloc(b.n), b.n};
		size_t shoff;

		ck_assert_ptr_nonnull(bad.data);
		memcpy(bad.data, b.data, b.n);
		memcpy(&shoff, b.data + 40, sizeof(shoff));
		for (int k = 0; k < 8; k++) {
			/* the ELF header, or the section headers at the end */
			size_t at = i & 1 ? shoff + next_random(&seed) % (b.n - shoff)
					  : 4 + next_random(&seed) % 60;

			bad.data[at] = (uint8_t)next_random(&seed);
		}
		write_bytes("bad", bad.data, b.n);
		sweep("bad", end);
		free(bad.data);
	}
	free(b.data);
}
END_TEST

START_TEST(what_is_not_a_regular_file_is_not_opened)
{
	static const char *const paths[] = {"/dev/zero", "/proc/self/mem", "/", "[vdso]",
					    "",          "linux-vdso.so.1"};
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	fx_sh("mkfifo fifo && mkdir dir && ln -s dir link && ln -s loop loop && : > empty && echo text > "
	      "text");
	sweep("fifo", 1 << 20);
	sweep("dir", 1 << 20);
	sweep("link", 1 << 20);
	sweep("loop", 1 << 20);
	sweep("empty", 1 << 20);
	sweep("text", 1 << 20);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		fx_open(&x, "[vdso]", NULL);
		x.module.path = (char *)paths[i];
		fx_ask(&x, 0x123);
		ck_assert_int_eq(x.frames[0].kind, HL_FRAME_OFFSET);
		ck_assert_ptr_nonnull(strstr(x.frames[0].file, "+0x123"));
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 20);
}
END_TEST

START_TEST(a_dwo_name_that_is_a_fifo_does_not_hold_us)
{
	fx_sh("gcc -O2 -g -gsplit-dwarf -c -o a.o a.c && gcc -o a a.o && d=$(ls *.dwo) && rm $d && mkfifo "
	      "$d");
	fx_open(&x, "a", "a");
	fx_ask(&x, fx_address("a", "hl_mark_leaf"));
	ck_assert_uint_eq(x.frames[0].line, 4);
}
END_TEST

START_TEST(an_origin_that_is_its_own_origin_ends)
{
	/* two functions that say they are instances of each other, and an entry that is its own sibling */
	static const char text[] =
		".section .note.GNU-stack,\"\",@progbits\n.text\n.globl main\nmain:\n.Lb: nop\nret\n.Le:\n"
		".section .debug_abbrev,\"\",@progbits\n"
		".uleb128 1,0x11\n.byte 1\n.uleb128 0x11,1,0x12,7,0,0\n"
		".uleb128 2,0x2e\n.byte 0\n.uleb128 0x31,0x13,0x11,1,0x12,7,0,0\n"
		".uleb128 3,0x2e\n.byte 0\n.uleb128 0x47,0x13,0x01,0x13,0,0\n"
		".byte 0\n"
		".section .debug_info,\"\",@progbits\n"
		".Ls: .long .Lend-.Lv\n.Lv: .value 4\n.long 0\n.byte 8\n"
		".uleb128 1\n.quad .Lb\n.quad .Le-.Lb\n"
		".Lf: .uleb128 2\n.long .Lg-.Ls\n.quad .Lb\n.quad .Le-.Lb\n"
		".Lg: .uleb128 3\n.long .Lf-.Ls\n.long .Lg-.Ls\n"
		".byte 0\n.Lend:\n";

	fx_write("c.s", text);
	fx_sh("gcc -o c c.s");
	fx_open(&x, "c", "c");
	fx_ask(&x, fx_address("c", "main"));
	ck_assert_uint_eq(x.n, 1);
	ck_assert_str_eq(x.frames[0].file, "c!main");
}
END_TEST

/* The text of blocks of inlined functions, each inside the one before it. */
static void write_deep(const char *name, unsigned depth)
{
	FILE *f = fopen(fx_path(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(".section .note.GNU-stack,\"\",@progbits\n.text\n.globl main\nmain:\n.Lb: nop\nret\n.Le:\n"
	      ".section .debug_abbrev,\"\",@progbits\n"
	      ".uleb128 1,0x11\n.byte 1\n.uleb128 0x11,1,0x12,7,0,0\n"
	      ".uleb128 2,0x2e\n.byte 1\n.uleb128 0x03,8,0x11,1,0x12,7,0,0\n"
	      ".uleb128 3,0x1d\n.byte 1\n.uleb128 0x03,8,0x11,1,0x12,7,0,0\n"
	      ".byte 0\n"
	      ".section .debug_info,\"\",@progbits\n"
	      ".long .Lend-.Lv\n.Lv: .value 4\n.long 0\n.byte 8\n"
	      ".uleb128 1\n.quad .Lb\n.quad .Le-.Lb\n"
	      ".uleb128 2\n.string \"main\"\n.quad .Lb\n.quad .Le-.Lb\n",
	      f);
	for (unsigned i = 0; i < depth; i++)
		fputs(".uleb128 3\n.string \"in\"\n.quad .Lb\n.quad .Le-.Lb\n", f);
	for (unsigned i = 0; i < depth + 2; i++)
		fputs(".byte 0\n", f);
	fputs(".Lend:\n", f);
	fclose(f);
}

START_TEST(inlined_functions_are_followed_256_deep_and_no_deeper)
{
	write_deep("d.s", 100);
	fx_sh("gcc -o d d.s");
	fx_open(&x, "d", "d");
	fx_ask(&x, fx_address("d", "main"));
	ck_assert_uint_eq(x.n, 101);
	ck_assert_str_eq(x.frames[0].function, "in");
	ck_assert_str_eq(x.frames[100].function, "main");
	write_deep("d.s", 50000);
	fx_sh("gcc -o d d.s");
	fx_open(&x, "d", "d");
	fx_ask(&x, fx_address("d", "main"));
	ck_assert_uint_eq(x.n, 256);
	ck_assert_str_eq(x.frames[255].function, "main");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_cut_file_only_says_less,
		garbled_dwarf_5_only_says_less,
		garbled_dwarf_4_only_says_less,
		garbled_tables_and_headers_only_say_less,
		what_is_not_a_regular_file_is_not_opened,
		a_dwo_name_that_is_a_fifo_does_not_hold_us,
		an_origin_that_is_its_own_origin_ends,
		inlined_functions_are_followed_256_deep_and_no_deeper,
	};
	Suite *s = suite_create("symbols: hostile files");
	TCase *tc = tcase_create("hostile files");
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
