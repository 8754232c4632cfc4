/*
 * idset.c - open addressing, linear probing, at most half full.  Floor: analysis.
 */
#include "analyzer/analysis/idset.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

/* pos counts from the home slot, so that a scan needs no state but it. */
uint32_t hl_idset_next(const struct hl_idset *s, uint64_t hash, size_t *pos)
{
	if (!s->slots)
		return HL_ID_NONE;
	for (;;) {
		const struct hl_idslot *slot = &s->slots[(hash + (*pos)++) & s->mask];

		if (!slot->id1)
			return HL_ID_NONE;
		if (slot->hash == hash)
			return slot->id1 - 1;
	}
}

static void set_put(struct hl_idset *s, uint64_t hash, uint32_t id1)
{
	size_t i = hash & s->mask;

	while (s->slots[i].id1)
		i = (i + 1) & s->mask;
	s->slots[i] = (struct hl_idslot){hash, id1};
}

static void set_grow(struct hl_idset *s)
{
	struct hl_idslot *old = s->slots;
	size_t n = old ? s->mask + 1 : 0;

	s->mask = n ? n * 2 - 1 : 63;
	s->slots = hl_xcalloc(s->mask + 1, sizeof(*s->slots));
	for (size_t i = 0; i < n; i++)
		if (old[i].id1)
			set_put(s, old[i].hash, old[i].id1);
	free(old);
}

void hl_idset_add(struct hl_idset *s, uint64_t hash, uint32_t id)
{
	if (!s->slots || s->n * 2 > s->mask)
		set_grow(s);
	set_put(s, hash, id + 1);
	s->n++;
}

void hl_idset_release(struct hl_idset *s)
{
	free(s->slots);
	*s = (struct hl_idset){0};
}

void hl_idmap_add(struct hl_idmap *m, uint64_t key, uint32_t id)
{
	if (!m->map.entries)
		hl_map_init(&m->map);
	hl_map_put(&m->map, key, id + 1);
}

void hl_idmap_release(struct hl_idmap *m)
{
	if (m->map.entries)
		hl_map_release(&m->map);
	*m = (struct hl_idmap){0};
}

/* FNV-1a, then mixed: tables use the low bits. */
uint64_t hl_hash_bytes(const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	return hl_mix(h);
}
