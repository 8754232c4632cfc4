/*
 * sym_dwarf.h - the DWARF of one file: an address to functions and lines.  Floor: model.
 *
 * Sources: DWARF 5 sections 2.17 (addresses), 3.3.8 (inlined subroutines), 6.2 (lines); DWARF 4 alike;
 * 7.3.2 (split files).
 */
#ifndef HL_MODEL_SYM_DWARF_H
#define HL_MODEL_SYM_DWARF_H

#include "analyzer/model/sym_find.h"
#include "analyzer/model/sym_names.h"

struct hl_dwarf_frame {
	const char *function; /* interned, NULL: unknown */
	const char *file;     /* interned, normalised and mapped; NULL: no line information */
	uint32_t line;
	uint8_t allocator;
};

#define HL_DWARF_INLINES_MAX 256

struct hl_dwarf;

/* What sessions share. */
struct hl_dwarf_options {
	const struct hl_sym_places *places;
	const char *const *path_maps;
	struct hl_intern *intern;
	int variables; /* not of DWARF: symbols of variables are wanted, too (elfmod.h) */
};

/* Read the DWARF of f; f must outlive it, its descriptor need not.  NULL: it has none, or it is broken.
 * names: of the module. */
struct hl_dwarf *hl_dwarf_open(struct hl_elf *f, const struct hl_dwarf_options *o,
			       struct hl_sym_names *names);
void hl_dwarf_close(struct hl_dwarf *d);

/* Frames at addr (as the file counts addresses), innermost first: all but the last are inlined into the
 * one after them.  Returns how many of out were filled; 0: nothing is known. */
unsigned hl_dwarf_frames(struct hl_dwarf *d, uint64_t addr, struct hl_dwarf_frame *out, unsigned max);

#endif
