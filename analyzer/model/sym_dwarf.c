/*
 * sym_dwarf.c - a session: units by address, file names, and the answer to one address.
 *
 * Units are indexed by the ranges that each states of itself, not by .debug_aranges, which clang does not
 * write and assembler files often lack.
 * Floor: model.
 */
#include "analyzer/model/sym_dwarf.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include "analyzer/model/sym_alt.h"
#include "analyzer/model/sym_paths.h"
#include "analyzer/model/sym_split.h"
#include "analyzer/model/sym_unit.h"
#include <dwarf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_BUDGET (1u << 21) /* for one address, and for each name */
#define HARD_QUESTIONS  32         /* that used up theirs: then no more inlined functions, no more scopes */

struct hl_dwarf {
	const struct hl_dwarf_options *options;
	Dwarf *dwarf;
	struct hl_alt *alt;
	struct hl_die_reader reader;
	struct hl_sym_unit *units;
	size_t nunits, room;
	struct hl_spans by_address; /* value: index into units */
	struct hl_map files;        /* address of libdw's name to index + 1 */
	const char **file_names;    /* interned */
	size_t nfiles, files_room;
	unsigned hard;
};

/* Every entry is a byte at least; see what hl_die_next takes for walking over children. */
static uint64_t index_budget(Elf *elf)
{
	static const char *const names[] = {".debug_info", ".debug_ranges", ".debug_rnglists",
					    ".debug_info.dwo", ".debug_rnglists.dwo"};
	const struct hl_elf f = {.elf = elf};
	uint64_t bytes = 1u << 16;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		GElf_Shdr shdr;
		Elf_Scn *scn = hl_elf_section(&f, names[i], SHT_NULL, &shdr);
		Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;

		bytes += data ? data->d_size : 0;
	}
	return bytes * 4;
}

static void add_unit(struct hl_dwarf *d, Dwarf_CU *cu, Dwarf_Die *die, int skeleton, const char *beside)
{
	struct hl_die_ranges i = {0};
	Dwarf_Addr low, high;
	Dwarf_Die code = *die;
	struct hl_sym_unit *u;
	int any = 0;

	if (skeleton)
		hl_split_find(cu, die, &d->reader, d->options->places, beside, &code);
	if (code.cu != die->cu)
		d->reader.index_budget += index_budget(dwarf_getelf(dwarf_cu_getdwarf(code.cu)));
	d->units = hl_grow(d->units, &d->room, d->nunits + 1, sizeof(*d->units));
	u = &d->units[d->nunits];
	hl_sym_unit_init(u, die, &code);
	d->reader.budget = d->reader.index_budget;
	while (hl_die_next_range(&d->reader, die, &i, &low, &high)) {
		if (low >= d->reader.text)
			hl_spans_add(&d->by_address, low, high, d->nunits);
		any = 1;
	}
	d->reader.index_budget = d->reader.budget;
	if (!any) {
		/* it does not say where it is: ask its functions */
		hl_sym_unit_index(u, &d->reader);
		for (size_t k = 0; k < u->functions.n; k++)
			hl_spans_add(&d->by_address, u->functions.v[k].low, u->functions.v[k].high,
				     d->nunits);
	}
	d->nunits++;
}

static void index_units(struct hl_dwarf *d, const struct hl_elf *f)
{
	Dwarf_CU *cu = NULL, *next;
	uint8_t type;
	Dwarf_Die die;
	char beside[PATH_MAX];

	hl_elf_directory(f, beside, sizeof(beside));
	d->reader.index_budget = index_budget(f->elf);
	while (d->nunits < UINT32_MAX && dwarf_get_units(d->dwarf, cu, &next, NULL, &type, &die, NULL) == 0) {
		if (next == cu)
			break;
		cu = next;
		if (die.addr && (type == DW_UT_compile || type == DW_UT_skeleton))
			add_unit(d, cu, &die, type == DW_UT_skeleton, beside);
	}
	hl_spans_sort(&d->by_address);
}

static Dwarf_Addr lowest_code(const struct hl_elf *f)
{
	Dwarf_Addr low = UINT64_MAX;
	GElf_Shdr shdr;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(f->elf, scn));)
		if (gelf_getshdr(scn, &shdr) && shdr.sh_flags & SHF_EXECINSTR && shdr.sh_flags & SHF_ALLOC &&
		    shdr.sh_addr < low)
			low = shdr.sh_addr;
	return low == UINT64_MAX ? 0 : low;
}

struct hl_dwarf *hl_dwarf_open(struct hl_elf *f, const struct hl_dwarf_options *o, struct hl_sym_names *names)
{
	struct hl_dwarf *d = hl_xcalloc(1, sizeof(*d));

	d->options = o;
	d->reader = (struct hl_die_reader){.names = names, .text = lowest_code(f)};
	hl_map_init(&d->files);
	d->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	if (!d->dwarf)
		goto none;
	hl_elf_end_strings(f);
	d->alt = hl_alt_open(d->dwarf, f, o->places);
	index_units(d, f);
	if (!d->nunits)
		goto none;
	return d;
none:
	hl_dwarf_close(d);
	return NULL;
}

