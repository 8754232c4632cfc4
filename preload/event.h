/*
 * event.h - the coding of the two events that nearly all events are, for inlining into the hooks.  Floor 3.
 * See record.h for who may call, format.h for the coding.
 */
#ifndef HL_PRELOAD_EVENT_H
#define HL_PRELOAD_EVENT_H

#include "heapledger/stamp.h"
#include "preload/capture.h"
#include "preload/slots.h"

/* Longest event: tag, stamp, address, two site fields, all at ten bytes. */
#define HL_EVENT_ROOM 64u

/*
 * The stamp of the stream's next event.  Order between streams is all that stamps are for, and a process
 * with one thread has one stream: it reads the clock at every 64th event, and whenever somebody else took a
 * stamp meanwhile (clock_seq, at least once a second under a collector) or a signal handler wrote to another stream (it makes
 * our copy of clock_seq another's; not the credit, which it might interrupt us counting).  The others get the
 * stamp before; a pair then saves about 28 ns.
 */
#define HL_CREDIT 63u

static inline uint64_t hl_event_now(struct hl_stream *s)
{
	uint32_t seq = atomic_load_explicit(&hl_guest.region->clock_seq, memory_order_relaxed);
	int single;

	/* a thread's first hook moves clock_seq before it takes a stamp */
	if (HL_LIKELY(s->credit && s->clock_seq == seq)) {
		s->credit--;
		return s->stamp;
	}
	single = *(const volatile char *)hl_guest.single_threaded;
	/* of a sample the events are too far apart */
	s->credit = single && !hl_guest.config.sample ? HL_CREDIT : 0;
	s->clock_seq = seq;
	return hl_stamp_fenced(hl_guest.clock, hl_guest.shift);
}

/* Ticks since the stream's previous stamp, which now moves here.  A clock that ran backwards (a core
 * change without an invariant TSC) counts as standing still. */
static inline uint64_t hl_event_advance(struct hl_stream *s, uint64_t now)
{
	uint64_t d = now - s->stamp;

	if (HL_UNLIKELY((int64_t)d < 0))
		return 0;
	s->stamp = now;
	return d;
}

/* Tag with the stamp nibble, and the rest of the stamp. */
static inline uint8_t *hl_event_put_tag(uint8_t *p, uint32_t tag, uint64_t delta)
{
	if (HL_LIKELY(delta < HL_STAMP_MORE)) {
		*p++ = (uint8_t)(tag | delta << 4);
		return p;
	}
	*p++ = (uint8_t)(tag | HL_STAMP_MORE << 4);
	return hl_put_uv(p, delta - HL_STAMP_MORE);
}

/* Can the address be coded as a miss (see format.h)? */
static inline int hl_event_near(const struct hl_stream *s, uint64_t address)
{
	int64_t d = (int64_t)(address - s->address);

	return HL_LIKELY(!(d & 15)) || (d < (1ll << 61) && d > -(1ll << 61));
}

static inline uint8_t *hl_event_put_address(struct hl_stream *s, uint8_t *p, uint64_t address, unsigned h,
					    int hit)
{
	if (hit) {
		*p++ = (uint8_t)h;
	} else {
		int64_t d = (int64_t)(address - s->address);

		p = d & 15 ? hl_put_uv(p, hl_zigzag(d) << 1 | 1) : hl_put_uv(p, hl_zigzag(d >> 4) << 1);
		s->addresses[h] = address;
	}
	s->address = address;
	return p;
}

/* Four bytes at once: HL_EVENT_ROOM has them, and what is not needed is written over. */
static inline void hl_event_put_word(uint8_t *p, uint32_t word)
{
	__builtin_memcpy(p, &word, sizeof word);
}

/* An alloc of the domain HEAP at start, where HL_EVENT_ROOM is free; the address is near. */
static inline void hl_event_alloc(struct hl_stream *s, uint8_t *start, uint64_t address, uint64_t size,
				  enum hl_entry entry, uint32_t stack)
{
	uint64_t se = (uint64_t)stack << 3 | entry, delta = hl_event_advance(s, hl_event_now(s));
	unsigned ah = hl_addr_slot(address), sh = hl_site_slot(se, size);
	struct hl_site *site = &s->sites[sh];
	int ahit = s->addresses[ah] == address, shit = site->stack_entry == se && site->size == size;
	uint32_t tag = HL_TAG_ALLOC | (ahit ? HL_TAG_HIT : 0) | (shit ? HL_TAG_SITE : 0);
	uint8_t *p;

	if (HL_LIKELY(ahit & shit & (delta < HL_STAMP_MORE))) {
		hl_event_put_word(start, tag | (uint32_t)delta << 4 | ah << 8 | sh << 16);
		s->address = address;
		hl_slots_commit(s, start + 3);
		return;
	}
	p = hl_event_put_tag(start, tag, delta);
	p = hl_event_put_address(s, p, address, ah, ahit);
	if (shit) {
		*p++ = (uint8_t)sh;
	} else {
		p = hl_put_uv(p, se);
		p = hl_put_uv(p, size);
		site->stack_entry = se;
		site->size = size;
	}
	hl_slots_commit(s, p);
}

/* The same for a free, which is no delete[]. */
static inline void hl_event_free(struct hl_stream *s, uint8_t *start, uint64_t address, enum hl_entry entry)
{
	unsigned h = hl_addr_slot(address);
	int hit = s->addresses[h] == address;
	uint32_t tag = HL_TAG_FREE | (hit ? HL_TAG_HIT : 0) | (entry == HL_ENTRY_DELETE ? HL_TAG_DELETE : 0);
	uint64_t delta = hl_event_advance(s, hl_event_now(s));

	if (HL_LIKELY(hit & (delta < HL_STAMP_MORE))) {
		hl_event_put_word(start, tag | (uint32_t)delta << 4 | h << 8);
		s->address = address;
		hl_slots_commit(s, start + 2);
		return;
	}
	hl_slots_commit(s, hl_event_put_address(s, hl_event_put_tag(start, tag, delta), address, h, hit));
}

static inline int hl_event_is_special(void)
{
	return atomic_load_explicit(&hl_guest.config.special, memory_order_relaxed);
}

/* 1: the common event was written; 0: nothing was, use hl_record_alloc or _free, which know the rest. */
static inline int hl_event_try_alloc(struct hl_thread *t, uint64_t address, uint64_t size,
				     enum hl_entry entry, uint64_t caller)
{
	struct hl_stream *s = t->streams[0];
	uint8_t *start;
	uint32_t stack;

	if (HL_UNLIKELY(!s || hl_event_is_special()))
		return 0;
	stack = hl_capture(t, s, caller);
	start = hl_slots_here(s, HL_EVENT_ROOM);
	if (HL_UNLIKELY(!start || !hl_event_near(s, address)))
		return 0;
	hl_event_alloc(s, start, address, size, entry, stack);
	return 1;
}

static inline int hl_event_try_free(struct hl_thread *t, uint64_t address, enum hl_entry entry)
{
	struct hl_stream *s = t->streams[0];
	uint8_t *start;

	if (HL_UNLIKELY(!s || hl_event_is_special() || entry == HL_ENTRY_DELETE_ARRAY ||
			!hl_event_near(s, address)))
		return 0;
	start = hl_slots_here(s, HL_EVENT_ROOM);
	if (HL_UNLIKELY(!start))
		return 0;
	hl_event_free(s, start, address, entry);
	return 1;
}

#endif
