/*
 * decode_fact.c - the facts among the records of a chunk.  Floor: input.
 *
 * Events are skipped by their tag alone, which needs none of the coding state: most chunks that
 * hold facts hold thousands of events for each.
 */
#include "analyzer/input/decode.h"

/* A position after n varints, NULL: cut. */
static inline const uint8_t *skip_uv(const uint8_t *p, const uint8_t *end, unsigned n)
{
	while (n--) {
		do
			if (p == end)
				return NULL;
		while (*p++ & 0x80);
	}
	return p;
}

static inline const uint8_t *skip_address(const uint8_t *p, const uint8_t *end, int hit)
{
	if (hit)
		return p == end ? NULL : p + 1;
	return skip_uv(p, end, 1);
}

static inline const uint8_t *skip_alloc(const uint8_t *p, const uint8_t *end, unsigned tag)
{
	if (tag >> 4 == HL_STAMP_MORE && !(p = skip_uv(p, end, 1)))
		return NULL;
	if (!(p = skip_address(p, end, tag & HL_TAG_HIT)))
		return NULL;
	if (tag & HL_TAG_SITE)
		return p == end ? NULL : p + 1;
	return skip_uv(p, end, 2);
}

static const uint8_t *skip_op(const uint8_t *p, const uint8_t *end, unsigned op)
{
	/* varints of each kind, its stamp included; 0: no such kind */
	static const uint8_t fields[] = {
		[HL_OP_ALLOC] = 6,  [HL_OP_FREE] = 4,           [HL_OP_RELEASE] = 1,    [HL_OP_RESTORE] = 1,
		[HL_OP_DROP] = 1,   [HL_OP_MAP_RANGE] = 4,      [HL_OP_FREE_RANGE] = 3, [HL_OP_MARK] = 2,
		[HL_OP_THREAD] = 2, [HL_OP_DROP_TEMPORARY] = 1, [HL_OP_CALL] = 2,
	};
	uint64_t n;

	if (op >= sizeof(fields) || !fields[op] || !(p = skip_uv(p, end, fields[op])))
		return NULL;
	if (op == HL_OP_RELEASE)
		return p == end || *p > 1 ? NULL : skip_address(p + 1, end, *p);
	if (op == HL_OP_MARK) {
		p = hl_get_uv(p, end, &n);
		return p && n <= (uint64_t)(end - p) ? p + n : NULL;
	}
	return p;
}

int hl_decode_fact(struct hl_fact_reader *r, struct hl_fact_record *f)
{
	const uint8_t *p = r->at, *end = r->end;
	uint64_t n;

	while (p && p != end) {
		unsigned tag = *p++;

		switch (tag & 3) {
		case HL_TAG_ALLOC:
			p = skip_alloc(p, end, tag);
			break;
		case HL_TAG_FREE:
			if (tag >> 4 == HL_STAMP_MORE && !(p = skip_uv(p, end, 1)))
				break;
			p = skip_address(p, end, tag & HL_TAG_HIT);
			break;
		case HL_TAG_EVENT:
			p = skip_op(p, end, tag >> 2);
			break;
		case HL_TAG_FACT:
			p = hl_get_uv(p, end, &n);
			if (!p || n > (uint64_t)(end - p)) {
				p = NULL;
				break;
			}
			f->kind = tag >> 2 & 31;
			f->must = (tag & HL_TAG_MUST) != 0;
			f->at = p;
			f->end = r->at = p + n;
			return 1;
		}
	}
	r->at = end;
	return p ? 0 : -1;
}

int hl_fact_uv(struct hl_fact_record *f, uint64_t *v)
{
	const uint8_t *p = hl_get_uv(f->at, f->end, v);

	if (p)
		f->at = p;
	return p != NULL;
}

int hl_fact_u32(struct hl_fact_record *f, uint32_t *v)
{
	uint64_t wide;

	if (!hl_fact_uv(f, &wide) || wide > UINT32_MAX)
		return 0;
	*v = (uint32_t)wide;
	return 1;
}

int hl_fact_string(struct hl_fact_record *f, const uint8_t **s, size_t *n)
{
	uint64_t len;

	if (!hl_fact_uv(f, &len) || len > (uint64_t)(f->end - f->at))
		return 0;
	*s = f->at;
	*n = (size_t)len;
	f->at += len;
	return 1;
}
