/*
 * sym_symtab.h - function symbols of one file, or its variables, by address.  Floor: model.
 * Source: ELF gABI, "Symbol Table"; mapping symbols: AAELF64 and the RISC-V ELF psABI.
 */
#ifndef HL_MODEL_SYM_SYMTAB_H
#define HL_MODEL_SYM_SYMTAB_H

#include "analyzer/model/sym_spans.h"
#include <gelf.h>

struct hl_symtab {
	struct hl_sym {
		uint64_t low, high;
		const char *name; /* in the Elf it was added from */
		uint8_t rank;
	} * syms;
	size_t nsyms, room;
	int variables; /* 1: those in writable sections, instead of functions; set before the first add */
	struct hl_spans spans; /* value: index into syms */
};

/* Add the symbols of elf's section of that type (SHT_SYMTAB or SHT_DYNSYM).  The names are
 * borrowed: elf must outlive the table.  0: something was added. */
int hl_symtab_add(struct hl_symtab *t, Elf *elf, uint32_t type);
/* Once, after the last add. */
void hl_symtab_finish(struct hl_symtab *t);
/* The symbol that holds addr (its name with its @VERSION, if it has one), NULL: none.  A symbol
 * without a size reaches to the next one or to the end of its section. */
const struct hl_sym *hl_symtab_find(const struct hl_symtab *t, uint64_t addr);
void hl_symtab_release(struct hl_symtab *t);

#endif
