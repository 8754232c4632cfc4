/*
 * record.c - events and facts in the coding of format.h.
 *
 * Invariant: between hl_slots_room and hl_slots_commit of one record nothing else writes to the stream:
 * a signal handler writes to the next level's.
 */
#include "preload/record.h"
#include "heapledger/stamp.h"
#include "preload/boot.h"
#include "preload/capture.h"
#include "preload/real.h"
#include "preload/slots.h"

/* Longest event: tag, stamp, address, two site fields, all at ten bytes. */
#define EVENT_ROOM 64u

static struct hl_stream *stream_of(struct hl_thread *t)
{
	return hl_thread_stream(t, t->level - 1);
}

/*
 * The stamp of the stream's next event.  Order between streams is all that stamps are for, and a process
 * with one thread has one stream: it reads the clock at every 16th event, and whenever somebody else took a
 * stamp meanwhile (clock_seq) or a signal handler wrote to another stream (credit 0).  The others get the
 * stamp before; a pair then saves about 25 ns.
 */
#define CREDIT 15u

static inline uint64_t now(struct hl_stream *s, int fenced)
{
	uint32_t seq = atomic_load_explicit(&hl_guest.region->clock_seq, memory_order_relaxed);

	int single = *(const volatile char *)hl_guest.single_threaded;

	if (single && s->credit && s->clock_seq == seq) {
		s->credit--;
		return s->stamp;
	}
	s->credit = single ? CREDIT : 0;
	s->clock_seq = seq;
	return fenced ? hl_stamp_fenced(hl_guest.clock, hl_guest.shift)
		      : hl_stamp(hl_guest.clock, hl_guest.shift);
}

/* Ticks since the stream's previous stamp, which now moves here.  A clock that ran backwards (a core
 * change without an invariant TSC) counts as standing still. */
static uint64_t advance(struct hl_stream *s, uint64_t now)
{
	uint64_t d = now - s->stamp;

	if (HL_UNLIKELY((int64_t)d < 0))
		return 0;
	s->stamp = now;
	return d;
}

/* Tag with the stamp nibble, and the rest of the stamp. */
static uint8_t *put_tag(uint8_t *p, uint32_t tag, uint64_t delta)
{
	if (HL_LIKELY(delta < HL_STAMP_MORE)) {
		*p++ = (uint8_t)(tag | delta << 4);
		return p;
	}
	*p++ = (uint8_t)(tag | HL_STAMP_MORE << 4);
	return hl_put_uv(p, delta - HL_STAMP_MORE);
}

/* Four bytes at once: EVENT_ROOM has them, and what is not needed is written over. */
static inline void put_word(uint8_t *p, uint32_t word)
{
	__builtin_memcpy(p, &word, sizeof word);
}

/* Can the address be coded as a miss (see format.h)? */
static int near(const struct hl_stream *s, uint64_t address)
{
	int64_t d = (int64_t)(address - s->address);

	return !(d & 15) || (d < (1ll << 61) && d > -(1ll << 61));
}

static uint8_t *put_address(struct hl_stream *s, uint8_t *p, uint64_t address, unsigned h, int hit)
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

static void grow(struct hl_stream *s, int64_t bytes)
{
	if (!s->slot)
		return;
	atomic_store_explicit(&s->slot->live_delta,
			      atomic_load_explicit(&s->slot->live_delta, memory_order_relaxed) + bytes,
			      memory_order_relaxed);
}

/* Of a live block, the same at both of its ends: what was asked for is not known any more at a free. */
static int64_t weight(uint64_t address)
{
	const void *p = (const void *)(uintptr_t)address;

	if (hl_boot_owns(p) || !hl_real.malloc_usable_size)
		return 0;
	return (int64_t)hl_real.malloc_usable_size((void *)(uintptr_t)address);
}

