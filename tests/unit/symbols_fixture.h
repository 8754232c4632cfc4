/*
 * symbols_fixture.h - small programs built when the test runs, and questions about their addresses.
 *
 * A fixture marks the places it is asked about with labels (hl_mark_NAME) that its copy with symbols has.
 */
#ifndef TESTS_SYMBOLS_FIXTURE_H
#define TESTS_SYMBOLS_FIXTURE_H

#include "analyzer/model/sym_elf.h"
#include "analyzer/model/symbols.h"
#include <check.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FX_BIAS 0x7f1234560000ull

static char fx_directory[256];

/* The lines that the tests expect are counted here. */
static const char fx_c[] = "#include <stdlib.h>\n"
			   "static inline __attribute__((always_inline)) int leaf(int x)\n"
			   "{\n"
			   "	__asm__ volatile(\"hl_mark_leaf: nop\");\n" /* 4 */
			   "	return x + 1;\n"
			   "}\n"
			   "static inline __attribute__((always_inline)) int middle(int x)\n"
			   "{\n"
			   "	return leaf(x) * 2;\n" /* 9 */
			   "}\n"
			   "__attribute__((noinline)) int outer(int x)\n"
			   "{\n"
			   "	return middle(x) + 3;\n" /* 13 */
			   "}\n"
			   "static __attribute__((noinline)) int hidden(int x)\n"
			   "{\n"
			   "	__asm__ volatile(\"nop; hl_mark_hidden: nop\");\n" /* 17 */
			   "	return x + 5;\n"
			   "}\n"
			   "#ifndef LIBRARY\n"
			   "int main(int argc, char **argv)\n"
			   "{\n"
			   "	(void)argv;\n"
			   "	return outer(argc) + hidden(argc);\n"
			   "}\n"
			   "#else\n"
			   "int entry(int x)\n"
			   "{\n"
			   "	return outer(x) + hidden(x);\n"
			   "}\n"
			   "#endif\n";

static const char fx_cc[] = "namespace shop {\n"
			    "template <class T> struct Box {\n"
			    "	T v;\n"
			    "	__attribute__((noinline)) T get(T x)\n"
			    "	{\n"
			    "		__asm__ volatile(\"hl_mark_box: nop\");\n" /* 6 */
			    "		return x + v;\n"
			    "	}\n"
			    "};\n"
			    "}\n"
			    "namespace {\n"
			    "struct Local {\n"
			    "	static __attribute__((noinline)) int quiet(int x)\n"
			    "	{\n"
			    "		__asm__ volatile(\"hl_mark_quiet: nop\");\n" /* 15 */
			    "		return x;\n"
			    "	}\n"
			    "};\n"
			    "}\n"
			    "int main(int argc, char **)\n"
			    "{\n"
			    "	shop::Box<int> b{argc};\n"
			    "	return b.get(3) + Local::quiet(argc);\n"
			    "}\n";

/* One module and one node at a time. */
struct fx {
	struct hl_module module;
	struct hl_node nodes[2];
	struct hl_facts facts;
	struct hl_symbol_options options;
	struct hl_symbols *symbols;
	const struct hl_frame *frames;
	uint32_t n;
};
/* "DIR/name", of 64 at a time. */
static inline const char *fx_path(const char *name)
{
	static char paths[64][PATH_MAX + 512];
	static unsigned at;
	char *path = paths[at++ % 64];

	snprintf(path, sizeof(paths[0]), "%s/%s", fx_directory, name);
	return path;
}

