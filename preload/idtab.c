/*
 * idtab.c - entering keys, and tables that grow.
 *
 * Open addressing by cache lines of five entries: one line tells nearly always.  A table is replaced by one of twice the
 * size when it is three quarters full, a large one by one and a half of it: a key takes 17 to 34 bytes, of many
 * keys 17 to 26.
 *
 * Invariant: an entry's key, once set, stays until its table is replaced; so does its id.  A table that was replaced stays mapped, as
 * zeroes: who still enters something there has entered it for nobody, and what is found there does not count.
 */
#include "preload/idtab.h"
#include "preload/guest.h"
#include "preload/thread.h"
#include <sys/mman.h>

#define FIRST_BUCKETS 512u
#define LARGE_BUCKETS (1u << 16)
#define HUGE_PAGE     ((size_t)2 << 20)

static struct hl_id_table *make(uint32_t nbuckets)
{
	size_t head = 64, bytes = head + (size_t)(nbuckets + HL_ID_REACH) * sizeof(struct hl_id_bucket);
	size_t slack = bytes >= HUGE_PAGE ? HUGE_PAGE : 0;
	char *map = hl_sys_mmap(bytes + slack, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct hl_id_table *n;

	if (!map)
		return NULL;
	/* Keys lie everywhere: with small pages most look-ups would miss the TLB first. */
	if (slack) {
		map += -(uintptr_t)map & (HUGE_PAGE - 1);
		hl_sys_madvise(map, bytes, MADV_HUGEPAGE);
	}
	n = (struct hl_id_table *)map;
	n->nbuckets = nbuckets;
	n->full = nbuckets / 4 * 3 * HL_ID_BUCKET;
	n->bucket = (struct hl_id_bucket *)((char *)n + head);
	return n;
}

int hl_idtab_init(struct hl_idtab *t, uint32_t last_max)
{
	struct hl_id_table *n;

	t->last_max = last_max;
	if (atomic_load_explicit(&t->table, memory_order_relaxed))
		return 0;
	n = make(FIRST_BUCKETS);
	if (!n)
		return -12;
	atomic_store_explicit(&t->table, n, memory_order_release);
	return 0;
}

uint32_t hl_idtab_take(struct hl_idtab *t, uint32_t n)
{
	uint32_t before = atomic_fetch_add_explicit(&t->last, n, memory_order_relaxed);

	if (before <= t->last_max - n)
		return before + 1;
	atomic_fetch_sub_explicit(&t->last, n, memory_order_relaxed);
	return 0;
}

static void enter(struct hl_id_table *n, uint64_t key, uint32_t id)
{
	struct hl_id_bucket *b = hl_idtab_place(n, key);

	for (uint32_t i = 0; i < HL_ID_REACH * HL_ID_BUCKET; i++) {
		uint64_t none = 0;

		if (atomic_load_explicit(&b[i / HL_ID_BUCKET].key[i % HL_ID_BUCKET], memory_order_relaxed) ==
			    0 &&
		    atomic_compare_exchange_strong_explicit(&b[i / HL_ID_BUCKET].key[i % HL_ID_BUCKET], &none,
							    key, memory_order_relaxed,
							    memory_order_relaxed)) {
			/* release: the record of the id (partner: hl_idtab_find) */
			atomic_store_explicit(&b[i / HL_ID_BUCKET].id[i % HL_ID_BUCKET], id,
					      memory_order_release);
			return;
		}
	}
}

static void copy(struct hl_id_table *n, struct hl_id_bucket *b)
{
	for (uint32_t i = 0; i < HL_ID_BUCKET; i++) {
		uint32_t id = atomic_load_explicit(&b->id[i], memory_order_acquire);

		if (id)
			enter(n, atomic_load_explicit(&b->key[i], memory_order_relaxed), id);
	}
}

static void grow(struct hl_idtab *t, struct hl_id_table *old)
{
	struct hl_id_table *n;
	uint32_t none = 0, tid = hl_thread_tid();

	if (!atomic_compare_exchange_strong_explicit(&t->growing, &none, tid, memory_order_acquire,
						     memory_order_relaxed))
		return;
	if (atomic_load_explicit(&t->table, memory_order_relaxed) == old) {
		n = make(old->nbuckets < LARGE_BUCKETS ? old->nbuckets * 2
						       : old->nbuckets + old->nbuckets / 2);
		if (n) {
			size_t bytes = (size_t)(old->nbuckets + HL_ID_REACH) * sizeof *old->bucket;

			for (uint32_t k = 0; k < old->nbuckets + HL_ID_REACH; k++)
				copy(n, &old->bucket[k]);
			/* release: what was entered (partner: hl_idtab_find) */
			atomic_store_explicit(&t->table, n, memory_order_release);
			/* after the header: readers still use it */
			hl_sys_madvise((char *)old + hl_guest.page_bytes, bytes - hl_guest.page_bytes,
				       MADV_DONTNEED);
		} else {
			/* not at every new key */
			atomic_fetch_add_explicit(&old->full, old->nbuckets, memory_order_relaxed);
		}
	}
	atomic_store_explicit(&t->growing, 0, memory_order_release);
}

void hl_idtab_put(struct hl_idtab *t, uint64_t key, uint32_t id)
{
	struct hl_id_table *now = atomic_load_explicit(&t->table, memory_order_acquire);

	enter(now, key, id);
	if (HL_UNLIKELY(id >= atomic_load_explicit(&now->full, memory_order_relaxed)))
		grow(t, now);
}

void hl_idtab_abandon(struct hl_idtab *t, uint32_t tid)
{
	if (!tid || atomic_load_explicit(&t->growing, memory_order_relaxed) == tid)
		atomic_store_explicit(&t->growing, 0, memory_order_relaxed);
}
