/*
 * columns_take.c - records to columns.  Floor: base.
 *
 * Invariant: what is put into the columns for a record is what columns_unpack.c needs to write that record's
 * very bytes, given the same model; a record of which that is not so refuses the claim.
 */
#include "analyzer/base/packer.h"
#include "analyzer/base/uv.h"
#include <string.h>

static inline void put(struct hl_packer *p, enum hl_column c, unsigned byte)
{
	*p->at[c]++ = (uint8_t)byte;
}

static inline void put_uv(struct hl_packer *p, enum hl_column c, uint64_t v)
{
	p->at[c] = hl_uv_put(p->at[c], v);
}

static void put_bytes(struct hl_packer *p, enum hl_column c, const uint8_t *from, const uint8_t *to)
{
	memcpy(p->at[c], from, (size_t)(to - from));
	p->at[c] += to - from;
}

/* "n ago" in two columns, so that the half that is noise does not spoil the other. */
static inline void put_age(struct hl_packer *p, enum hl_column c, uint32_t n)
{
	int two = n >= 192;

	put(p, c, two ? 192 + ((n - 192) >> 8) : n);
	*p->at[HL_COLUMN_LOW] = (uint8_t)(n - 192);
	p->at[HL_COLUMN_LOW] += two;
}

/* The reading functions take and return a position; NULL: refused. */

/* In its shortest form only. */
static inline const uint8_t *get_uv(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	const uint8_t *q = hl_uv_get(p, end, v);

	return q && (q[-1] || q == p + 1) ? q : NULL;
}

static inline void put_stamp(struct hl_packer *p, uint64_t delta)
{
	int advanced = delta != 0;

	if (advanced != hl_model_advances(&p->model))
		put(p, HL_COLUMN_OP, HL_TAG_EVENT);
	if (advanced)
		put_uv(p, HL_COLUMN_STAMP, delta - 1);
	hl_model_advance(&p->model, advanced);
}

static inline const uint8_t *take_stamp(struct hl_packer *p, const uint8_t *at, const uint8_t *end,
					unsigned tag)
{
	uint64_t delta = tag >> 4, more;

	if (delta == HL_STAMP_MORE) {
		at = get_uv(at, end, &more);
		if (!at || __builtin_add_overflow(delta, more, &delta))
			return NULL;
	}
	put_stamp(p, delta);
	return at;
}

/* *hit: it was a hit, at index *slot. */
static inline const uint8_t *get_address(const struct hl_model *m, const uint8_t *at, const uint8_t *end,
					 int hit, uint64_t *address)
{
	uint64_t v, d;

	if (hit) {
		if (at == end)
			return NULL;
		*address = m->addresses[*at];
		/* an entry that was never written */
		return *address || *at == 0 ? at + 1 : NULL;
	}
	at = get_uv(at, end, &v);
	if (!at)
		return NULL;
	d = v & 1 ? (uint64_t)hl_unzigzag(v >> 1) : (uint64_t)hl_unzigzag(v >> 1) * 16;
	if (v != (d & 15 ? hl_zigzag((int64_t)d) << 1 | 1 : hl_zigzag((int64_t)d >> 4) << 1))
		return NULL;
	*address = m->previous + d;
	return m->addresses[hl_addr_slot(*address)] == *address ? NULL : at;
}

/* 0: a difference that the form of format.h cannot say. */
static int put_far(struct hl_packer *p, uint64_t address, uint64_t base)
{
	int64_t d = (int64_t)(address - base);

	if (!(d & 15)) {
		put_uv(p, HL_COLUMN_FAR, hl_zigzag(d >> 4) << 1);
		return 1;
	}
	if (d >= 1ll << 61 || d <= -(1ll << 61))
		return 0;
	put_uv(p, HL_COLUMN_FAR, hl_zigzag(d) << 1 | 1);
	return 1;
}

/* Whether the recorder's cache has it; that entry then is its node. */
static inline int put_hit(struct hl_packer *p, uint64_t address, uint16_t *node)
{
	unsigned slot = hl_addr_slot(address);

	if (p->model.addresses[slot] != address)
		return 0;
	put(p, HL_COLUMN_LOW, slot);
	*node = hl_model_hit(&p->model, slot);
	return 1;
}

