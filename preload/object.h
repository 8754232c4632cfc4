/*
 * object.h - the loaded object that holds an address.  Floor 1.
 * By _dl_find_object (glibc 2.35: lock-free, async-signal-safe), else by dl_iterate_phdr, which takes the
 * loader's list lock for the length of the walk.
 */
#ifndef HL_PRELOAD_OBJECT_H
#define HL_PRELOAD_OBJECT_H

#include <stdint.h>

struct hl_object {
	uint64_t start, end;         /* [start, end) of its maps */
	uint64_t bias;               /* load address - linked address */
	const void *map;             /* identity: struct link_map *, or l_ld where there is none */
	const void *dynamic;         /* l_ld */
	const char *name;            /* as the loader knows it; "" the program itself */
	const uint8_t *eh_frame_hdr; /* NULL none */
};

/* Resolves symbols: while starting only. */
void hl_object_init(void);
/* 1 and *o, or 0: in no object. */
int hl_object_find(uint64_t address, struct hl_object *o);
/* The same, but only start, end and map, which are addresses: nothing of an object that another thread may unload is read. */
int hl_object_bounds(uint64_t address, struct hl_object *o);

#endif
