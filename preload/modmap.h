/*
 * modmap.h - which loaded module a pc belongs to, and in which generation.  Floor 2.
 *
 * Modules are entered when a pc of theirs is first seen.  An epoch is a span in which no module that we know was unmapped:
 * two modules that lie one after the other at one address are in different epochs, and a
 * stack node belongs to an epoch.
 */
#ifndef HL_PRELOAD_MODMAP_H
#define HL_PRELOAD_MODMAP_H

#include <stdint.h>

#define HL_BUILD_ID_MAX 64

struct hl_mod {
	uint64_t start, end, bias;
	uint32_t id, first_epoch;
	uint32_t build_id_bytes;
	uint8_t build_id[HL_BUILD_ID_MAX];
	const char *path; /* absolute; arena memory */
};

/* While starting. */
int hl_modmap_init(void); /* 0, or -errno */
/* Enter the module of pc if it is unknown: returns it, once, for its fact to be recorded; NULL: known already, or
 * pc is in none.  When another module lies there now, *gone is the old one and the epoch was raised. */
const struct hl_mod *hl_modmap_note(uint64_t pc, const struct hl_mod **gone);
/* The id of the module of pc, which was noted; 0: in none, or not known. */
uint32_t hl_modmap_id(uint64_t pc);
/* What hl_modmap_note returned could not be recorded: the next note of that module returns it again. */
void hl_modmap_unnote(const struct hl_mod *m);
/* Nobody with that tid enters a module any more (0: nobody at all, in a forked child). */
void hl_modmap_abandon(uint32_t tid);
/* After each hl_modmap_note: a pc of a handler that interrupted one; note it.  0: none. */
uint64_t hl_modmap_left(void);
/* After a dlclose: the modules that went, one a call, NULL: no more.  Raises the epoch:
 * the module was last mapped in the epoch before hl_guest.epoch. */
const struct hl_mod *hl_modmap_swept(uint32_t *cursor);

#endif
