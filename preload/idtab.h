/*
 * idtab.h - from what was seen before to its id: hash tables that are read without a lock and grow.  Floor 2.
 * Any thread, also in signal handlers.
 *
 * A key is a hash, 63 bits and a 1.  Of two keys that agree one is taken for the other: with a million of them once in 18
 * million programs, with ten million once in 180 thousand, and one stack of the ten million is wrong then.
 *
 * Two threads that make the same key at once, and one that makes it while the table grows, give it two ids.
 * Both are good: a report groups by what an id stands for.
 */
#ifndef HL_PRELOAD_IDTAB_H
#define HL_PRELOAD_IDTAB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A cache line.  Entries are taken from the first on, so that a bucket with a free one is where a search ends. */
#define HL_ID_BUCKET 5u
struct hl_id_bucket {
	_Alignas(64) _Atomic uint64_t key[HL_ID_BUCKET]; /* 0: free */
	_Atomic uint32_t id[HL_ID_BUCKET];               /* 0: on its way */
};

/* Buckets that a key may lie in, from its own on. */
#define HL_ID_REACH 64u

struct hl_id_table {
	uint32_t nbuckets;     /* without those that the last one spills into */
	_Atomic uint32_t full; /* ids from here on make it grow */
	struct hl_id_bucket *bucket;
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
void hl_idtab_put(struct hl_idtab *t, uint64_t key, uint32_t id);
/* Nobody with that tid is at work any more (0: nobody at all, in a forked child). */
void hl_idtab_abandon(struct hl_idtab *t, uint32_t tid);

static inline struct hl_id_bucket *hl_idtab_place(const struct hl_id_table *t, uint64_t key)
{
	return &t->bucket[(key >> 32) * t->nbuckets >> 32];
}

static inline void hl_idtab_prefetch(struct hl_idtab *t, uint64_t key)
{
	__builtin_prefetch(hl_idtab_place(atomic_load_explicit(&t->table, memory_order_acquire), key));
}

/* The id of the key, 0: unknown.  The key is odd. */
static inline uint32_t hl_idtab_find(struct hl_idtab *t, uint64_t key)
{
	/* acquire: the table's contents (partner: grow in idtab.c) */
	const struct hl_id_table *table = atomic_load_explicit(&t->table, memory_order_acquire);
	const struct hl_id_bucket *b = hl_idtab_place(table, key);

	for (uint32_t n = 0; n < HL_ID_REACH; n++, b++) {
		uint32_t at = HL_ID_BUCKET, id;

		/* no branch for each: where it lies is not to be foreseen */
		for (uint32_t i = 0; i < HL_ID_BUCKET; i++)
			at = atomic_load_explicit(&b->key[i], memory_order_relaxed) == key ? i : at;
		if (__builtin_expect(at < HL_ID_BUCKET, 1)) {
			/* acquire: the id's record is committed (partner: hl_idtab_put) */
			id = atomic_load_explicit(&b->id[at], memory_order_acquire);
			/* A table is replaced, then emptied; then the key of one thread may come to stand with the id that
			 * another had on its way there. */
			if (__builtin_expect(id != 0, 1) &&
			    __builtin_expect(atomic_load_explicit(&t->table, memory_order_relaxed) == table,
					     1))
				return id;
		}
		if (!atomic_load_explicit(&b->key[HL_ID_BUCKET - 1], memory_order_relaxed))
			return 0;
	}
	return 0;
}

#endif