void hl_record_alloc(struct hl_thread *t, uint64_t address, uint64_t size, enum hl_entry entry,
		     uint64_t caller)
{
	struct hl_stream *s = stream_of(t);
	uint32_t stack;
	uint8_t *start, *p;

	if (HL_UNLIKELY(!s)) {
		hl_lost(HL_LOST_THREAD, 1);
		return;
	}
	stack = hl_capture(t, s, caller);
	start = hl_slots_room(t, s, EVENT_ROOM);
	if (HL_UNLIKELY(!start)) {
		hl_lost(HL_LOST_FULL, 1);
		return;
	}
	if (HL_UNLIKELY(!near(s, address))) {
		hl_record_alloc_in(t, HL_DOMAIN_HEAP, address, size, entry, caller);
		return;
	}

	uint64_t se = (uint64_t)stack << 3 | entry, delta = advance(s, now(s, 1));
	unsigned ah = hl_addr_slot(address), sh = hl_site_slot(se, size);
	struct hl_site *site = &s->sites[sh];
	int ahit = s->addresses[ah] == address, shit = site->stack_entry == se && site->size == size;
	uint32_t tag = HL_TAG_ALLOC | (ahit ? HL_TAG_HIT : 0) | (shit ? HL_TAG_SITE : 0);

	if (HL_LIKELY(ahit & shit && delta < HL_STAMP_MORE)) {
		put_word(start, tag | (uint32_t)delta << 4 | ah << 8 | sh << 16);
		p = start + 3;
		s->address = address;
	} else {
		p = put_tag(start, tag, delta);
		p = put_address(s, p, address, ah, ahit);
		if (shit) {
			*p++ = (uint8_t)sh;
		} else {
			p = hl_put_uv(p, se);
			p = hl_put_uv(p, size);
			site->stack_entry = se;
			site->size = size;
		}
	}
	if (HL_UNLIKELY(hl_guest.config.growth))
		grow(s, weight(address));
	hl_slots_commit(s, p);
}

void hl_record_free(struct hl_thread *t, uint64_t address, enum hl_entry entry)
{
	struct hl_stream *s = stream_of(t);
	uint8_t *start, *p;

	if (HL_UNLIKELY(!s)) {
		hl_lost(HL_LOST_THREAD, 1);
		return;
	}
	if (HL_UNLIKELY(entry == HL_ENTRY_DELETE_ARRAY || !near(s, address))) {
		hl_record_free_in(t, HL_DOMAIN_HEAP, address, entry);
		return;
	}
	start = hl_slots_room(t, s, EVENT_ROOM);
	if (HL_UNLIKELY(!start)) {
		hl_lost(HL_LOST_FULL, 1);
		return;
	}

	unsigned h = hl_addr_slot(address);
	int hit = s->addresses[h] == address;

	uint32_t tag = HL_TAG_FREE | (hit ? HL_TAG_HIT : 0) | (entry == HL_ENTRY_DELETE ? HL_TAG_DELETE : 0);
	uint64_t delta = advance(s, now(s, 0));

	if (HL_LIKELY(hit && delta < HL_STAMP_MORE)) {
		put_word(start, tag | (uint32_t)delta << 4 | h << 8);
		p = start + 2;
		s->address = address;
	} else {
		p = put_address(s, put_tag(start, tag, delta), address, h, hit);
	}
	if (HL_UNLIKELY(hl_guest.config.growth))
		grow(s, -weight(address));
	hl_slots_commit(s, p);
}

/* Room, tag and stamp of an HL_OP record; NULL: counted. */
static uint8_t *put_op(struct hl_thread *t, struct hl_stream *s, enum hl_op op, uint32_t room)
{
	uint8_t *p = s ? hl_slots_room(t, s, room) : NULL;

	if (!p) {
		hl_lost(HL_LOST_FULL, 1);
		return NULL;
	}
	*p++ = (uint8_t)(HL_TAG_EVENT | op << 2);
	return hl_put_uv(p, advance(s, now(s, 1)));
}

void hl_record_release(struct hl_thread *t, uint64_t address)
{
	struct hl_stream *s = stream_of(t);
	uint8_t *p = put_op(t, s, HL_OP_RELEASE, EVENT_ROOM);

	if (!p)
		return;

	unsigned h = hl_addr_slot(address);
	int hit = s->addresses[h] == address;

	*p++ = (uint8_t)hit;
	hl_slots_commit(s, put_address(s, p, address, h, hit));
	if (HL_UNLIKELY(hl_guest.config.growth))
		grow(s, -weight(address));
}

void hl_record_unrelease(struct hl_thread *t, enum hl_op op)
{
	struct hl_stream *s = stream_of(t);
	uint8_t *p = put_op(t, s, op, EVENT_ROOM);

	if (p)
		hl_slots_commit(s, p);
}

void hl_record_alloc_in(struct hl_thread *t, enum hl_domain domain, uint64_t address, uint64_t size,
			enum hl_entry entry, uint64_t caller)
{
	struct hl_stream *s = stream_of(t);
	uint32_t stack = s ? hl_capture(t, s, caller) : HL_STACK_NONE;
	uint8_t *p = put_op(t, s, HL_OP_ALLOC, EVENT_ROOM + 16);

