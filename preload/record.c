/*
 * record.c - events and facts in the coding of format.h.
 *
 * Invariant: between hl_slots_room and hl_slots_commit of one record nothing else writes to the stream:
 * a signal handler writes to the next level's.
 */
#include "preload/record.h"
#include "preload/boot.h"
#include "preload/event.h"
#include "preload/facts.h"
#include "preload/real.h"
#include "preload/sample.h"

static struct hl_stream *stream_of(struct hl_thread *t)
{
	return hl_thread_stream(t, t->level - 1);
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

/* Room, tag and stamp of an HL_OP record; NULL: counted. */
static uint8_t *put_op(struct hl_thread *t, struct hl_stream *s, enum hl_op op, uint32_t room)
{
	uint8_t *p = s ? hl_slots_room(t, s, room) : NULL;

	if (!p) {
		hl_lost(HL_LOST_FULL, 1);
		return NULL;
	}
	*p++ = (uint8_t)(HL_TAG_EVENT | op << 2);
	return hl_put_uv(p, hl_event_advance(s, hl_event_now(s)));
}

static void write_alloc_in(struct hl_thread *t, struct hl_stream *s, enum hl_domain domain, uint64_t address,
			   uint64_t size, enum hl_entry entry, uint64_t caller)
{
	uint32_t stack = s ? hl_capture(t, s, caller) : HL_STACK_NONE;
	uint8_t *p = put_op(t, s, HL_OP_ALLOC, HL_EVENT_ROOM + 16);

	if (!p)
		return;
	p = hl_put_uv(p, domain);
	p = hl_put_uv(p, entry);
	p = hl_put_uv(p, address);
	p = hl_put_uv(p, size);
	hl_slots_commit(s, hl_put_uv(p, stack));
}

/* entry: enum hl_entry, perhaps with HL_ENTRY_TEMPORARY. */
static void write_free_in(struct hl_thread *t, struct hl_stream *s, enum hl_domain domain, uint64_t address,
			  uint32_t entry)
{
	uint8_t *p = put_op(t, s, HL_OP_FREE, HL_EVENT_ROOM);

	if (!p)
		return;
	p = hl_put_uv(p, domain);
	p = hl_put_uv(p, entry);
	hl_slots_commit(s, hl_put_uv(p, address));
}

static void write_bare_op(struct hl_thread *t, struct hl_stream *s, enum hl_op op)
{
	uint8_t *p = put_op(t, s, op, HL_EVENT_ROOM);

	if (p)
		hl_slots_commit(s, p);
}

/* A new block in a sampled program: 1: record it. */
static int enters_sample(struct hl_thread *t, struct hl_stream *s, uint64_t key, uint64_t size)
{
	if (!hl_sample_take(t, key, size))
		return 0;
	if (hl_guest.config.growth && !(key & HL_SAMPLE_POOL))
		grow(s, (int64_t)hl_sample_weight(size));
	return 1;
}

/* The end of a block in a sampled program: 1: record it. */
static int leaves_sample(struct hl_thread *t, struct hl_stream *s, uint64_t key, uint64_t *size,
			 int *temporary)
{
	if (!hl_sample_drop(t, key, size, temporary))
		return 0;
	if (hl_guest.config.growth && !(key & HL_SAMPLE_POOL))
		grow(s, -(int64_t)hl_sample_weight(*size));
	return 1;
}

/* Where the end of a block that is recorded next was called.  Of a later claim it would say nothing, so there is
 * room for both, or for none. */
static void write_call(struct hl_thread *t, struct hl_stream *s)
{
	uint32_t stack = hl_capture(t, s, hl_anchor_ra(t->at[t->level - 1]));
	uint8_t *p;

	if (stack == HL_STACK_NONE || !hl_slots_room(t, s, 2 * HL_EVENT_ROOM))
		return;
	p = put_op(t, s, HL_OP_CALL, HL_EVENT_ROOM);
	if (p)
		hl_slots_commit(s, hl_put_uv(p, stack));
}

void hl_record_alloc(struct hl_thread *t, uint64_t address, uint64_t size, enum hl_entry entry,
		     uint64_t caller)
{
	struct hl_stream *s = stream_of(t);
	uint32_t stack;
	uint8_t *start;

	if (HL_UNLIKELY(!s)) {
		hl_lost(HL_LOST_THREAD, 1);
		return;
	}
	if (HL_UNLIKELY(hl_guest.config.sample)) {
		int released = entry == HL_ENTRY_REALLOC && s->released;

		if (entry == HL_ENTRY_REALLOC)
			s->released = 0;
		if (!enters_sample(t, s, address, size)) {
			/* the realloc was the end of the old block, and the new one is not known */
			if (released)
				write_bare_op(t, s, HL_OP_DROP);
			return;
		}
	} else if (HL_UNLIKELY(hl_guest.config.growth)) {
		grow(s, weight(address));
	}
	stack = hl_capture(t, s, caller);
	start = hl_slots_room(t, s, HL_EVENT_ROOM);
	if (HL_UNLIKELY(!start)) {
		hl_lost(HL_LOST_FULL, 1);
		return;
	}
	if (HL_UNLIKELY(!hl_event_near(s, address)))
		write_alloc_in(t, s, HL_DOMAIN_HEAP, address, size, entry, caller);
	else
		hl_event_alloc(s, start, address, size, entry, stack);
	if (HL_UNLIKELY(t->ignoring))
		hl_facts_leak_note(t, HL_LEAK_KEEP, address, size);
}

void hl_record_free(struct hl_thread *t, uint64_t address, enum hl_entry entry)
{
	struct hl_stream *s = stream_of(t);
	uint64_t size;
	uint8_t *start;
	int temporary = 0;

	if (HL_UNLIKELY(!s)) {
		hl_lost(HL_LOST_THREAD, 1);
		return;
	}
	if (HL_UNLIKELY(hl_guest.config.sample)) {
		if (!leaves_sample(t, s, address, &size, &temporary))
			return;
	} else if (HL_UNLIKELY(hl_guest.config.growth)) {
		grow(s, -weight(address));
	}
	if (HL_UNLIKELY(hl_guest.config.free_stacks))
		write_call(t, s);
	if (HL_UNLIKELY(temporary || entry == HL_ENTRY_DELETE_ARRAY || !hl_event_near(s, address))) {
		write_free_in(t, s, HL_DOMAIN_HEAP, address, entry | (temporary ? HL_ENTRY_TEMPORARY : 0u));
		return;
	}
	start = hl_slots_room(t, s, HL_EVENT_ROOM);
	if (HL_UNLIKELY(!start)) {
		hl_lost(HL_LOST_FULL, 1);
		return;
	}
	hl_event_free(s, start, address, entry);
}

void hl_record_release(struct hl_thread *t, uint64_t address)
{
	struct hl_stream *s = stream_of(t);
	int temporary, hit;
	unsigned h = hl_addr_slot(address);
	uint8_t *p;

	if (HL_UNLIKELY(hl_guest.config.sample)) {
		if (!s)
			return;
		/* also when the last realloc was left by a jump */
		s->released = 0;
		if (!leaves_sample(t, s, address, &s->released_size, &temporary))
			return;
		s->released = temporary ? 2 : 1;
		s->released_key = address;
	} else if (HL_UNLIKELY(hl_guest.config.growth && s)) {
		grow(s, -weight(address));
	}
	if (HL_UNLIKELY(hl_guest.config.free_stacks && s))
		write_call(t, s);
	p = put_op(t, s, HL_OP_RELEASE, HL_EVENT_ROOM);
	if (!p)
		return;
	hit = s->addresses[h] == address;
	*p++ = (uint8_t)hit;
	hl_slots_commit(s, hl_event_put_address(s, p, address, h, hit));
}

void hl_record_unrelease(struct hl_thread *t, enum hl_op op)
{
	struct hl_stream *s = stream_of(t);

	if (HL_UNLIKELY(hl_guest.config.sample)) {
		if (!s || !s->released)
			return;
		if (op == HL_OP_RESTORE)
			hl_sample_undrop(t, s->released_key, s->released_size);
		else if (s->released == 2)
			op = HL_OP_DROP_TEMPORARY;
		s->released = 0;
	}
	write_bare_op(t, s, op);
}

void hl_record_pool_alloc(struct hl_thread *t, uint64_t address, uint64_t size, uint64_t caller)
{
	struct hl_stream *s = stream_of(t);

	if (HL_LIKELY(!hl_guest.config.sample || (s && enters_sample(t, s, address | HL_SAMPLE_POOL, size))))
		write_alloc_in(t, s, HL_DOMAIN_POOL, address, size, HL_ENTRY_POOL, caller);
	if (HL_UNLIKELY(t->ignoring))
		hl_facts_leak_note(t, HL_LEAK_KEEP, address, size);
}

void hl_record_pool_free(struct hl_thread *t, uint64_t address)
{
	struct hl_stream *s = stream_of(t);
	int temporary = 0;
	uint64_t size;

	if (HL_LIKELY(!hl_guest.config.sample ||
		      (s && leaves_sample(t, s, address | HL_SAMPLE_POOL, &size, &temporary)))) {
		if (HL_UNLIKELY(hl_guest.config.free_stacks && s))
			write_call(t, s);
		write_free_in(t, s, HL_DOMAIN_POOL, address,
			      HL_ENTRY_FREE | (temporary ? HL_ENTRY_TEMPORARY : 0u));
	}
}

void hl_record_map(struct hl_thread *t, uint64_t address, uint64_t bytes, uint64_t caller)
{
	struct hl_stream *s = stream_of(t);
	uint32_t stack = s ? hl_capture(t, s, caller) : HL_STACK_NONE;
	uint8_t *p = put_op(t, s, HL_OP_MAP_RANGE, HL_EVENT_ROOM);

	t->sample_drawn++; /* an allocation after those before it */
	if (!p)
		return;
	p = hl_put_uv(p, address);
	p = hl_put_uv(p, bytes);
	hl_slots_commit(s, hl_put_uv(p, stack));
}

void hl_record_unmap(struct hl_thread *t, uint64_t address, uint64_t bytes)
{
	struct hl_stream *s = stream_of(t);
	uint8_t *p;

	if (HL_UNLIKELY(hl_guest.config.free_stacks && s))
		write_call(t, s);
	p = put_op(t, s, HL_OP_FREE_RANGE, HL_EVENT_ROOM);
	if (!p)
		return;
	p = hl_put_uv(p, address);
	hl_slots_commit(s, hl_put_uv(p, bytes));
}

uint64_t hl_record_mark(struct hl_thread *t, enum hl_mark reason, const char *label)
{
	struct hl_stream *s = stream_of(t);
	size_t n = hl_strlen(label);
	uint8_t *p;

	if (n > 1024)
		n = 1024;
	if (s)
		s->credit = 0;
	p = put_op(t, s, HL_OP_MARK, HL_EVENT_ROOM + 1024);
	if (!p)
		return 0;
	p = hl_put_uv(p, reason);
	hl_slots_commit(s, hl_put_string(p, label, n));
	/* What follows lies above the mark's stamp, not at it. */
	s->credit = 0;
	while (hl_stamp(hl_guest.clock, hl_guest.shift) <= s->stamp)
		;
	return s->stamp;
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
