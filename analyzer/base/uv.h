/*
 * uv.h - varints of up to four bytes without a branch on their length.  Floor: base.
 *
 * In records and columns lengths of varints follow no pattern: a loop over the bytes of one is mispredicted
 * about once each, which costs more than all else that is done with it.
 */
#ifndef HL_BASE_UV_H
#define HL_BASE_UV_H

#include "heapledger/format.h"
#include <string.h>

/* Below this a varint has at most four bytes. */
#define HL_UV_SHORT (1u << 28)

/* The bytes of v < HL_UV_SHORT, first the lowest; *n: how many. */
static inline uint32_t hl_uv_bytes(uint32_t v, unsigned *n)
{
	unsigned more = (v >= 1u << 7) + (v >= 1u << 14) + (v >= 1u << 21);
	uint32_t spread = (v & 0x7f) | (v << 1 & 0x7f00) | (v << 2 & 0x7f0000) | (v << 3 & 0x7f000000);

	*n = more + 1;
	return spread | (0x00808080u & ((1u << 8 * more) - 1));
}

/* As hl_put_uv, but up to four bytes behind v may be overwritten. */
static inline uint8_t *hl_uv_put(uint8_t *p, uint64_t v)
{
	unsigned n;
	uint32_t bytes;

	if (__builtin_expect(v >= HL_UV_SHORT, 0))
		return hl_put_uv(p, v);
	bytes = hl_uv_bytes((uint32_t)v, &n);
	memcpy(p, &bytes, sizeof(bytes));
	return p + n;
}

/* As hl_get_uv. */
static inline const uint8_t *hl_uv_get(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint32_t x, last;
	unsigned bits;

	if (__builtin_expect(end - p < 4, 0))
		return hl_get_uv(p, end, v);
	memcpy(&x, p, sizeof(x));
	last = ~x & 0x80808080u;
	if (__builtin_expect(!last, 0))
		return hl_get_uv(p, end, v);
	bits = (unsigned)__builtin_ctz(last) + 1; /* 8, 16, 24 or 32 */
	x &= 0xffffffffu >> (32 - bits);
	*v = (x & 0x7f) | (x >> 1 & 0x3f80) | (x >> 2 & 0x1fc000) | (x >> 3 & 0xfe00000);
	return p + bits / 8;
}

#endif
