/*
 * sym_find.h - where the debug information of a file is kept when it is not in the file.  Floor: model.
 *
 * Sources: GDB manual, "Debugging Information in Separate Files" (build-id directories, .gnu_debuglink
 * and its CRC); DWARF 5 section 7.3.6 and dwz(1) for .gnu_debugaltlink.
 */
#ifndef HL_MODEL_SYM_FIND_H
#define HL_MODEL_SYM_FIND_H

#include "analyzer/model/sym_elf.h"

/* Where to look.  Both may be NULL. */
struct hl_sym_places {
	const char *const *debug_dirs; /* ends with NULL; as they are, then under the sysroot */
	const char *sysroot;
};

/* Open the module file itself: path under the sysroot, " (deleted)" stripped when need be.  0 or -1. */
int hl_find_module(const struct hl_sym_places *p, const char *path, struct hl_elf *f);

/* Open the debug file of a module.  id: its recorded build-id (may be none); main: the module file, its
 * elf NULL when it is absent; path: of the module.  What is found has the same build-id or, when there is
 * none, the CRC that main names.  0 or -1. */
int hl_find_debug(const struct hl_sym_places *p, const uint8_t *id, uint32_t id_bytes,
		  const struct hl_elf *main, const char *path, struct hl_elf *f);

/* Open the file that several debug files share: `name` and build-id as .gnu_debugaltlink says, found
 * beside the file `beside` when the name is relative.  0 or -1. */
int hl_find_shared(const struct hl_sym_places *p, const uint8_t *id, uint32_t id_bytes, const char *name,
		   const struct hl_elf *beside, struct hl_elf *f);

#endif