/* As hl_model_find; the recorder's cache often knows sooner. */
static inline uint16_t find(const struct hl_model *m, uint64_t address)
{
	uint16_t i = m->address_nodes[hl_addr_slot(address)];

	return i && m->nodes[i].address == address ? i : hl_model_find(m, address);
}

/* HL_ALLOC_HOWS: refused.  Here and in put_free the guesses are compared without a branch for each: which one is
 * right follows no pattern. */
static enum hl_alloc_how put_alloc(struct hl_packer *p, uint64_t address, unsigned class, uint16_t *node)
{
	struct hl_model *m = &p->model;
	enum hl_alloc_how how = HL_ALLOC_STRAY;

	*node = hl_model_alloc_guess(m, class, how);
	for (int g = HL_ALLOC_FIRST; g >= HL_ALLOC_LAST; g--) {
		uint16_t i = hl_model_alloc_guess(m, class, g);
		int right = m->nodes[i].address == address;

		*node = right ? i : *node;
		how = right ? (enum hl_alloc_how)g : how;
	}
	if (m->nodes[*node].address == address && *node >= HL_LISTS)
		return how;
	if (address == m->fresh) {
		*node = hl_model_node(m, address);
		return HL_ALLOC_FRESH;
	}
	*node = find(m, address);
	if (*node && m->nodes[*node].state == HL_STATE_FREE) {
		put_age(p, HL_COLUMN_AGE, m->nfrees - 1 - m->nodes[*node].order);
		return HL_ALLOC_OLD;
	}
	if (put_hit(p, address, node))
		return HL_ALLOC_HIT;
	if (!put_far(p, address, hl_model_alloc_base(m, class)))
		return HL_ALLOC_HOWS;
	*node = hl_model_node(m, address);
	return HL_ALLOC_FAR;
}

/* HL_FREE_HOWS: refused. */
static enum hl_free_how put_free(struct hl_packer *p, uint64_t address, uint16_t *node)
{
	struct hl_model *m = &p->model;
	enum hl_free_how how = HL_FREE_BEFORE;

	*node = hl_model_free_guess(m, how);
	for (int g = HL_FREE_NEXT; g >= HL_FREE_NEWEST; g--) {
		uint16_t i = hl_model_free_guess(m, g);
		int right = m->nodes[i].address == address;

		*node = right ? i : *node;
		how = right ? (enum hl_free_how)g : how;
	}
	if (m->nodes[*node].address == address && *node >= HL_LISTS)
		return how;
	*node = find(m, address);
	if (*node && m->nodes[*node].state == HL_STATE_LIVE) {
		put_age(p, HL_COLUMN_AGE, m->nallocs - 1 - m->nodes[*node].order);
		return HL_FREE_OLD;
	}
	if (put_hit(p, address, node))
		return HL_FREE_HIT;
	if (!put_far(p, address, m->last_free))
		return HL_FREE_HOWS;
	*node = hl_model_node(m, address);
	return HL_FREE_FAR;
}

static const uint8_t *get_site(const struct hl_model *m, const uint8_t *at, const uint8_t *end, int hit,
			       struct hl_model_site *s)
{
	if (hit) {
		if (at == end)
			return NULL;
		*s = m->site[m->sites[*at]];
		/* an entry that was never written */
		return s->slot == *at ? at + 1 : NULL;
	}
	if (!(at = get_uv(at, end, &s->stack_entry)) || !(at = get_uv(at, end, &s->size)))
		return NULL;

	const struct hl_model_site *old = &m->site[m->sites[hl_site_slot(s->stack_entry, s->size)]];

	return old->stack_entry == s->stack_entry && old->size == s->size ? NULL : at;
}

static int is_site(const struct hl_model *m, uint16_t i, const struct hl_model_site *s)
{
	return m->site[i].stack_entry == s->stack_entry && m->site[i].size == s->size;
}