void hl_dwarf_close(struct hl_dwarf *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nunits; i++)
		hl_sym_unit_release(&d->units[i]);
	free(d->units);
	hl_spans_release(&d->by_address);
	hl_map_release(&d->files);
	free(d->file_names);
	if (d->dwarf)
		dwarf_end(d->dwarf);
	hl_alt_close(d->alt);
	free(d);
}

/* libdw's name of a file stays where it is.  Its directory is in front of it already, but for DWARF 5 that
 * may be a relative one, which means: below the compilation directory. */
static const char *file_name(struct hl_dwarf *d, struct hl_sym_unit *u, const char *raw)
{
	char joined[PATH_MAX], normal[PATH_MAX], mapped[PATH_MAX];
	const char *dir = NULL;
	Dwarf_Attribute a;
	uint32_t *known;

	if (!raw || !*raw)
		return NULL;
	known = hl_map_slot(&d->files, (uintptr_t)raw);
	if (*known)
		return d->file_names[*known - 1];
	if (raw[0] != '/' && dwarf_attr(&u->die, DW_AT_comp_dir, &a))
		dir = hl_die_string(&d->reader, &a);
	/* directory 0 is the compilation directory itself: when that is relative it is there already */
	if (dir && dir[0] != '/' && !strncmp(raw, dir, strlen(dir)) && raw[strlen(dir)] == '/')
		dir = NULL;
	snprintf(joined, sizeof(joined), "%s%s%s", dir ? dir : "", dir ? "/" : "", raw);
	hl_sym_path_normalise(normal, sizeof(normal), joined);
	d->file_names = hl_grow(d->file_names, &d->files_room, d->nfiles + 1, sizeof(*d->file_names));
	d->file_names[d->nfiles++] = hl_intern_string(
		d->options->intern, hl_sym_path_map(mapped, sizeof(mapped), normal, d->options->path_maps));
	*known = (uint32_t)d->nfiles;
	return d->file_names[*known - 1];
}

static int number_of(Dwarf_Die *die, unsigned name, uint64_t *v)
{
	Dwarf_Attribute a;
	Dwarf_Word w;

	if (!dwarf_attr(die, name, &a) || dwarf_formudata(&a, &w) != 0)
		return 0;
	*v = w;
	return 1;
}

/* Where the function of `inlined` was called. */
static void call_place(struct hl_dwarf *d, struct hl_sym_unit *u, Dwarf_Die *inlined,
		       struct hl_dwarf_frame *f)
{
	Dwarf_Files *files;
	uint64_t file, line;

	if (!number_of(inlined, DW_AT_call_file, &file) || dwarf_getsrcfiles(&u->code, &files, NULL) != 0)
		return;
	f->file = file_name(d, u, dwarf_filesrc(files, file, NULL, NULL));
	if (f->file && number_of(inlined, DW_AT_call_line, &line) && line <= UINT32_MAX)
		f->line = (uint32_t)line;
}

static void line_place(struct hl_dwarf *d, struct hl_sym_unit *u, uint64_t addr, struct hl_dwarf_frame *f)
{
	Dwarf_Line *row = dwarf_getsrc_die(&u->die, addr);
	int line;

	if (!row)
		return;
	f->file = file_name(d, u, dwarf_linesrc(row, NULL, NULL));
	if (f->file && dwarf_lineno(row, &line) == 0 && line > 0)
		f->line = (uint32_t)line;
}

unsigned hl_dwarf_frames(struct hl_dwarf *d, uint64_t addr, struct hl_dwarf_frame *out, unsigned max)
{
	const struct hl_span *at = hl_spans_find(&d->by_address, addr);
	Dwarf_Die chain[HL_DWARF_INLINES_MAX];
	struct hl_sym_unit *u;
	unsigned n = 1;
	int found;

	if (!at || !max)
		return 0;
	u = &d->units[at->value];
	if (max > HL_DWARF_INLINES_MAX)
		max = HL_DWARF_INLINES_MAX;
	d->reader.budget = QUESTION_BUDGET;
	found = hl_sym_unit_find(u, &d->reader, addr, &chain[0]);
	if (found && d->hard < HARD_QUESTIONS)
		n = hl_sym_unit_inlines(&d->reader, &chain[0], addr, chain, max);
	memset(out, 0, n * sizeof(*out));
	line_place(d, u, addr, &out[0]);
	for (unsigned i = 0; i < n && found; i++) {
		/* innermost first, the chain is outermost first */
		Dwarf_Die *die = &chain[n - 1 - i];
		const struct hl_sym_name *name;

		d->hard += !d->reader.budget;
		d->reader.budget = QUESTION_BUDGET;
		name = hl_die_function(&d->reader, die, u->scoped && d->hard < HARD_QUESTIONS);
		if (name) {
			out[i].function = name->text;
			out[i].allocator = name->allocator;
		}
		if (i + 1 < n)
			call_place(d, u, die, &out[i + 1]);
	}
	d->hard += !d->reader.budget;
	return found || out[0].file ? n : 0;
}
