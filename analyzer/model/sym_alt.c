/*
 * sym_alt.c - .gnu_debugaltlink, and an empty stand-in for a file that is not there.
 *
 * Source of the layout of the stand-in: ELF gABI, "ELF Header" and "Sections".
 * Floor: model.
 */
#include "analyzer/model/sym_alt.h"
#include "analyzer/base/diag.h"
#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>

/* The least that libdw takes for DWARF: one .debug_frame section that ends at once. */
struct empty {
	Elf64_Ehdr ehdr;
	Elf64_Shdr shdr[3];
	char frame[8];
	char names[32];
};

struct hl_alt {
	struct hl_elf file;
	Dwarf *dwarf;
	struct empty image;
	Elf *empty_elf;
	Dwarf *empty;
};

static const char names[] = "\0.debug_frame\0.shstrtab";

static void make_empty(struct empty *e)
{
	memcpy(e->names, names, sizeof(names));
	e->ehdr = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(e->ehdr),
		.e_shoff = offsetof(struct empty, shdr),
		.e_shentsize = sizeof(e->shdr[0]),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	e->shdr[1] = (Elf64_Shdr){.sh_name = 1,
				  .sh_type = SHT_PROGBITS,
				  .sh_offset = offsetof(struct empty, frame),
				  .sh_size = sizeof(e->frame),
				  .sh_addralign = 1};
	e->shdr[2] = (Elf64_Shdr){.sh_name = sizeof("\0.debug_frame"),
				  .sh_type = SHT_STRTAB,
				  .sh_offset = offsetof(struct empty, names),
				  .sh_size = sizeof(names),
				  .sh_addralign = 1};
}

struct hl_alt *hl_alt_open(Dwarf *dwarf, const struct hl_elf *f, const struct hl_sym_places *places)
{
	struct hl_alt *a;
	const char *name;
	const void *id;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);

	if (n <= 0)
		return NULL;
	a = hl_xcalloc(1, sizeof(*a));
	a->file.fd = -1;
	make_empty(&a->image);
	a->empty_elf = elf_memory((char *)&a->image, sizeof(a->image));
	a->empty = a->empty_elf ? dwarf_begin_elf(a->empty_elf, DWARF_C_READ, NULL) : NULL;
	if (n <= HL_BUILD_ID_MAX && hl_find_shared(places, id, (uint32_t)n, name, f, &a->file) == 0)
		a->dwarf = dwarf_begin_elf(a->file.elf, DWARF_C_READ, NULL);
	if (a->dwarf) {
		hl_elf_end_strings(&a->file);
		dwarf_setalt(a->dwarf, a->empty);
	}
	hl_elf_detach(&a->file);
	dwarf_setalt(dwarf, a->dwarf ? a->dwarf : a->empty);
	return a;
}

void hl_alt_close(struct hl_alt *a)
{
	if (!a)
		return;
	if (a->dwarf)
		dwarf_end(a->dwarf);
	hl_elf_close(&a->file);
	if (a->empty)
		dwarf_end(a->empty);
	if (a->empty_elf)
		elf_end(a->empty_elf);
	free(a);
}
