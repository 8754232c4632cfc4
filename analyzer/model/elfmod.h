/*
 * elfmod.h - one executable or shared object of the traced program: an address to its frames.
 * Floor: model.
 *
 * Opened at the first question; everything that can be missing or broken may be, frames then say less.
 */
#ifndef HL_MODEL_ELFMOD_H
#define HL_MODEL_ELFMOD_H

#include "analyzer/model/sym_dwarf.h"
#include "analyzer/model/symbols.h"

/* What has become of the file that was mapped. */
enum hl_elfmod_state {
	HL_ELFMOD_UNOPENED,
	HL_ELFMOD_PRESENT,
	HL_ELFMOD_MISSING, /* or not readable, not regular, not ELF */
	HL_ELFMOD_CHANGED, /* another build is there now */
	HL_ELFMOD_NO_FILE  /* never was one: the vDSO */
};

#define HL_ELFMOD_FRAMES_MAX HL_DWARF_INLINES_MAX

struct hl_elfmod {
	const char *path;   /* interned, as recorded */
	const char *module; /* interned: its base name, without " (deleted)" */
	uint8_t build_id[HL_BUILD_ID_MAX];
	uint32_t build_id_bytes;
	enum hl_elfmod_state state;
	uint64_t pcs, without_line; /* counted by the caller */
	struct hl_map cache;        /* the caller's: address to index */
	struct hl_elfmod_files *files;
	struct hl_sym_names names;
	const struct hl_dwarf_options *options;
};

/* path is interned in o->intern; o must outlive the module. */
struct hl_elfmod *hl_elfmod_new(const struct hl_dwarf_options *o, const char *path, const uint8_t *build_id,
				uint32_t build_id_bytes);
void hl_elfmod_free(struct hl_elfmod *m);

/* Frames at addr, as the file counts addresses (pc - bias).  Innermost first, at least one, at most
 * HL_ELFMOD_FRAMES_MAX.  Strings are interned. */
unsigned hl_elfmod_frames(struct hl_elfmod *m, uint64_t addr, struct hl_frame *out);
/* The variable at addr, interned, and how far into it; NULL: none is known. */
const char *hl_elfmod_variable(struct hl_elfmod *m, uint64_t addr, uint64_t *offset);

#endif