static enum hl_site_how put_site(struct hl_packer *p, const struct hl_model_site *s, uint16_t *site)
{
	struct hl_model *m = &p->model;
	uint64_t stack = s->stack_entry >> 3;
	const struct hl_model_site *guess;

	*site = hl_model_after_two(m);
	if (is_site(m, *site, s))
		return HL_SITE_AFTER_TWO;
	*site = hl_model_after_one(m);
	if (is_site(m, *site, s))
		return HL_SITE_AFTER_ONE;
	*site = hl_model_find_site(m, s->stack_entry, s->size);
	if (*site) {
		put_age(p, HL_COLUMN_AGE, m->nplaces - 1 - m->site[*site].order);
		return HL_SITE_OLD;
	}
	*site = hl_model_add_site(m, s->stack_entry, s->size);
	if (stack == m->chain_node) {
		guess = &m->site[*hl_model_by_leaf(m)];
		if (guess->size == s->size && (guess->stack_entry & 7) == (s->stack_entry & 7))
			return HL_SITE_NEW;
		put(p, HL_COLUMN_STACK, s->stack_entry & 7);
		put_uv(p, HL_COLUMN_SIZE, s->size);
		return HL_SITE_NEW_SIZE;
	}
	put_uv(p, HL_COLUMN_STACK, hl_zigzag((int64_t)(s->stack_entry - m->last_stack_entry)));
	if (m->site[*hl_model_by_stack(m, stack)].size == s->size)
		return HL_SITE_STACK;
	put_uv(p, HL_COLUMN_SIZE, s->size);
	return HL_SITE_STACK_SIZE;
}

static const uint8_t *take_alloc(struct hl_packer *p, const uint8_t *at, const uint8_t *end, unsigned tag)
{
	struct hl_model *m = &p->model;
	struct hl_model_site s;
	enum hl_alloc_how how;
	enum hl_site_how site_how;
	uint64_t address;
	uint16_t node, site;
	unsigned class;

	if (!(at = take_stamp(p, at, end, tag)) ||
	    !(at = get_address(m, at, end, tag & HL_TAG_HIT, &address)) ||
	    !(at = get_site(m, at, end, tag & HL_TAG_SITE, &s)))
		return NULL;
	site_how = put_site(p, &s, &site);
	class = m->site[site].class;
	how = put_alloc(p, address, class, &node);
	if (how == HL_ALLOC_HOWS)
		return NULL;
	put(p, HL_COLUMN_OP, HL_TAG_ALLOC | (how * HL_SITE_HOWS + site_how) << 2);
	hl_model_alloc(m, node, class, s.size, how);
	hl_model_coded(m, node);
	m->sites[m->site[site].slot] = site;
	hl_model_place(m, site);
	return at;
}

static const uint8_t *take_free(struct hl_packer *p, const uint8_t *at, const uint8_t *end, unsigned tag)
{
	enum hl_free_how how;
	uint64_t address;
	uint16_t node;

	if (!(at = take_stamp(p, at, end, tag)) ||
	    !(at = get_address(&p->model, at, end, tag & HL_TAG_HIT, &address)))
		return NULL;
	how = put_free(p, address, &node);
	if (how == HL_FREE_HOWS)
		return NULL;
	put(p, HL_COLUMN_OP, HL_TAG_FREE | how << 3 | (tag & HL_TAG_DELETE ? 4 : 0));
	hl_model_free(&p->model, node);
	hl_model_coded(&p->model, node);
	return at;
}

/* The block that a RELEASE or a FREE event ends. */
static const uint8_t *end_block(struct hl_packer *p, const uint8_t *at, uint64_t address, uint16_t *node)
{
	enum hl_free_how how = put_free(p, address, node);

	if (how == HL_FREE_HOWS)
		return NULL;
	put(p, HL_COLUMN_OP, how);
	hl_model_free(&p->model, *node);
	return at;
}

static const uint8_t *take_release(struct hl_packer *p, const uint8_t *at, const uint8_t *end)
{
	uint64_t address;
	uint16_t node;

	if (at == end || *at > 1 || !(at = get_address(&p->model, at + 1, end, *at, &address)) ||
	    !(at = end_block(p, at, address, &node)))
		return NULL;
	hl_model_coded(&p->model, node);
	return at;
}

