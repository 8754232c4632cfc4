/*
 * sym_alt.h - the file that dwz moved to what several debug files have in common.  Floor: model.
 */
#ifndef HL_MODEL_SYM_ALT_H
#define HL_MODEL_SYM_ALT_H

#include "analyzer/model/sym_find.h"
#include <elfutils/libdw.h>

struct hl_alt;
/* Give dwarf (of file f) its shared file, or an empty one in its place: left alone, libdw would look for
 * it by itself and open whatever has its name.  To be closed after dwarf. */
struct hl_alt *hl_alt_open(Dwarf *dwarf, const struct hl_elf *f, const struct hl_sym_places *places);
void hl_alt_close(struct hl_alt *a);

#endif