	if (!p)
		return;
	p = hl_put_uv(p, domain);
	p = hl_put_uv(p, entry);
	p = hl_put_uv(p, address);
	p = hl_put_uv(p, size);
	hl_slots_commit(s, hl_put_uv(p, stack));
}

void hl_record_free_in(struct hl_thread *t, enum hl_domain domain, uint64_t address, enum hl_entry entry)
{
	struct hl_stream *s = stream_of(t);
	uint8_t *p = put_op(t, s, HL_OP_FREE, EVENT_ROOM);

	if (!p)
		return;
	p = hl_put_uv(p, domain);
	p = hl_put_uv(p, entry);
	if (HL_UNLIKELY(hl_guest.config.growth) && domain == HL_DOMAIN_HEAP)
		grow(s, -weight(address)); /* delete[] */
	hl_slots_commit(s, hl_put_uv(p, address));
}

void hl_record_map(struct hl_thread *t, uint64_t address, uint64_t bytes, uint64_t caller)
{
	struct hl_stream *s = stream_of(t);
	uint32_t stack = s ? hl_capture(t, s, caller) : HL_STACK_NONE;
	uint8_t *p = put_op(t, s, HL_OP_MAP_RANGE, EVENT_ROOM);

	if (!p)
		return;
	p = hl_put_uv(p, address);
	p = hl_put_uv(p, bytes);
	hl_slots_commit(s, hl_put_uv(p, stack));
}

void hl_record_unmap(struct hl_thread *t, uint64_t address, uint64_t bytes)
{
	struct hl_stream *s = stream_of(t);
	uint8_t *p = put_op(t, s, HL_OP_FREE_RANGE, EVENT_ROOM);

	if (!p)
		return;
	p = hl_put_uv(p, address);
	hl_slots_commit(s, hl_put_uv(p, bytes));
}

void hl_record_mark(struct hl_thread *t, enum hl_mark reason, const char *label)
{
	struct hl_stream *s = stream_of(t);
	size_t n = hl_strlen(label);
	uint8_t *p;

	if (n > 1024)
		n = 1024;
	if (s)
		s->credit = 0;
	p = put_op(t, s, HL_OP_MARK, EVENT_ROOM + 1024);
	if (!p)
		return;
	p = hl_put_uv(p, reason);
	hl_slots_commit(s, hl_put_string(p, label, n));
	/* What follows lies above the mark's stamp, not at it. */
	s->credit = 0;
	while (hl_stamp(hl_guest.clock, hl_guest.shift) <= s->stamp)
		;
}

static uint8_t *put_bytes(uint8_t *p, const void *from, size_t n)
{
	const uint8_t *b = from;

	while (n--)
		*p++ = *b++;
	return p;
}

int hl_record_fact3(struct hl_thread *t, enum hl_fact kind, const uint8_t *head, size_t nhead,
		    const char *middle, size_t nmiddle, const uint8_t *tail, size_t ntail)
{
	struct hl_stream *s = stream_of(t);
	size_t bytes = nhead + nmiddle + ntail;
	uint8_t *p;

	if (!s || bytes > HL_FACT_BYTES_MAX || !(p = hl_slots_room(t, s, (uint32_t)bytes + 16)))
		return 0;
	*p++ = (uint8_t)(HL_TAG_FACT | kind << 2);
	p = hl_put_uv(p, bytes);
	p = put_bytes(p, head, nhead);
	p = put_bytes(p, middle, nmiddle);
	p = put_bytes(p, tail, ntail);
	hl_slots_count_fact(s);
	hl_slots_commit(s, p);
	return 1;
}

void hl_record_name(struct hl_thread *t, const char *as)
{
	uint8_t buf[48], *p;
	char name[16];

	hl_append(name, name + sizeof name, as);
	if (hl_streq(name, t->name))
		return;
	p = hl_put_uv(buf, t->serial);
	p = hl_put_string(p, name, hl_strlen(name));
	p = hl_put_uv(p, hl_stamp(hl_guest.clock, hl_guest.shift));
	if (hl_record_fact(t, HL_FACT_NAME, buf, (size_t)(p - buf)))
		hl_append(t->name, t->name + sizeof t->name, name);
}

void hl_record_seal(struct hl_thread *t)
{
	for (uint32_t l = 0; l < HL_LEVELS; l++)
		if (t->streams[l])
			hl_slots_seal(t->streams[l]);
}
