/*
 * columns_unpack.c - columns to records.  Floor: base.
 *
 * Invariants: nothing is read behind a column's end nor written behind records' room; each turn of the loop
 * takes a byte of OP, so the work is bounded by what was stored; and the model's arrays hold as many events
 * as there can be records in a claim, because every turn but that for a stamp writes the record's bytes.
 */
#include "analyzer/base/columns.h"
#include "analyzer/base/diag.h"
#include "analyzer/base/unpacker.h"
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct hl_unpacker *hl_unpacker_new(void)
{
	struct hl_unpacker *u = hl_xcalloc(1, sizeof(*u));

	u->zstd = ZSTD_createDCtx();
	return u;
}

void hl_unpacker_free(struct hl_unpacker *u)
{
	if (!u)
		return;
	ZSTD_freeDCtx(u->zstd);
	free(u);
}

/* Also 0 when so many are not known. */
static inline int get_age(struct hl_unpacker *u, enum hl_column c, uint32_t known, uint32_t *n)
{
	unsigned v, two;

	if (!hl_unpacker_get(u, c, &v))
		return 0;
	two = v >= 192;
	if (u->at[HL_COLUMN_LOW] + two > u->end[HL_COLUMN_LOW])
		return 0;
	/* there is always a byte to read, be it that of another column */
	v = two ? 192 + ((v - 192) << 8 | *u->at[HL_COLUMN_LOW]) : v;
	u->at[HL_COLUMN_LOW] += two;
	*n = v;
	return v < known;
}

static inline int get_far(struct hl_unpacker *u, uint64_t base, uint16_t *node)
{
	uint64_t v;

	if (!hl_unpacker_get_uv(u, HL_COLUMN_FAR, &v))
		return 0;
	v = v & 1 ? (uint64_t)hl_unzigzag(v >> 1) : (uint64_t)hl_unzigzag(v >> 1) * 16;
	*node = hl_model_node(&u->model, base + v);
	return 1;
}

static inline int get_hit(struct hl_unpacker *u, uint16_t *node)
{
	unsigned slot;

	if (!hl_unpacker_get(u, HL_COLUMN_LOW, &slot))
		return 0;
	*node = hl_model_hit(&u->model, slot);
	return 1;
}

static inline int get_stamp(struct hl_unpacker *u, uint64_t *delta)
{
	int advanced = hl_model_advances(&u->model) ^ u->flipped;

	u->flipped = 0;
	*delta = 0;
	if (advanced) {
		if (!hl_unpacker_get_uv(u, HL_COLUMN_STAMP, delta))
			return 0;
		++*delta;
	}
	hl_model_advance(&u->model, advanced);
	return 1;
}

static inline int get_alloc(struct hl_unpacker *u, enum hl_alloc_how how, unsigned class, uint16_t *node)
{
	struct hl_model *m = &u->model;
	uint32_t n;

	if (how <= HL_ALLOC_STRAY) {
		*node = hl_model_alloc_guess(m, class, how);
		return *node >= HL_LISTS;
	}
	switch (how) {
	case HL_ALLOC_FRESH:
		*node = hl_model_node(m, m->fresh);
		return 1;
	case HL_ALLOC_OLD:
		if (!get_age(u, HL_COLUMN_AGE, m->nfrees, &n))
			return 0;
		*node = m->frees[m->nfrees - 1 - n];
		return 1;
	case HL_ALLOC_HIT:
		return get_hit(u, node);
	case HL_ALLOC_FAR:
		return get_far(u, hl_model_alloc_base(m, class), node);
	default:
		return 0;
	}
}

static inline int get_free(struct hl_unpacker *u, enum hl_free_how how, uint16_t *node)
{
	struct hl_model *m = &u->model;
	uint32_t n;

	if (how <= HL_FREE_BEFORE) {
		*node = hl_model_free_guess(m, how);
		return *node >= HL_LISTS;
	}
	switch (how) {
	case HL_FREE_OLD:
		if (!get_age(u, HL_COLUMN_AGE, m->nallocs, &n))
			return 0;
		*node = m->allocs[m->nallocs - 1 - n];
		return 1;
	case HL_FREE_HIT:
		return get_hit(u, node);
	case HL_FREE_FAR:
		return get_far(u, m->last_free, node);
	default:
		return 0;
	}
}

