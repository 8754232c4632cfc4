/*
 * idset.h - hash tables over ids that index somebody's array.  Floor: analysis.
 *
 * hl_idset finds an id by its hash, the caller compares: for strings, frames, rows.
 * hl_idmap maps a 64-bit key to an id: for the path that runs once per event.
 * Both only grow; ids are below UINT32_MAX.  Not thread-safe.
 */
#ifndef HL_ANALYSIS_IDSET_H
#define HL_ANALYSIS_IDSET_H

#include "analyzer/base/buf.h"
#include "analyzer/base/map.h"
#include <stddef.h>
#include <stdint.h>

#define HL_ID_NONE UINT32_MAX

struct hl_idset {
	struct hl_idslot {
		uint64_t hash;
		uint32_t id1; /* id + 1, 0 empty */
	} * slots;
	size_t mask, n; /* slots - 1, used */
};

/* Iterate over the candidates of a hash: start with *pos = 0; HL_ID_NONE after the last. */
uint32_t hl_idset_next(const struct hl_idset *s, uint64_t hash, size_t *pos);
/* Add an id that is not in it. */
void hl_idset_add(struct hl_idset *s, uint64_t hash, uint32_t id);
void hl_idset_release(struct hl_idset *s);

/* Zeroes: empty. */
struct hl_idmap {
	struct hl_map map; /* value: id + 1 */
};

static inline uint64_t hl_mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15ull;
	return x ^ x >> 32;
}

/* The id of key, HL_ID_NONE when it has none. */
static inline uint32_t hl_idmap_find(const struct hl_idmap *m, uint64_t key)
{
	return m->map.entries ? hl_map_get(&m->map, key) - 1 : HL_ID_NONE;
}

/* Add a key that is not in it. */
void hl_idmap_add(struct hl_idmap *m, uint64_t key, uint32_t id);
void hl_idmap_release(struct hl_idmap *m);

uint64_t hl_hash_bytes(const void *p, size_t n);

#endif
