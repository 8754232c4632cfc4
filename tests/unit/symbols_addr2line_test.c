/*
 * symbols_addr2line_test.c - this very program, resolved by us and by addr2line of binutils.
 */
#include "tests/unit/symbols_fixture.h"
#include "analyzer/model/sym_paths.h"
#include <limits.h>

#ifdef __clang__
#define CLANG 1
#else
#define CLANG 0
#endif

enum { WANTED = 1000 };

static struct fx x;
static uint64_t addresses[WANTED];
static char self[PATH_MAX];

/* Addresses anywhere in the functions of this program. */
static unsigned choose(void)
{
	uint32_t seed = 12345;
	unsigned n = 0;
	struct hl_elf f;
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;

	elf_version(EV_CURRENT);
	ck_assert_int_eq(hl_elf_open(&f, self), 0);
	scn = hl_elf_section(&f, ".symtab", SHT_SYMTAB, &shdr);
	ck_assert_ptr_nonnull(scn);
	data = elf_getdata(scn, NULL);
	for (uint64_t i = 1, all = shdr.sh_size / shdr.sh_entsize; n < WANTED && i < 100 * WANTED; i++) {
		GElf_Sym sym;

		seed = seed * 1664525u + 1013904223u;
		ck_assert_ptr_nonnull(gelf_getsym(data, (int)((seed >> 8) % all), &sym));
		if (GELF_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_size && sym.st_shndx != SHN_UNDEF)
			addresses[n++] = sym.st_value + (seed >> 4) % sym.st_size;
	}
	hl_elf_close(&f);
	return n;
}

/* "FILE:LINE (discriminator 2)" or "FILE:?" to a normalised file and a line. */
static int parse(char *place, char *file, size_t room, uint32_t *line)
{
	char *end = strstr(place, " (discriminator"), *colon;

	if (end)
		*end = 0;
	place[strcspn(place, "\n")] = 0;
	colon = strrchr(place, ':');
	ck_assert_ptr_nonnull(colon);
	*colon = 0;
	*line = (uint32_t)strtoul(colon + 1, NULL, 10);
	hl_sym_path_normalise(file, room, place);
	return place[0] != '?' && colon[1] != '?';
}

START_TEST(our_lines_and_inlined_frames_are_those_of_addr2line)
{
	unsigned n, compared = 0, deeper = 0, wrong = 0;
	char *text = NULL;
	size_t room = 0;
	FILE *out;

	if (!fx_have("lines like addr2line's", "addr2line"))
		return;
	ck_assert_ptr_nonnull(realpath("/proc/self/exe", self));
	n = choose();
	ck_assert_uint_eq(n, WANTED);
	out = fopen(fx_path("addresses"), "w");
	ck_assert_ptr_nonnull(out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "0x%llx\n", (unsigned long long)addresses[i]);
	fclose(out);
	fx_sh("addr2line -a -i -f -e '%s' < addresses > expected", self);
	out = fopen(fx_path("expected"), "r");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_gt(getline(&text, &room, out), 0);
	fx_open(&x, self, self);
	for (unsigned i = 0; i < n; i++) {
		uint32_t frame = 0, line;
		int same = 1;

		ck_assert_uint_eq(strtoull(text, NULL, 16), addresses[i]);
		x.nodes[1] = (struct hl_node){
			.pc = addresses[i] + x.module.bias, .known = 1, .flags = HL_NODE_EXACT};
		hl_symbols_free(x.symbols);
		x.facts =
			(struct hl_facts){.nodes = x.nodes, .nnodes = 2, .modules = &x.module, .nmodules = 1};
		x.symbols = hl_symbols_new(&x.facts, &x.options);
		x.frames = hl_symbols_frames(x.symbols, 1, &x.n);
		while (getline(&text, &room, out) > 0 && strncmp(text, "0x", 2)) {
			char file[PATH_MAX];

			/* the function, then the place */
			ck_assert_int_gt(getline(&text, &room, out), 0);
			if (!parse(text, file, sizeof(file), &line))
				continue;
			if (frame < x.n)
				same &= !strcmp(file, x.frames[frame].file) && line == x.frames[frame].line;
			wrong += !frame && !same;
			frame++;
		}
		if (!frame)
			continue;
		compared++;
		deeper += !same || frame != x.n;
	}
	fclose(out);
	free(text);
	/* binutils 2.40 has its own errors: a line with the name of the calling file, the line of what was asked
	 * before (asked alone it is another), the line before a line 0, and most inlined functions of clang */
	ck_assert_uint_gt(compared, WANTED / 4);
	ck_assert_msg(wrong * 20 <= compared, "%u of %u lines differ", wrong, compared);
	ck_assert_msg(deeper * (CLANG ? 1 : 10) <= compared, "%u of %u have other frames", deeper, compared);
}
END_TEST

static void setup(void)
{
	fx_setup();
}

static void teardown(void)
{
	fx_close(&x);
	fx_remove();
}

int main(void)
{
	Suite *s = suite_create("symbols: addr2line");
	TCase *tc = tcase_create("addr2line");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, our_lines_and_inlined_frames_are_those_of_addr2line);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
