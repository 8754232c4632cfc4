/*
 * decode.c - records to events.  Floor: input.
 *
 * Invariant: at never passes end, and nothing is read outside [at, end).
 */
#include "analyzer/input/decode.h"
#include "analyzer/base/uv.h"
#include <string.h>

void hl_decode_init(struct hl_decoder *d, uint32_t nnodes)
{
	memset(d, 0, sizeof(*d));
	d->nnodes = nnodes;
}

void hl_decode_claim(struct hl_decoder *d, uint64_t base_stamp, int follows)
{
	uint32_t nnodes = d->nnodes;
	uint64_t released = d->released;
	int open = d->open && follows;

	hl_decode_init(d, nnodes);
	d->stamp = base_stamp;
	d->released = released;
	d->open = open;
}

void hl_decode_chunk(struct hl_decoder *d, const uint8_t *data, size_t n)
{
	d->at = data;
	d->end = data + n;
}

/* The decoding functions take and return a position; NULL: damaged. */

static inline const uint8_t *add_stamp(struct hl_decoder *d, const uint8_t *p, uint64_t delta)
{
	return __builtin_add_overflow(d->stamp, delta, &d->stamp) ? NULL : p;
}

static inline const uint8_t *get_stamp(struct hl_decoder *d, const uint8_t *p, unsigned tag)
{
	uint64_t delta = tag >> 4, more;

	if (delta == HL_STAMP_MORE) {
		p = hl_uv_get(p, d->end, &more);
		if (!p || __builtin_add_overflow(delta, more, &delta))
			return NULL;
	}
	return add_stamp(d, p, delta);
}

static inline const uint8_t *get_address(struct hl_decoder *d, const uint8_t *p, int hit)
{
	uint64_t v;

	if (hit) {
		if (p == d->end)
			return NULL;
		d->address = d->addresses[*p++];
	} else {
		p = hl_uv_get(p, d->end, &v);
		if (!p)
			return NULL;
		v = v & 1 ? (uint64_t)hl_unzigzag(v >> 1) : (uint64_t)hl_unzigzag(v >> 1) * 16;
		d->address += v;
	}
	d->addresses[hl_addr_slot(d->address)] = d->address;
	return p;
}

static inline uint32_t node_of(const struct hl_decoder *d, uint64_t stack)
{
	return stack < d->nnodes ? (uint32_t)stack : d->nnodes - 1;
}

static inline const uint8_t *get_site(struct hl_decoder *d, const uint8_t *p, int hit, struct hl_event *e)
{
	uint64_t stack_entry, size;
	uint32_t site;

	if (hit) {
		if (p == d->end)
			return NULL;
		site = d->sites[*p];
		size = d->sizes[*p++];
	} else {
		unsigned slot;

		p = hl_uv_get(p, d->end, &stack_entry);
		if (!p)
			return NULL;
		p = hl_uv_get(p, d->end, &size);
		if (!p)
			return NULL;
		slot = hl_site_slot(stack_entry, size);
		site = node_of(d, stack_entry >> 3) << 3 | (stack_entry & 7);
		d->sites[slot] = site;
		d->sizes[slot] = size;
	}
	e->stack = site >> 3;
	e->entry = site & 7;
	e->size = size;
	return p;
}

/* An alloc by realloc is the other half of the stream's open release. */
static inline void pair_realloc(struct hl_decoder *d, struct hl_event *e)
{
	e->type = HL_EV_ALLOC;
	if (e->entry == HL_ENTRY_REALLOC && d->open) {
		e->type = HL_EV_REALLOC;
		e->old_address = d->released;
		d->open = 0;
	}
}

/* e ends a block. */
static inline void take_call(struct hl_decoder *d, struct hl_event *e)
{
	e->stack = d->call;
	d->call = 0;
}

static const uint8_t *get_any_alloc(struct hl_decoder *d, const uint8_t *p, struct hl_event *e)
{
	uint64_t domain, entry, stack;

	if (!(p = hl_uv_get(p, d->end, &domain)) || !(p = hl_uv_get(p, d->end, &entry)) ||
	    !(p = hl_uv_get(p, d->end, &e->address)) || !(p = hl_uv_get(p, d->end, &e->size)) ||
	    !(p = hl_uv_get(p, d->end, &stack)) || domain > HL_DOMAIN_POOL || entry >= HL_ENTRY_FREE)
		return NULL;
	e->domain = (uint8_t)domain;
	e->entry = (uint8_t)entry;
	e->stack = node_of(d, stack);
	e->type = HL_EV_ALLOC;
	if (domain == HL_DOMAIN_HEAP)
		pair_realloc(d, e);
	return p;
}

static const uint8_t *get_any_free(struct hl_decoder *d, const uint8_t *p, struct hl_event *e)
{
	uint64_t domain, entry;

	if (!(p = hl_uv_get(p, d->end, &domain)) || !(p = hl_uv_get(p, d->end, &entry)) ||
	    !(p = hl_uv_get(p, d->end, &e->address)) || domain > HL_DOMAIN_POOL)
		return NULL;
	e->temporary = (entry & HL_ENTRY_TEMPORARY) != 0;
	entry &= ~(uint64_t)HL_ENTRY_TEMPORARY;
	if (entry < HL_ENTRY_FREE || entry >= HL_ENTRY_COUNT)
		return NULL;
	e->type = HL_EV_FREE;
	e->domain = (uint8_t)domain;
	e->entry = (uint8_t)entry;
	take_call(d, e);
	return p;
}

