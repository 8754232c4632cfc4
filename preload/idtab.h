/*
 * idtab.h - from what was seen before to its id: hash tables that are read without a lock and grow.  Floor 2.
 * Any thread, also in signal handlers.
 *
 * A key is a 64-bit hash and 32 bits of what was hashed: two keys would have to agree in 96 bits to be
 * taken for one; among ten million of them, once in 10^15 programs.
 *
 * Two threads that make the same key at once, and one that makes it while the table grows, give it two ids.
 * Both are good: a report groups by what an id stands for.
 */
#ifndef HL_PRELOAD_IDTAB_H
#define HL_PRELOAD_IDTAB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct hl_id_entry {
	_Atomic uint64_t hash; /* 0: free */
	_Atomic uint64_t what; /* low << 32 | id; 0: on its way */
};

/* Places that a key may lie in, from its own on. */
#define HL_ID_REACH 24u

struct hl_id_table {
	uint32_t nentries;     /* without those that the last one spills into */
	_Atomic uint32_t full; /* ids from here on make it grow */
	struct hl_id_entry *entry;
};

struct hl_idtab {
	struct hl_id_table *_Atomic table;
	_Atomic uint32_t last;    /* id given out */
	_Atomic uint32_t growing; /* tid of who makes the next table, 0 none */
	uint32_t last_max;        /* ids end here */
};

/* 0, or -errno. */
int hl_idtab_init(struct hl_idtab *t, uint32_t last_max);
/* n ids in a row, which nobody else gets; the first, or 0: there are none left. */
uint32_t hl_idtab_take(struct hl_idtab *t, uint32_t n);
/* The key has that id: from now on others can find it. */
void hl_idtab_put(struct hl_idtab *t, uint64_t hash, uint32_t low, uint32_t id);
/* Nobody with that tid is at work any more (0: nobody at all, in a forked child). */
void hl_idtab_abandon(struct hl_idtab *t, uint32_t tid);

static inline struct hl_id_entry *hl_idtab_place(const struct hl_id_table *t, uint64_t hash)
{
	return &t->entry[(hash >> 32) * t->nentries >> 32];
}

static inline void hl_idtab_prefetch(struct hl_idtab *t, uint64_t hash)
{
	__builtin_prefetch(hl_idtab_place(atomic_load_explicit(&t->table, memory_order_acquire), hash));
}

/* The id of the key, 0: unknown.  hash is not 0. */
static inline uint32_t hl_idtab_find(struct hl_idtab *t, uint64_t hash, uint32_t low)
{
	/* acquire: the table's contents (partner: grow in idtab.c) */
	const struct hl_id_entry *e =
		hl_idtab_place(atomic_load_explicit(&t->table, memory_order_acquire), hash);

	for (uint32_t i = 0; i < HL_ID_REACH; i++, e++) {
		uint64_t h = atomic_load_explicit(&e->hash, memory_order_relaxed);

		if (__builtin_expect(h == hash, 1)) {
			/* acquire: the id's record is committed (partner: hl_idtab_put) */
			uint64_t what = atomic_load_explicit(&e->what, memory_order_acquire);

			if (what && what >> 32 == low)
				return (uint32_t)what;
		} else if (!h) {
			return 0;
		}
	}
	return 0;
}

#endif
