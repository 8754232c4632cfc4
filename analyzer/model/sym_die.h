/*
 * sym_die.h - reading DWARF entries that may be hostile.  Floor: model.
 *
 * libdw checks that what it reads is in the section, but not that a string ends there, nor how much work
 * a file can make of one question.  Both are done here.
 */
#ifndef HL_MODEL_SYM_DIE_H
#define HL_MODEL_SYM_DIE_H

#include "analyzer/model/sym_names.h"
#include <elfutils/libdw.h>

#define HL_DIE_SECTIONS 16

/* What reading needs to know of a session. */
struct hl_die_reader {
	struct hl_sym_names *names;
	/* sections that strings were seen in */
	struct hl_die_section {
		const char *start, *end;
	} sections[HL_DIE_SECTIONS];
	unsigned nsections;
	/* lowest address of code: the linker leaves what it dropped below it, mostly at 0 */
	Dwarf_Addr text;
	/* Work that may still be done, in entries and ranges looked at: for the question at hand, and
	 * for making indices of this file (of the order of its size). */
	uint64_t budget, index_budget;
};

/* NULL: not a string, or one that does not end in its section. */
const char *hl_die_string(struct hl_die_reader *r, Dwarf_Attribute *a);

/* Walk the address ranges of die: start with *at = 0, call until it returns 0 (no more). */
struct hl_die_ranges {
	ptrdiff_t at;
	Dwarf_Addr base;
};
int hl_die_next_range(struct hl_die_reader *r, Dwarf_Die *die, struct hl_die_ranges *i, Dwarf_Addr *low,
		      Dwarf_Addr *high);
/* 1: addr is in one of them; 0: it is not; -1: die has no addresses at all. */
int hl_die_holds(struct hl_die_reader *r, Dwarf_Die *die, Dwarf_Addr addr);

/* The next entry on the same level.  1: *die moved on; 0: none, or the budget is used up. */
int hl_die_next(struct hl_die_reader *r, Dwarf_Die *die);
/* 1: *child is the first child. */
int hl_die_first(struct hl_die_reader *r, Dwarf_Die *die, Dwarf_Die *child);

/* The name of a function or inlined function, found through abstract origins and specifications; NULL:
 * it has none.  scoped: in this language a name without a linker's name belongs to the namespaces and
 * classes around it. */
const struct hl_sym_name *hl_die_function(struct hl_die_reader *r, Dwarf_Die *die, int scoped);

#endif