static const uint8_t *get_release(struct hl_decoder *d, const uint8_t *p, struct hl_event *e)
{
	if (p == d->end || *p > 1)
		return NULL;
	p = get_address(d, p + 1, *p);
	if (!p)
		return NULL;
	e->type = HL_EV_RELEASE;
	take_call(d, e);
	e->entry = HL_ENTRY_REALLOC;
	e->address = d->address;
	d->released = d->address;
	d->open = 1;
	return p;
}

static const uint8_t *get_range(struct hl_decoder *d, const uint8_t *p, struct hl_event *e, int map)
{
	uint64_t stack;

	e->domain = HL_DOMAIN_MMAP;
	e->entry = map ? HL_ENTRY_MMAP : HL_ENTRY_FREE;
	e->type = map ? HL_EV_MAP_RANGE : HL_EV_FREE_RANGE;
	if (!(p = hl_uv_get(p, d->end, &e->address)) || !(p = hl_uv_get(p, d->end, &e->size)))
		return NULL;
	if (!map) {
		take_call(d, e);
		return p;
	}
	p = hl_uv_get(p, d->end, &stack);
	if (!p)
		return NULL;
	e->stack = node_of(d, stack);
	return p;
}

static const uint8_t *get_mark(struct hl_decoder *d, const uint8_t *p, struct hl_event *e)
{
	uint64_t mark, n;

	if (!(p = hl_uv_get(p, d->end, &mark)) || !(p = hl_uv_get(p, d->end, &n)) || mark < HL_MARK_API ||
	    mark > HL_MARK_END || n > (uint64_t)(d->end - p))
		return NULL;
	e->type = HL_EV_MARK;
	e->mark = (uint8_t)mark;
	e->label = (const char *)p;
	e->size = n;
	return p + n;
}

/* *seen: 0 when the record says nothing, because the release that it ends was lost. */
static const uint8_t *get_op(struct hl_decoder *d, const uint8_t *p, unsigned op, struct hl_event *e,
			     int *seen)
{
	uint64_t delta;

	*seen = 1;
	p = hl_uv_get(p, d->end, &delta);
	if (!p || !(p = add_stamp(d, p, delta)))
		return NULL;
	e->domain = HL_DOMAIN_HEAP;
	e->stack = 0;
	switch (op) {
	case HL_OP_ALLOC:
		return get_any_alloc(d, p, e);
	case HL_OP_FREE:
		return get_any_free(d, p, e);
	case HL_OP_RELEASE:
		return get_release(d, p, e);
	case HL_OP_RESTORE:
	case HL_OP_DROP:
	case HL_OP_DROP_TEMPORARY:
		e->type = op == HL_OP_RESTORE ? HL_EV_RESTORE : HL_EV_DROP;
		e->temporary = op == HL_OP_DROP_TEMPORARY;
		e->entry = HL_ENTRY_REALLOC;
		e->address = d->released;
		*seen = d->open;
		d->open = 0;
		return p;
	case HL_OP_MAP_RANGE:
	case HL_OP_FREE_RANGE:
		return get_range(d, p, e, op == HL_OP_MAP_RANGE);
	case HL_OP_MARK:
		return get_mark(d, p, e);
	case HL_OP_THREAD:
		*seen = 0;
		p = hl_uv_get(p, d->end, &delta);
		if (!p || delta > UINT32_MAX)
			return NULL;
		d->thread = (uint32_t)delta;
		d->switched = 1;
		return p;
	case HL_OP_CALL:
		*seen = 0;
		p = hl_uv_get(p, d->end, &delta);
		if (p)
			d->call = node_of(d, delta);
		return p;
	}
	return NULL;
}

static const uint8_t *skip_fact(const uint8_t *p, const uint8_t *end)
{
	uint64_t n;

	p = hl_uv_get(p, end, &n);
	return p && n <= (uint64_t)(end - p) ? p + n : NULL;
}

int hl_decode_event(struct hl_decoder *d, struct hl_event *e)
{
	const uint8_t *p = d->at;
	unsigned tag;
	int seen = 0;

	while (p != d->end && !seen) {
		tag = *p++;
		seen = 1;
		switch (tag & 3) {
		case HL_TAG_ALLOC:
			if (!(p = get_stamp(d, p, tag)) || !(p = get_address(d, p, tag & HL_TAG_HIT)) ||
			    !(p = get_site(d, p, tag & HL_TAG_SITE, e)))
				goto damaged;
			e->domain = HL_DOMAIN_HEAP;
			e->address = d->address;
			pair_realloc(d, e);
			break;
		case HL_TAG_FREE:
			if (!(p = get_stamp(d, p, tag)) || !(p = get_address(d, p, tag & HL_TAG_HIT)))
				goto damaged;
			e->type = HL_EV_FREE;
			e->domain = HL_DOMAIN_HEAP;
			e->entry = tag & HL_TAG_DELETE ? HL_ENTRY_DELETE : HL_ENTRY_FREE;
			e->temporary = 0;
			e->address = d->address;
			take_call(d, e);
			break;
		case HL_TAG_EVENT:
			p = get_op(d, p, tag >> 2, e, &seen);
			break;
		case HL_TAG_FACT:
			p = skip_fact(p, d->end);
			seen = 0;
			break;
		}
		if (!p)
			goto damaged;
	}
	d->at = p;
	e->stamp = d->stamp;
	return seen;

damaged:
	d->at = d->end;
	return -1;
}