static inline int get_site(struct hl_unpacker *u, enum hl_site_how how, uint16_t *site)
{
	struct hl_model *m = &u->model;
	uint64_t stack_entry, size;
	unsigned entry;
	uint32_t n;

	if (how <= HL_SITE_AFTER_ONE) {
		uint16_t one = hl_model_after_one(m), two = hl_model_after_two(m);

		*site = how == HL_SITE_AFTER_ONE ? one : two;
		return 1;
	}
	switch (how) {
	case HL_SITE_OLD:
		if (!get_age(u, HL_COLUMN_AGE, m->nplaces, &n))
			return 0;
		*site = m->places[m->nplaces - 1 - n];
		return 1;
	case HL_SITE_NEW:
		size = m->site[*hl_model_by_leaf(m)].size;
		stack_entry = m->chain_node << 3 | (m->site[*hl_model_by_leaf(m)].stack_entry & 7);
		break;
	case HL_SITE_NEW_SIZE:
		if (!hl_unpacker_get(u, HL_COLUMN_STACK, &entry) ||
		    !hl_unpacker_get_uv(u, HL_COLUMN_SIZE, &size))
			return 0;
		stack_entry = m->chain_node << 3 | (entry & 7);
		break;
	default:
		if (!hl_unpacker_get_uv(u, HL_COLUMN_STACK, &stack_entry))
			return 0;
		stack_entry = m->last_stack_entry + (uint64_t)hl_unzigzag(stack_entry);
		if (how == HL_SITE_STACK)
			size = m->site[*hl_model_by_stack(m, stack_entry >> 3)].size;
		else if (!hl_unpacker_get_uv(u, HL_COLUMN_SIZE, &size))
			return 0;
		break;
	}
	*site = hl_model_add_site(m, stack_entry, size);
	return 1;
}

/* The writing functions return the position behind what they wrote; NULL: damaged. */

static inline uint8_t *write_tag(uint8_t *out, unsigned tag, uint64_t delta)
{
	if (delta < HL_STAMP_MORE) {
		*out++ = (uint8_t)(tag | delta << 4);
		return out;
	}
	*out++ = (uint8_t)(tag | HL_STAMP_MORE << 4);
	return hl_put_uv(out, delta - HL_STAMP_MORE);
}

static inline int is_hit(const struct hl_model *m, uint16_t node)
{
	return m->addresses[m->nodes[node].slot] == m->nodes[node].address;
}

static inline uint8_t *write_address(struct hl_model *m, uint8_t *out, uint16_t node, int hit)
{
	int64_t d = (int64_t)(m->nodes[node].address - m->previous);
	uint64_t v = d & 15 ? hl_zigzag(d) << 1 | 1 : hl_zigzag(d >> 4) << 1;
	uint32_t bytes;
	unsigned n;

	/* hits follow no pattern either */
	if (__builtin_expect(v < HL_UV_SHORT || hit, 1)) {
		bytes = hl_uv_bytes((uint32_t)v, &n);
		bytes = hit ? m->nodes[node].slot : bytes;
		memcpy(out, &bytes, sizeof(bytes));
		out += hit ? 1 : n;
	} else {
		out = hl_put_uv(out, v);
	}
	hl_model_coded(m, node);
	return out;
}

static uint8_t *write_alloc(struct hl_unpacker *u, uint8_t *out, unsigned how)
{
	struct hl_model *m = &u->model;
	const struct hl_model_site *s;
	uint16_t node, site;
	uint64_t delta, size;
	unsigned class;
	int hit, site_hit;

	if (!get_stamp(u, &delta) || !get_site(u, how % HL_SITE_HOWS, &site))
		return NULL;
	s = &m->site[site];
	size = s->size;
	class = s->class;
	if (!get_alloc(u, how / HL_SITE_HOWS, class, &node))
		return NULL;
	site_hit = hl_model_has_site(m, site);
	hit = is_hit(m, node);
	out = write_tag(out, HL_TAG_ALLOC | (hit ? HL_TAG_HIT : 0) | (site_hit ? HL_TAG_SITE : 0), delta);
	out = write_address(m, out, node, hit);
	if (site_hit)
		*out++ = s->slot;
	else
		out = hl_uv_put(hl_uv_put(out, s->stack_entry), size);
	hl_model_alloc(m, node, class, size, how / HL_SITE_HOWS);
	m->sites[s->slot] = site;
	hl_model_place(m, site);
	return out;
}

