/*
 * slots.c - from one slot to the next.
 *
 * A thread that finds none free waits, at most a second and only once until a slot comes again, then
 * what it would write is lost and counted: a dead collector must not stop the program.
 */
#include "preload/slots.h"
#include "heapledger/stamp.h"
#include "preload/window.h"

#define WAIT_NS  1000000000ull
#define SLICE_NS 100000000ull

/* A thread that never had a slot takes one from the reserve: idle threads, however many, may hold all others, and
 * nobody takes an open slot from its owner.  What it seals later circulates. */
static uint32_t claim(struct hl_region *r, const struct hl_stream *s)
{
	uint32_t fresh = hl_guest.nslots - (s->claim ? hl_guest.reserve : 0);

	return hl_region_claim(r, hl_guest.backing, hl_guest.nslots, fresh);
}

static uint32_t claim_waiting(struct hl_region *r, struct hl_stream *s)
{
	uint32_t i = claim(r, s);
	uint64_t until;

	if (i != HL_NO_SLOT) {
		s->starving = 0;
		return i;
	}
	/* file: what is used up stays used up */
	if (s->starving || hl_guest.config.drop || hl_guest.backing == HL_BACKING_FILE)
		return HL_NO_SLOT;
	atomic_fetch_add_explicit(&hl_guest.image->waits, 1, memory_order_relaxed);
	until = hl_stamp_clock() + WAIT_NS;
	atomic_fetch_add_explicit(&r->free_waiters, 1, memory_order_seq_cst);
	for (;;) {
		uint32_t seen = atomic_load_explicit(&r->free_futex, memory_order_seq_cst);

		i = claim(r, s);
		if (i != HL_NO_SLOT || hl_stamp_clock() >= until ||
		    atomic_load_explicit(&r->closed, memory_order_relaxed))
			break;
		hl_sys_futex_wait(&r->free_futex, seen, SLICE_NS);
	}
	atomic_fetch_sub_explicit(&r->free_waiters, 1, memory_order_relaxed);
	s->starving = i == HL_NO_SLOT;
	return i;
}

/* Are we a child that a signal handler forked meanwhile?  What was claimed is the parent's then. */
static int is_another(uint32_t image)
{
	return *(volatile uint32_t *)&hl_guest.image_id != image;
}

void hl_slots_seal(struct hl_stream *s)
{
	struct hl_slot *slot = s->slot;
	uint32_t image = hl_guest.image_id;

	/* First: a handler that leaves by a jump in here must not leave a limit without a slot. */
	s->limit = 0;
	atomic_signal_fence(memory_order_seq_cst);
	if (!slot)
		return;
	s->slot = NULL;
	/* An empty claim leaves no piece in the trace: its number goes to the next, or it would be missed. */
	if (atomic_load_explicit(&slot->used, memory_order_relaxed))
		s->claim++;
	s->at = 0;
	if (HL_UNLIKELY(is_another(image)) || hl_outlived())
		return;
	if (hl_slot_seal(hl_guest.region, slot, s->index, hl_guest.backing))
		hl_sys_futex_wake(&hl_guest.region->seal_futex, 1);
}

static int open_next(struct hl_thread *t, struct hl_stream *s)
{
	struct hl_region *r = hl_guest.region;
	struct hl_slot *slot;
	uint32_t i, image = hl_guest.image_id;

	hl_slots_seal(s);
	/* INERT: a child that is not followed, in what it inherited of a record */
	if (HL_UNLIKELY(atomic_load_explicit(&r->closed, memory_order_relaxed) || hl_state() == HL_INERT))
		return 0;
	/* To ask a full disk takes a millisecond: it is done at every event whose number is a power of two. */
	if (HL_UNLIKELY(s->denied)) {
		s->denied++;
		if (s->denied & (s->denied - 1))
			return 0;
	}
	i = claim_waiting(r, s);
	if (i == HL_NO_SLOT)
		return 0;
	slot = hl_window_slot(i);
	if (!slot) {
		/* No address space or a full disk: nothing was written to it, so it can go back. */
		if (hl_guest.backing == HL_BACKING_MEMFD)
			hl_list_push(r, &r->free_head, i);
		s->starving = 1;
		s->denied += !s->denied;
		return 0;
	}
	s->denied = 0;
	s->stamp = hl_stamp(hl_guest.clock, hl_guest.shift);
	s->index = i;
	s->address = 0;
	s->node_id = 0;
	s->site_id = 0;
	s->site_pc = 0;
	s->claim_epoch = 0;
	if (s->twig_score <= 0)
		s->twig_score = HL_TWIG_TRIAL;
	s->claim_thread = HL_STREAM_THREAD(s->stream);
	for (unsigned k = 0; k < 256; k++) {
		s->addresses[k] = 0;
		s->sites[k].stack_entry = 0;
		s->sites[k].size = 0;
	}
	s->at = 0;
	if (HL_UNLIKELY(is_another(image)))
		return 0;
	hl_slot_open(slot, hl_guest.image_entry, hl_guest.image_id, s->stream, t->tid, s->claim, s->stamp);
	s->slot = slot;
	if (HL_UNLIKELY(is_another(image))) {
		s->slot = NULL;
		return 0;
	}
	/* We are in a hook, and none of the stamps that will come here has been taken yet; hl_leave takes it back. */
	atomic_store_explicit(&slot->in_hook_since, s->stamp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	return 1;
}

uint8_t *hl_slots_room_slow(struct hl_thread *t, struct hl_stream *s, uint32_t n)
{
	struct hl_slot *slot;
	uint32_t at;

	if ((!s->slot || s->at + n + 16 > HL_SLOT_ROOM) && !open_next(t, s))
		return NULL;
	/* as in hl_slots_here */
	slot = *(struct hl_slot *volatile *)&s->slot;
	if (HL_UNLIKELY(!slot))
		return NULL;
	if (s->claim_thread != t->serial) {
		uint8_t *p = slot->data + s->at;

		*p++ = HL_TAG_EVENT | HL_OP_THREAD << 2;
		p = hl_put_uv(p, 0);
		p = hl_put_uv(p, t->serial);
		hl_slots_commit(s, p);
		s->claim_thread = t->serial;
	}
	s->limit = HL_SLOT_ROOM;
	at = s->at;
	atomic_signal_fence(memory_order_seq_cst);
	if (HL_UNLIKELY(!*(struct hl_slot *volatile *)&s->slot)) {
		s->limit = 0;
		return NULL;
	}
	return slot->data + at;
}