static inline void fx_write(const char *name, const char *text)
{
	FILE *f = fopen(fx_path(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* Make the directory of this test, with its sources a.c and a.cc in it. */
static inline void fx_setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(fx_directory, sizeof(fx_directory), "%s/hl-symbols-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(fx_directory));
	fx_write("a.c", fx_c);
	fx_write("a.cc", fx_cc);
}

static inline void fx_remove(void)
{
	char command[300];

	if (!fx_directory[0])
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", fx_directory);
	if (system(command) != 0)
		fprintf(stderr, "%s is left behind\n", fx_directory);
	fx_directory[0] = 0;
}

/* Run a shell command in it, printf-style; it must succeed. */
__attribute__((format(printf, 1, 2))) static inline void fx_sh(const char *fmt, ...)
{
	char command[4096];
	int n = snprintf(command, sizeof(command), "cd '%s' && ", fx_directory);
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, ap);
	va_end(ap);
	status = system(command);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %d", command, status);
}

/* 1: all of the space-separated commands are installed; else a line SKIP: test: reason is printed. */
static inline int fx_have(const char *test, const char *commands)
{
	char list[256], command[300];

	snprintf(list, sizeof(list), "%s", commands);
	for (char *name = strtok(list, " "); name; name = strtok(NULL, " ")) {
		snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name);
		if (system(command) == 0)
			continue;
		printf("SKIP: %s: %s is not installed\n", test, name);
		fflush(stdout);
		return 0;
	}
	return 1;
}

/* The address of a symbol of DIR/name. */
static inline uint64_t fx_address(const char *name, const char *symbol)
{
	uint64_t addr = 0;
	struct hl_elf f;
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;

	elf_version(EV_CURRENT);
	ck_assert_int_eq(hl_elf_open(&f, fx_path(name)), 0);
	scn = hl_elf_section(&f, ".symtab", SHT_SYMTAB, &shdr);
	ck_assert_ptr_nonnull(scn);
	data = elf_getdata(scn, NULL);
	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < shdr.sh_size / shdr.sh_entsize; i++) {
		GElf_Sym sym;

		ck_assert_ptr_nonnull(gelf_getsym(data, (int)i, &sym));
		if (!strcmp(elf_strptr(f.elf, shdr.sh_link, sym.st_name), symbol))
			addr = sym.st_value;
	}
	hl_elf_close(&f);
	ck_assert_msg(addr != 0, "no %s in %s", symbol, name);
	return addr;
}

/* DIR/file is (or was) mapped with the build-id that DIR/built has now (NULL: none). */
static inline void fx_open(struct fx *x, const char *file, const char *built)
{
	static char path[PATH_MAX + 512];
	struct hl_elf f;

	hl_symbols_free(x->symbols);
	*x = (struct fx){.options.inlines = 1};
	snprintf(path, sizeof(path), "%s", file[0] == '/' || file[0] == '[' ? file : fx_path(file));
	x->module = (struct hl_module){.start = FX_BIAS,
				       .end = FX_BIAS + (1u << 30),
				       .bias = FX_BIAS,
				       .last_epoch = UINT32_MAX,
				       .path = path};
	if (built) {
		elf_version(EV_CURRENT);
		ck_assert_int_eq(hl_elf_open(&f, built[0] == '/' ? built : fx_path(built)), 0);
		memcpy(x->module.build_id, f.build_id, f.build_id_bytes);
		x->module.build_id_bytes = f.build_id_bytes;
		hl_elf_close(&f);
	}
}

/* Ask for the return address of a call whose last byte is at addr (in the file). */
static inline void fx_ask(struct fx *x, uint64_t addr)
{
	if (x->symbols)
		hl_symbols_free(x->symbols);
	x->nodes[1] = (struct hl_node){.pc = addr + FX_BIAS + 1, .known = 1};
	x->facts = (struct hl_facts){.nodes = x->nodes, .nnodes = 2, .modules = &x->module, .nmodules = 1};
	x->symbols = hl_symbols_new(&x->facts, &x->options);
	x->frames = hl_symbols_frames(x->symbols, 1, &x->n);
	ck_assert_uint_ge(x->n, 1);
}

static inline void fx_close(struct fx *x)
{
	hl_symbols_free(x->symbols);
	x->symbols = NULL;
}

/* Frame i is FUNCTION at DIR/file:line. */
static inline void fx_expect(const struct fx *x, uint32_t i, const char *function, const char *file,
			     uint32_t line)
{
	ck_assert_uint_lt(i, x->n);
	ck_assert_str_eq(x->frames[i].function, function);
	ck_assert_str_eq(x->frames[i].file, fx_path(file));
	ck_assert_uint_eq(x->frames[i].line, line);
	ck_assert_int_eq(x->frames[i].kind, HL_FRAME_LINE);
	ck_assert_int_eq(x->frames[i].inlined, i + 1 < x->n);
	ck_assert_str_eq(x->frames[i].module, x->module.path);
}

/* The three frames of hl_mark_leaf in a.c. */
static inline void fx_expect_leaf(const struct fx *x)
{
	ck_assert_uint_eq(x->n, 3);
	fx_expect(x, 0, "leaf", "a.c", 4);
	fx_expect(x, 1, "middle", "a.c", 9);
	fx_expect(x, 2, "outer", "a.c", 13);
}

#endif
