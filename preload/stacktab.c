/*
 * stacktab.c - a hash of chains; nodes never move and never change once they are on a chain.
 *
 * 2^20 heads (4 MiB of address space, pages touched as they are hit): chains stay about one node long
 * up to a million nodes, which is what a large C++ compile makes.
 *
 * Invariant: a node reachable from a head is complete, and its record and those of all its ancestors are
 * committed.
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
	uint64_t hash;
	uint32_t low;  /* of the frame's pc */
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

static uint32_t find(uint32_t from, uint32_t until, uint64_t hash, uint32_t low)
{
	for (uint32_t id = from; id != until && id;) {
		const struct node *n = node_at(id);

		if (n->hash == hash && n->low == low)
			return id;
		id = n->next;
	}
	return HL_STACK_NONE;
}

static _Atomic uint32_t *head_of(uint64_t hash)
{
	return &heads[hash * 0xd6e8feb86659fd93ull >> (64 - HEAD_BITS)];
}

uint32_t hl_stacktab_find(uint64_t hash, uint64_t frame)
{
	/* acquire: the nodes behind it are complete (partner: the exchange in _add) */
	return find(atomic_load_explicit(head_of(hash), memory_order_acquire), 0, hash, (uint32_t)frame);
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

uint32_t hl_stacktab_add(uint64_t hash, uint32_t parent, uint64_t frame, uint32_t epoch, hl_node_emit *emit,
			 void *ctx)
{
	_Atomic uint32_t *head = head_of(hash);
	uint32_t first = atomic_load_explicit(head, memory_order_acquire);
	uint32_t id = find(first, 0, hash, (uint32_t)frame);
	struct node *n;

	if (id)
		return id;
	id = new_id();
	if (!id || !emit(ctx, id, parent, frame, epoch))
		return HL_STACK_NONE;
	n = node_at(id);
	n->hash = hash;
	n->low = (uint32_t)frame;
	n->next = first;
	while (!atomic_compare_exchange_strong_explicit(head, &n->next, id, memory_order_acq_rel,
							memory_order_acquire)) {
		/* Others came first; one of them may have made the same node.  Ours is then an id that
		 * nobody uses. */
		uint32_t same = find(n->next, first, hash, (uint32_t)frame);

		if (same)
			return same;
		first = n->next;
	}
	return id;
}
