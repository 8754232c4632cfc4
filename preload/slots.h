/*
 * slots.h - getting room for a record: the current slot, else the next one.  Floor 2.
 */
#ifndef HL_PRELOAD_SLOTS_H
#define HL_PRELOAD_SLOTS_H

#include "preload/thread.h"

/* Room for n <= HL_FACT_BYTES_MAX + 16 bytes in s, and for the record that attributes the claim to t; NULL: none (not
 * counted here).  Owner thread. */
uint8_t *hl_slots_room_slow(struct hl_thread *t, struct hl_stream *s, uint32_t n);
/* Seal the open slot, if any. */
void hl_slots_seal(struct hl_stream *s);

/* Room for n bytes in the open slot of s; NULL: there is none, or not without a look.  Owner thread. */
static inline uint8_t *hl_slots_here(struct hl_stream *s, uint32_t n)
{
	/* Each once, and the limit last: in a child that a signal handler forks meanwhile it is 0, and so is
	 * the rest. */
	struct hl_slot *slot = *(struct hl_slot *volatile *)&s->slot;
	uint32_t at = *(volatile uint32_t *)&s->at, limit = *(volatile uint32_t *)&s->limit;

	return HL_LIKELY(at + n <= limit) ? slot->data + at : NULL;
}

static inline uint8_t *hl_slots_room(struct hl_thread *t, struct hl_stream *s, uint32_t n)
{
	uint8_t *here = hl_slots_here(s, n);

	return HL_LIKELY(here != NULL) ? here : hl_slots_room_slow(t, s, n);
}

/* The bytes from the last hl_slots_room up to end are a whole record: they belong to readers now. */
static inline void hl_slots_commit(struct hl_stream *s, const uint8_t *end)
{
	struct hl_slot *slot = s->slot;

	/* A fork in a signal handler that interrupted this record: the slot is the parent's. */
	if (HL_UNLIKELY(!slot))
		return;
	s->at = (uint32_t)(end - slot->data);
	/* release: the record before a reader can see it (partner: collector, reader) */
	atomic_store_explicit(&slot->used, s->at, memory_order_release);
}

/* The record that is being written is a fact. */
static inline void hl_slots_count_fact(struct hl_stream *s)
{
	if (HL_LIKELY(s->slot != NULL)) /* as in commit */
		atomic_fetch_add_explicit(&s->slot->facts, 1, memory_order_relaxed);
}

#endif
