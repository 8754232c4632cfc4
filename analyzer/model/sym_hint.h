/*
 * sym_hint.h - what to install or rebuild to see more lines.  Floor: model.
 */
#ifndef HL_MODEL_SYM_HINT_H
#define HL_MODEL_SYM_HINT_H

#include "analyzer/model/elfmod.h"

/* One line about the module whose file cost most lines, "" when that is not worth a word: less than a
 * tenth of all pcs.  A file that was replaced since the trace was made is always worth one. */
void hl_sym_hint(char *out, size_t room, struct hl_elfmod *const *mods, size_t nmods, uint64_t pcs);

#endif