static uint8_t *write_free(struct hl_unpacker *u, uint8_t *out, unsigned how)
{
	uint16_t node;
	uint64_t delta;
	int hit;

	if (!get_stamp(u, &delta) || !get_free(u, how >> 1, &node))
		return NULL;
	hit = is_hit(&u->model, node);
	out = write_tag(out, HL_TAG_FREE | (hit ? HL_TAG_HIT : 0) | (how & 1 ? HL_TAG_DELETE : 0), delta);
	out = write_address(&u->model, out, node, hit);
	hl_model_free(&u->model, node);
	return out;
}

static int end_block(struct hl_unpacker *u, uint16_t *node)
{
	unsigned how;

	if (!hl_unpacker_get(u, HL_COLUMN_OP, &how) || !get_free(u, how, node))
		return 0;
	hl_model_free(&u->model, *node);
	return 1;
}

static uint8_t *write_fields(struct hl_unpacker *u, uint8_t *out, unsigned n, uint64_t *last)
{
	while (n--) {
		if (!hl_unpacker_get_uv(u, HL_COLUMN_REST, last))
			return NULL;
		out = hl_put_uv(out, *last);
	}
	return out;
}

/* end: of the claim's records; there is HL_RECORD_ROOM behind it. */
static uint8_t *write_event(struct hl_unpacker *u, uint8_t *out, const uint8_t *end, unsigned tag)
{
	unsigned op = tag >> 2, fields = hl_columns_fields(op);
	uint64_t v = 0, domain;
	uint16_t node;
	int hit;

	if ((fields == HL_FIELDS_NONE && op != HL_OP_RELEASE) || !get_stamp(u, &v))
		return NULL;
	*out++ = (uint8_t)tag;
	out = hl_put_uv(out, v);
	switch (op) {
	case HL_OP_RELEASE:
		if (!end_block(u, &node))
			return NULL;
		hit = is_hit(&u->model, node);
		*out++ = (uint8_t)hit;
		return write_address(&u->model, out, node, hit);
	case HL_OP_FREE:
		if (!(out = write_fields(u, out, 1, &domain)) ||
		    !(out = write_fields(u, out, domain == HL_DOMAIN_HEAP ? 1 : 2, &v)))
			return NULL;
		if (domain != HL_DOMAIN_HEAP)
			return out;
		return end_block(u, &node) ? hl_put_uv(out, u->model.nodes[node].address) : NULL;
	case HL_OP_MARK:
		if (!(out = write_fields(u, out, fields, &v)) ||
		    v > (uint64_t)(u->end[HL_COLUMN_REST] - u->at[HL_COLUMN_REST]))
			return NULL;
		u->at[HL_COLUMN_REST] += v;
		return hl_unpacker_copy(out, end, u->at[HL_COLUMN_REST] - v, v);
	}
	return write_fields(u, out, fields, &v);
}

static uint8_t *write_record(struct hl_unpacker *u, uint8_t *out, const uint8_t *end, unsigned op)
{
	switch (op & 3) {
	case HL_TAG_ALLOC:
		return write_alloc(u, out, op >> 2);
	case HL_TAG_FREE:
		return write_free(u, out, op >> 2);
	case HL_TAG_EVENT:
		if (op == HL_TAG_EVENT) {
			u->flipped = 1;
			return out;
		}
		return write_event(u, out, end, op);
	default:
		return hl_unpacker_fact(u, out, end, op);
	}
}

int hl_unpacker_unpack(struct hl_unpacker *u, const uint8_t *packed, size_t n, uint8_t *records, size_t bytes)
{
	uint8_t *out = u->records, *end = u->records + bytes;
	unsigned op;

	if (bytes > HL_SLOT_ROOM || !hl_unpacker_open(u, packed, n, bytes, (1u << HL_COLUMNS) - 1))
		return 0;
	hl_model_start(&u->model);
	u->flipped = 0;
	while (out < end)
		if (!hl_unpacker_get(u, HL_COLUMN_OP, &op) || !(out = write_record(u, out, end, op)))
			return 0;
	if (out != end || !hl_unpacker_ended(u))
		return 0;
	memcpy(records, u->records, bytes);
	return 1;
}
