/*
 * sym_split.h - units whose functions are in a .dwo file.  Floor: model.
 */
#ifndef HL_MODEL_SYM_SPLIT_H
#define HL_MODEL_SYM_SPLIT_H

#include "analyzer/model/sym_die.h"
#include "analyzer/model/sym_find.h"

/* Set *code to the unit in the .dwo file that the skeleton unit names; leave it alone when there is none.
 * beside: directory of the file, "" unknown. */
void hl_split_find(Dwarf_CU *cu, Dwarf_Die *skeleton, struct hl_die_reader *r,
		   const struct hl_sym_places *places, const char *beside, Dwarf_Die *code);

#endif
