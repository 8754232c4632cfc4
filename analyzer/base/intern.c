/*
 * intern.c - a hash table of strings kept in large pieces of memory.
 *
 * The map leads from a string's hash to the last entry that has this hash; the others are chained to it.
 * The hash is seeded, because names come from files of anybody.  Strings are never removed, which is what
 * makes their addresses their identity.
 * Floor: base.
 */
#include "analyzer/base/intern.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include "analyzer/base/map.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (256u * 1024)

struct piece {
	struct piece *next;
	char bytes[];
};

struct entry {
	const char *string;
	size_t bytes;
	uint32_t next; /* of the same hash, 0: none */
};

struct hl_intern {
	struct hl_map map;
	struct entry *entries; /* [0] is not used */
	size_t nentries, room;
	struct piece *pieces;
	char *free; /* the unused end of the first piece */
	size_t free_bytes;
};

static uint64_t hash_of(uint64_t h, const char *s, size_t n)
{
	uint64_t w;

	h ^= n;
	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0xd6e8feb86659fd93ull;
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, s, n);
	h = (h ^ w) * 0xd6e8feb86659fd93ull;
	return h ^ h >> 32;
}

struct hl_intern *hl_intern_new(void)
{
	struct hl_intern *t = hl_xcalloc(1, sizeof(*t));

	hl_map_init(&t->map);
	t->nentries = 1;
	return t;
}

void hl_intern_free(struct hl_intern *t)
{
	if (!t)
		return;
	while (t->pieces) {
		struct piece *p = t->pieces;

		t->pieces = p->next;
		free(p);
	}
	hl_map_release(&t->map);
	free(t->entries);
	free(t);
}

static const char *copy(struct hl_intern *t, const char *s, size_t n)
{
	char *at;

	if (n + 1 > t->free_bytes) {
		size_t bytes = n + 1 > PIECE_BYTES ? n + 1 : PIECE_BYTES;
		struct piece *p = hl_xmalloc(sizeof(*p) + bytes);

		p->next = t->pieces;
		t->pieces = p;
		t->free = p->bytes;
		t->free_bytes = bytes;
	}
	at = t->free;
	memcpy(at, s, n);
	at[n] = 0;
	t->free += n + 1;
	t->free_bytes -= n + 1;
	return at;
}

const char *hl_intern_bytes(struct hl_intern *t, const char *s, size_t n)
{
	uint32_t *first = hl_map_slot(&t->map, hash_of(t->map.seed, s, n));

	for (uint32_t i = *first; i; i = t->entries[i].next)
		if (t->entries[i].bytes == n && !memcmp(t->entries[i].string, s, n))
			return t->entries[i].string;
	t->entries = hl_grow(t->entries, &t->room, t->nentries + 1, sizeof(*t->entries));
	t->entries[t->nentries] = (struct entry){.string = copy(t, s, n), .bytes = n, .next = *first};
	*first = (uint32_t)t->nentries;
	return t->entries[t->nentries++].string;
}

const char *hl_intern_string(struct hl_intern *t, const char *s)
{
	return hl_intern_bytes(t, s, strlen(s));
}