/* Fields that stay as they are. */
static const uint8_t *take_fields(struct hl_packer *p, const uint8_t *at, const uint8_t *end, unsigned n,
				  uint64_t *last)
{
	const uint8_t *from = at;

	while (n--)
		if (!(at = get_uv(at, end, last)))
			return NULL;
	put_bytes(p, HL_COLUMN_REST, from, at);
	return at;
}

static const uint8_t *take_event(struct hl_packer *p, const uint8_t *at, const uint8_t *end, unsigned tag)
{
	unsigned op = tag >> 2, fields = hl_columns_fields(op);
	uint64_t v = 0, domain;
	uint16_t node;

	if ((fields == HL_FIELDS_NONE && op != HL_OP_RELEASE) || !(at = get_uv(at, end, &v)))
		return NULL;
	put_stamp(p, v);
	put(p, HL_COLUMN_OP, tag);
	switch (op) {
	case HL_OP_RELEASE:
		return take_release(p, at, end);
	case HL_OP_FREE:
		if (!(at = take_fields(p, at, end, 1, &domain)) ||
		    !(at = take_fields(p, at, end, domain == HL_DOMAIN_HEAP ? 1 : 2, &v)))
			return NULL;
		if (domain != HL_DOMAIN_HEAP)
			return at;
		at = get_uv(at, end, &v);
		return at ? end_block(p, at, v, &node) : NULL;
	case HL_OP_MARK:
		at = take_fields(p, at, end, fields, &v);
		if (!at || v > (uint64_t)(end - at))
			return NULL;
		put_bytes(p, HL_COLUMN_REST, at, at + v);
		return at + v;
	}
	return take_fields(p, at, end, fields, &v);
}

static int take_chain(struct hl_packer *p, const uint8_t *at, const uint8_t *end, int wide)
{
	uint64_t id, up, n = 0;
	const uint8_t *byte;

	if (!(at = get_uv(at, end, &id)) || !(at = get_uv(at, end, &up)))
		return 0;
	if (at != end && end[-1] & 0x80)
		return 0;
	for (byte = at; byte != end; byte++)
		n += *byte < 0x80;
	put_bytes(p, HL_COLUMN_CHAIN, at, end);
	put_uv(p, HL_COLUMN_REST, id);
	put_uv(p, HL_COLUMN_REST, up);
	put_uv(p, HL_COLUMN_REST, n << 1 | (unsigned)wide);
	hl_model_chain(&p->model, id, n, at, end);
	return 1;
}

static const uint8_t *take_fact(struct hl_packer *p, const uint8_t *at, const uint8_t *end, unsigned tag)
{
	/* the recorder writes the length of a chain that may be long before it knows it */
	int chain = tag == (HL_TAG_FACT | HL_FACT_CHAIN << 2);
	int wide = chain && end - at > 2 && at[0] >= 0x80 && at[1] == 0;
	uint64_t n;

	at = wide ? hl_get_uv(at, end, &n) : get_uv(at, end, &n);
	if (!at || n > (uint64_t)(end - at))
		return NULL;
	put(p, HL_COLUMN_OP, tag);
	if (chain)
		return take_chain(p, at, at + n, wide) ? at + n : NULL;
	put_uv(p, HL_COLUMN_REST, n);
	put_bytes(p, HL_COLUMN_REST, at, at + n);
	return at + n;
}

int hl_packer_take(struct hl_packer *p, const uint8_t *at, const uint8_t *end)
{
	while (at != end) {
		unsigned tag = *at++;

		switch (tag & 3) {
		case HL_TAG_ALLOC:
			at = take_alloc(p, at, end, tag);
			break;
		case HL_TAG_FREE:
			at = take_free(p, at, end, tag);
			break;
		case HL_TAG_EVENT:
			at = take_event(p, at, end, tag);
			break;
		default:
			at = take_fact(p, at, end, tag);
			break;
		}
		if (!at)
			return 0;
	}
	return 1;
}
