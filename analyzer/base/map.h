/*
 * map.h - hash map from a 64-bit key to a non-zero 32-bit index.  Floor: base.  Not thread-safe.
 *
 * Open addressing, linear probing, deletion by shifting back: no tombstones, so a map that lives as
 * long as a trace does not slow down.  The hash is seeded at random per map, because keys come from
 * traces and nobody shall be able to choose keys that collide.  Hence no iteration: its order would
 * differ from run to run.
 */
#ifndef HL_BASE_MAP_H
#define HL_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct hl_map_entry {
	uint64_t key;
	uint32_t value; /* 0: empty */
};

struct hl_map {
	struct hl_map_entry *entries;
	uint64_t seed;
	size_t mask, count, limit;
	unsigned shift;
};

void hl_map_init(struct hl_map *m);
void hl_map_release(struct hl_map *m);
/* Forget all keys, keep the memory. */
void hl_map_clear(struct hl_map *m);
void hl_map_grow(struct hl_map *m);

static inline size_t hl_map_home(const struct hl_map *m, uint64_t key)
{
	uint64_t h = (key ^ m->seed) * 0x9e3779b97f4a7c15ull;

	h ^= h >> 32;
	return (size_t)(h * 0xd6e8feb86659fd93ull >> m->shift);
}

static inline void hl_map_prefetch(const struct hl_map *m, uint64_t key)
{
	__builtin_prefetch(&m->entries[hl_map_home(m, key)], 1);
}

/* The value of key, 0: none. */
static inline uint32_t hl_map_get(const struct hl_map *m, uint64_t key)
{
	for (size_t i = hl_map_home(m, key);; i = (i + 1) & m->mask) {
		const struct hl_map_entry *e = &m->entries[i];

		if (!e->value || e->key == key)
			return e->value;
	}
}

/* Where the value of key is; 0 there: it is new, and the caller sets it before the next call. */
static inline uint32_t *hl_map_slot(struct hl_map *m, uint64_t key)
{
	if (m->count >= m->limit)
		hl_map_grow(m);
	for (size_t i = hl_map_home(m, key);; i = (i + 1) & m->mask) {
		struct hl_map_entry *e = &m->entries[i];

		if (e->value && e->key == key)
			return &e->value;
		if (!e->value) {
			e->key = key;
			m->count++;
			return &e->value;
		}
	}
}

static inline void hl_map_put(struct hl_map *m, uint64_t key, uint32_t value)
{
	*hl_map_slot(m, key) = value;
}

/* Remove key; its value, 0: it was not there. */
uint32_t hl_map_remove(struct hl_map *m, uint64_t key);

#endif
