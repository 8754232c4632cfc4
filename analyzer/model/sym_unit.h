/*
 * sym_unit.h - one compilation unit: its functions by address.  Floor: model.
 */
#ifndef HL_MODEL_SYM_UNIT_H
#define HL_MODEL_SYM_UNIT_H

#include "analyzer/model/sym_die.h"
#include "analyzer/model/sym_spans.h"

struct hl_sym_unit {
	Dwarf_Die die;   /* with the line table */
	Dwarf_Die code;  /* with the functions: the same, or of a .dwo file */
	uint8_t indexed; /* 0: not yet; 1: functions of the unit and its namespaces; 2: nested ones too */
	uint8_t scoped;  /* see hl_die_function */
	struct hl_spans functions; /* value: offset of the entry in its .debug_info */
};

/* die: of a compile or skeleton unit; code: see above. */
void hl_sym_unit_init(struct hl_sym_unit *u, const Dwarf_Die *die, const Dwarf_Die *code);
void hl_sym_unit_release(struct hl_sym_unit *u);

/* Index the functions now (otherwise done by the first find). */
void hl_sym_unit_index(struct hl_sym_unit *u, struct hl_die_reader *r);
/* The function that holds addr.  1: found. */
int hl_sym_unit_find(struct hl_sym_unit *u, struct hl_die_reader *r, Dwarf_Addr addr, Dwarf_Die *function);

/* chain[0] = function; then, each inlined into the one before it, the inlined functions that hold addr.
 * Returns how many there are, at most max >= 1. */
unsigned hl_sym_unit_inlines(struct hl_die_reader *r, const Dwarf_Die *function, Dwarf_Addr addr,
			     Dwarf_Die *chain, unsigned max);

#endif
