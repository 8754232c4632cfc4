/*
 * sym_elf.h - an ELF file opened with care: a regular file, its build-id known.  Floor: model.
 *
 * Data is read, not mapped: a file that is cut or overwritten while it is open gives short reads
 * (an absent section), where a mapping would give SIGBUS.
 */
#ifndef HL_MODEL_SYM_ELF_H
#define HL_MODEL_SYM_ELF_H

#include <gelf.h>
#include <stdint.h>
#include <sys/types.h>

#define HL_BUILD_ID_MAX 64

struct hl_elf {
	Elf *elf; /* NULL: not open */
	int fd;   /* -1 after hl_elf_detach */
	dev_t dev;
	ino_t ino;
	uint8_t build_id[HL_BUILD_ID_MAX];
	uint32_t build_id_bytes; /* 0: none */
};

/* Open an executable or shared object (or its debug file).  0, or -1 with *f closed: missing, not a
 * regular file, not such an ELF file. */
int hl_elf_open(struct hl_elf *f, const char *path);
/* Everything needed was read: give the descriptor back. */
void hl_elf_detach(struct hl_elf *f);
void hl_elf_close(struct hl_elf *f);

/* The same build-id?  Two absent ones are the same. */
int hl_elf_same_build(const struct hl_elf *f, const uint8_t *id, uint32_t bytes);
/* The section of that name and type (SHT_NULL: any but SHT_NOBITS), NULL: none. */
Elf_Scn *hl_elf_section(const struct hl_elf *f, const char *name, uint32_t type, GElf_Shdr *shdr);
/* libdw takes it that string sections end with a NUL: see that they do.  After dwarf_begin_elf. */
void hl_elf_end_strings(const struct hl_elf *f);
/* The directory the open file is in, links followed, with its final '/'; "" when unknown. */
void hl_elf_directory(const struct hl_elf *f, char *dir, size_t room);

#endif
