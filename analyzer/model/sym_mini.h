/*
 * sym_mini.h - the symbol table that some distributions leave, compressed, in stripped files.
 * Floor: model.  Source: GDB manual, "Debugging information in a special section" (.gnu_debugdata).
 */
#ifndef HL_MODEL_SYM_MINI_H
#define HL_MODEL_SYM_MINI_H

#include "analyzer/model/sym_elf.h"

struct hl_sym_mini;
/* The ELF file inside f's .gnu_debugdata, NULL: none, or damaged. */
struct hl_sym_mini *hl_sym_mini_open(const struct hl_elf *f);
/* Borrowed; valid until the close. */
Elf *hl_sym_mini_elf(const struct hl_sym_mini *m);
void hl_sym_mini_close(struct hl_sym_mini *m);

#endif
