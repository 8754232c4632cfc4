/*
 * stacktab.c - a hash of chains; nodes never move and never change once they are on a chain.
 *
 * 2^20 heads (4 MiB of address space, pages touched as they are hit): chains stay about one node long
 * up to a million nodes, which is what a large C++ compile makes.
 *
 * Invariant: a node reachable from a head is complete, and its record is committed.
 */
#include "preload/stacktab.h"
#include "heapledger/format.h"
#include "preload/sys.h"
#include <sys/mman.h>

#define HEAD_BITS    20
#define SEGMENT_BITS 16
#define SEGMENT      (1u << SEGMENT_BITS)
#define SEGMENTS     4096u /* 2^28 nodes */

struct node {
	uint64_t key; /* pc | flags << 56 */
	uint32_t parent;
	uint32_t epoch;
	uint32_t next; /* node id in the chain, 0 end */
};

static _Atomic uint32_t *heads;
static _Atomic(struct node *) segments[SEGMENTS];
static _Atomic uint32_t last;

static struct node *node_at(uint32_t id)
{
	return &atomic_load_explicit(&segments[id >> SEGMENT_BITS], memory_order_acquire)[id & (SEGMENT - 1)];
}

static void *fresh(size_t bytes)
{
	return hl_sys_mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int hl_stacktab_init(void)
{
	if (!heads)
		heads = fresh(sizeof *heads << HEAD_BITS);
	return heads ? 0 : -12;
}

static uint32_t find(uint32_t from, uint32_t until, uint64_t key, uint32_t parent, uint32_t epoch)
{
	for (uint32_t id = from; id != until && id;) {
		const struct node *n = node_at(id);

		if (n->key == key && n->parent == parent && n->epoch == epoch)
			return id;
		id = n->next;
	}
	return 0;
}

/* A fresh id with memory behind it, 0: none. */
static uint32_t new_id(void)
{
	uint32_t id = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
	uint32_t s = id >> SEGMENT_BITS;

	if (s >= SEGMENTS) {
		atomic_fetch_sub_explicit(&last, 1, memory_order_relaxed);
		return 0;
	}
	if (HL_UNLIKELY(!atomic_load_explicit(&segments[s], memory_order_acquire))) {
		struct node *n = fresh(SEGMENT * sizeof *n), *none = NULL;

		if (!n)
			return 0;
		if (!atomic_compare_exchange_strong_explicit(&segments[s], &none, n, memory_order_acq_rel,
							     memory_order_acquire))
			hl_sys_munmap(n, SEGMENT * sizeof *n);
	}
	return id;
}

uint32_t hl_stacktab_intern(uint32_t parent, uint64_t pc, uint32_t flags, uint32_t epoch, hl_node_emit *emit,
			    void *ctx)
{
	uint64_t key = pc | (uint64_t)flags << 56;
	uint64_t h = (key ^ (uint64_t)parent << 32 ^ (uint64_t)epoch << 17) * 0x9e3779b97f4a7c15ull;
	_Atomic uint32_t *head;
	uint32_t first, id;
	struct node *n;

	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	head = &heads[h >> (64 - HEAD_BITS)];
	/* acquire: the nodes behind it are complete (partner: the exchange below) */
	first = atomic_load_explicit(head, memory_order_acquire);
	id = find(first, 0, key, parent, epoch);
	if (HL_LIKELY(id != 0))
		return id;

	id = new_id();
	if (!id || !emit(ctx, id, parent, pc, flags, epoch))
		return HL_STACK_NONE;
	n = node_at(id);
	n->key = key;
	n->parent = parent;
	n->epoch = epoch;
	n->next = first;
	while (!atomic_compare_exchange_strong_explicit(head, &n->next, id, memory_order_acq_rel,
							memory_order_acquire)) {
		/* Others came first; one of them may have made the same node.  Ours is then an id that
		 * nobody uses. */
		uint32_t same = find(n->next, first, key, parent, epoch);

		if (same)
			return same;
		first = n->next;
	}
	return id;
}
