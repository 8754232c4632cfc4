/*
 * region.h - taking, sealing and handing back the slots of a region; used by both sides.
 *
 * All is lock-free and async-signal-safe: no system call but the futex wakes that the caller is
 * told to make.  Indices read from the shared mapping are checked against nslots by the caller's
 * private copy, because another process may have damaged it.
 *
 * Life of a slot: never used (at or above bump) or on the free list -> OPEN, owned by one thread
 * -> SEALED, on the sealed list -> collected -> free list.  The free list is last-in first-out,
 * so the slot taken next is the one whose lines are still in a cache.
 */
#ifndef HEAPLEDGER_REGION_H
#define HEAPLEDGER_REGION_H

#include "heapledger/format.h"

#define HL_NO_SLOT 0xffffffffu

static inline _Atomic uint32_t *hl_region_links(struct hl_region *r)
{
	return (_Atomic uint32_t *)((char *)r + HL_REGION_LINKS);
}

static inline struct hl_image *hl_region_images(struct hl_region *r)
{
	return (struct hl_image *)((char *)r + HL_REGION_IMAGES);
}

/* Push slot i on a list (free_head or sealed_head). */
static inline void hl_list_push(struct hl_region *r, _Atomic uint64_t *head, uint32_t i)
{
	_Atomic uint32_t *links = hl_region_links(r);
	uint64_t h = atomic_load_explicit(head, memory_order_relaxed), n;

	do {
		atomic_store_explicit(&links[i], (uint32_t)h, memory_order_relaxed);
		n = ((h >> 32) + 1) << 32 | (i + 1);
		/* release: the slot's contents before a taker sees it (partner: hl_list_pop, _take) */
	} while (!atomic_compare_exchange_weak_explicit(head, &h, n, memory_order_acq_rel,
							memory_order_relaxed));
}

/* Pop one; HL_NO_SLOT when empty or damaged.  The tag in the upper half defeats ABA. */
static inline uint32_t hl_list_pop(struct hl_region *r, _Atomic uint64_t *head, uint32_t nslots)
{
	_Atomic uint32_t *links = hl_region_links(r);
	uint64_t h = atomic_load_explicit(head, memory_order_acquire), n;
	uint32_t i;

	do {
		i = (uint32_t)h;
		if (i == 0 || i > nslots)
			return HL_NO_SLOT;
		n = ((h >> 32) + 1) << 32 | atomic_load_explicit(&links[i - 1], memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(head, &h, n, memory_order_acq_rel,
							memory_order_acquire));
	return i - 1;
}

/* Collector only: detach the whole list; returns its newest index or HL_NO_SLOT.  Follow with
 * hl_list_next; the order is newest first. */
static inline uint32_t hl_list_take(_Atomic uint64_t *head, uint32_t nslots)
{
	uint64_t h = atomic_load_explicit(head, memory_order_acquire), n;

	do {
		if ((uint32_t)h == 0 || (uint32_t)h > nslots)
			return HL_NO_SLOT;
		n = ((h >> 32) + 1) << 32;
	} while (!atomic_compare_exchange_weak_explicit(head, &h, n, memory_order_acq_rel,
							memory_order_acquire));
	return (uint32_t)h - 1;
}

static inline uint32_t hl_list_next(struct hl_region *r, uint32_t i, uint32_t nslots)
{
	uint32_t n = atomic_load_explicit(&hl_region_links(r)[i], memory_order_relaxed);

	return n == 0 || n > nslots ? HL_NO_SLOT : n - 1;
}

/* Claim a slot for the calling thread: a recycled one if there is one, else a fresh one below `fresh`;
 * HL_NO_SLOT when there is none now.  A fresh slot's pages may be absent: populate first. */
static inline uint32_t hl_region_claim(struct hl_region *r, uint32_t backing, uint32_t nslots, uint32_t fresh)
{
	if (backing == HL_BACKING_MEMFD) {
		uint32_t i = hl_list_pop(r, &r->free_head, nslots);

		if (i != HL_NO_SLOT)
			return i;
	}
	if (atomic_load_explicit(&r->bump, memory_order_relaxed) >= fresh)
		return HL_NO_SLOT;

	uint32_t i = atomic_fetch_add_explicit(&r->bump, 1, memory_order_relaxed);

	return i < nslots ? i : HL_NO_SLOT;
}

/* Fill in the header of a claimed, populated slot and open it.  stamp is not above the first
 * stamp that will be written. */
static inline void hl_slot_open(struct hl_slot *s, uint32_t entry, uint32_t image_id, uint32_t stream,
				uint32_t tid, uint32_t claim, uint64_t stamp)
{
	s->image_entry = entry;
	s->image_id = image_id;
	s->stream = stream;
	s->tid = tid;
	s->claim = claim;
	s->base_stamp = stamp;
	s->collected = 0;
	atomic_store_explicit(&s->used, 0, memory_order_relaxed);
	atomic_store_explicit(&s->facts, 0, memory_order_relaxed);
	atomic_store_explicit(&s->in_hook_since, 0, memory_order_relaxed);
	atomic_store_explicit(&s->live_delta, 0, memory_order_relaxed);
	/* release: the header before a scanner sees an open slot (partner: collect/drain.c) */
	atomic_store_explicit(&s->state, HL_SLOT_OPEN, memory_order_release);
}

/* Owner: no more records.  Returns 1 when the collector sleeps: futex-wake seal_futex then.
 * File backing: the slot stays where it is, sealed for good. */
static inline int hl_slot_seal(struct hl_region *r, struct hl_slot *s, uint32_t i, uint32_t backing)
{
	atomic_store_explicit(&s->in_hook_since, 0, memory_order_relaxed);
	/* release: all records before the state (partner: collector, reader) */
	atomic_store_explicit(&s->state, HL_SLOT_SEALED, memory_order_release);
	if (backing != HL_BACKING_MEMFD)
		return 0;
	hl_list_push(r, &r->sealed_head, i);
	atomic_fetch_add_explicit(&r->seal_futex, 1, memory_order_seq_cst);
	return atomic_load_explicit(&r->collector_waits, memory_order_seq_cst) != 0;
}

#endif
