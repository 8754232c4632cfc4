/*
 * columns_facts.c - opening columns, and the facts in them.  Floor: base.
 *
 * Facts need none of the model: a byte of OP says how much of which column an event has.
 */
#include "analyzer/base/unpacker.h"
#include <string.h>

#define FACT_COLUMNS (1u << HL_COLUMN_OP | 1u << HL_COLUMN_CHAIN | 1u << HL_COLUMN_REST)

unsigned hl_columns_fields(unsigned op)
{
	switch (op) {
	case HL_OP_ALLOC:
		return 5;
	case HL_OP_FREE:
	case HL_OP_MAP_RANGE:
		return 3;
	case HL_OP_RESTORE:
	case HL_OP_DROP:
	case HL_OP_DROP_TEMPORARY:
		return 0;
	case HL_OP_FREE_RANGE:
	case HL_OP_MARK:
		return 2;
	case HL_OP_THREAD:
	case HL_OP_CALL:
		return 1;
	default:
		return HL_FIELDS_NONE;
	}
}

int hl_unpacker_open(struct hl_unpacker *u, const uint8_t *packed, size_t n, size_t bytes, unsigned wanted)
{
	uint64_t raw[HL_COLUMNS], stored[HL_COLUMNS];
	const uint8_t *p = packed, *end = packed + n;
	size_t room = 2 * bytes;
	uint8_t *out = u->raw;

	for (unsigned c = 0; c < HL_COLUMNS; c++)
		if (!(p = hl_get_uv(p, end, &raw[c])) || !(p = hl_get_uv(p, end, &stored[c])))
			return 0;
	for (unsigned c = 0; c < HL_COLUMNS; c++) {
		if (raw[c] > room || stored[c] > (uint64_t)(end - p))
			return 0;
		if (!(wanted >> c & 1))
			raw[c] = 0;
		else if (stored[c] == raw[c])
			memcpy(out, p, raw[c]);
		else if (ZSTD_decompressDCtx(u->zstd, out, raw[c], p, stored[c]) != raw[c])
			return 0;
		u->at[c] = out;
		u->end[c] = out += raw[c];
		room -= raw[c];
		p += stored[c];
	}
	return p == end;
}

int hl_unpacker_ended(const struct hl_unpacker *u)
{
	for (unsigned c = 0; c < HL_COLUMNS; c++)
		if (u->at[c] != u->end[c])
			return 0;
	return 1;
}

static uint8_t *write_chain(struct hl_unpacker *u, uint8_t *out, const uint8_t *end)
{
	uint64_t id, up, n, left;
	unsigned wide;
	const uint8_t *sites = u->at[HL_COLUMN_CHAIN], *at = sites;
	uint8_t head[20], *p;

	if (!hl_unpacker_get_uv(u, HL_COLUMN_REST, &id) || !hl_unpacker_get_uv(u, HL_COLUMN_REST, &up) ||
	    !hl_unpacker_get_uv(u, HL_COLUMN_REST, &n) ||
	    n >> 1 > (uint64_t)(u->end[HL_COLUMN_CHAIN] - sites))
		return NULL;
	wide = n & 1;
	n >>= 1;
	for (left = n; left && at != u->end[HL_COLUMN_CHAIN]; at++)
		left -= *at < 0x80;
	if (left)
		return NULL;
	u->at[HL_COLUMN_CHAIN] = at;
	hl_model_chain(&u->model, id, n, sites, at);
	n = (uint64_t)(at - sites);
	p = hl_put_uv(hl_put_uv(head, id), up);
	n += (uint64_t)(p - head);
	out = hl_put_uv(out, n);
	if (wide && n < 0x80) {
		out[-1] |= 0x80;
		*out++ = 0;
	}
	n -= (uint64_t)(p - head);
	out = hl_unpacker_copy(out, end + HL_RECORD_ROOM, head, (uint64_t)(p - head));
	return out ? hl_unpacker_copy(out, end, sites, n) : NULL;
}

uint8_t *hl_unpacker_fact(struct hl_unpacker *u, uint8_t *out, const uint8_t *end, unsigned tag)
{
	uint64_t n;

	*out++ = (uint8_t)tag;
	if (tag == (HL_TAG_FACT | HL_FACT_CHAIN << 2))
		return write_chain(u, out, end);
	if (!hl_unpacker_get_uv(u, HL_COLUMN_REST, &n) ||
	    n > (uint64_t)(u->end[HL_COLUMN_REST] - u->at[HL_COLUMN_REST]))
		return NULL;
	u->at[HL_COLUMN_REST] += n;
	return hl_unpacker_copy(hl_put_uv(out, n), end, u->at[HL_COLUMN_REST] - n, n);
}

static int skip_event(struct hl_unpacker *u, unsigned op)
{
	unsigned fields = hl_columns_fields(op), how;
	uint64_t v = 0, domain = HL_DOMAIN_HEAP;

	if (op == 0)
		return 1; /* about the next record's stamp */
	if (op == HL_OP_RELEASE)
		return hl_unpacker_get(u, HL_COLUMN_OP, &how);
	if (fields == HL_FIELDS_NONE)
		return 0;
	if (op == HL_OP_FREE) {
		if (!hl_unpacker_get_uv(u, HL_COLUMN_REST, &domain))
			return 0;
		fields = domain == HL_DOMAIN_HEAP ? 1 : 2;
	}
	while (fields--)
		if (!hl_unpacker_get_uv(u, HL_COLUMN_REST, &v))
			return 0;
	if (op == HL_OP_FREE && domain == HL_DOMAIN_HEAP)
		return hl_unpacker_get(u, HL_COLUMN_OP, &how);
	if (op != HL_OP_MARK)
		return 1;
	if (v > (uint64_t)(u->end[HL_COLUMN_REST] - u->at[HL_COLUMN_REST]))
		return 0;
	u->at[HL_COLUMN_REST] += v;
	return 1;
}

int hl_unpacker_facts(struct hl_unpacker *u, const uint8_t *packed, size_t n, uint8_t *records, size_t bytes,
		      size_t *got)
{
	uint8_t *out = u->records, *end = u->records + bytes;
	unsigned op;

	if (bytes > HL_SLOT_ROOM || !hl_unpacker_open(u, packed, n, bytes, FACT_COLUMNS))
		return 0;
	while (hl_unpacker_get(u, HL_COLUMN_OP, &op)) {
		if ((op & 3) < HL_TAG_EVENT)
			continue;
		if ((op & 3) == HL_TAG_EVENT) {
			if (!skip_event(u, op >> 2))
				return 0;
			continue;
		}
		out = hl_unpacker_fact(u, out, end, op);
		if (!out || out > end)
			return 0;
	}
	if (!hl_unpacker_ended(u))
		return 0;
	*got = (size_t)(out - u->records);
	memcpy(records, u->records, *got);
	return 1;
}
