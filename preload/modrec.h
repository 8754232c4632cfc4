/*
 * modrec.h - the records of modules that come and go.  Floor 3.
 */
#ifndef HL_PRELOAD_MODREC_H
#define HL_PRELOAD_MODREC_H

#include "preload/nodes.h"

/* Record the module of pc when it is new.  FAILED: no slot.  MOVED: another lay there, whose end is recorded; the
 * epoch was raised, and what was known of its code is forgotten. */
enum hl_interned hl_modrec_note(struct hl_thread *t, uint64_t pc);
/* Record the modules that went since the last call. */
void hl_modrec_unloads(struct hl_thread *t);

#endif
