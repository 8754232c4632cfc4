/*
 * cfi_expr.c - the DWARF expressions that occur in call frame information: PLT entries, realigned
 * frames (CFA = *(rbp - 8)), signal frames.  DWARF 5 section 2.5.
 */
#include "preload/cfi.h"
#include <stddef.h>

#define DEPTH 16

static uint64_t uleb(const uint8_t **p)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = *(*p)++;

		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			break;
	}
	return v;
}

static int64_t sleb(const uint8_t **p)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = *(*p)++;
		v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80 && shift < 64);
	if (shift < 64 && b & 0x40)
		v |= ~0ull << shift;
	return (int64_t)v;
}

int hl_cfi_eval(const struct hl_cfi *c, int32_t expr, const uint64_t regs[HL_REGS], uint64_t known,
		uint64_t push, int has_push, int (*read)(void *ctx, uint64_t address, uint64_t *value),
		void *ctx, uint64_t *value)
{
	const uint8_t *p = c->expr_base + expr;
	uint64_t st[DEPTH], a;
	size_t bytes = uleb(&p), n = 0;
	const uint8_t *end = p + bytes;

	if (has_push)
		st[n++] = push;
	while (p < end) {
		uint8_t op = *p++;

		if (n + 1 >= DEPTH)
			return -1;
		if (op >= 0x30 && op <= 0x4f) { /* lit */
			st[n++] = op - 0x30u;
		} else if (op >= 0x70 && op < 0x70 + 32 && op < 0x70 + HL_REGS) { /* breg */
			if (!(known >> (op - 0x70) & 1))
				return -1;
			st[n++] = regs[op - 0x70] + (uint64_t)sleb(&p);
		} else if (op == 0x06) { /* deref */
			if (n < 1 || !read(ctx, st[n - 1], &st[n - 1]))
				return -1;
		} else if (op == 0x08 || op == 0x09) { /* const1 */
			st[n++] = op == 0x08 ? *p : (uint64_t)(int64_t)(int8_t)*p;
			p++;
		} else if (op == 0x10) { /* constu */
			st[n++] = uleb(&p);
		} else if (op == 0x11) { /* consts */
			st[n++] = (uint64_t)sleb(&p);
		} else if (op == 0x12) { /* dup */
			if (n < 1)
				return -1;
			st[n] = st[n - 1];
			n++;
		} else if (op == 0x23) { /* plus_uconst */
			a = uleb(&p);
			if (n < 1)
				return -1;
			st[n - 1] += a;
		} else {
			if (n < 2)
				return -1;
			a = st[--n];
			switch (op) {
			case 0x1a:
				st[n - 1] &= a;
				break;
			case 0x1c:
				st[n - 1] -= a;
				break;
			case 0x21:
				st[n - 1] |= a;
				break;
			case 0x22:
				st[n - 1] += a;
				break;
			case 0x24:
				st[n - 1] <<= a & 63;
				break;
			case 0x2a: /* ge */
				st[n - 1] = (int64_t)st[n - 1] >= (int64_t)a;
				break;
			default:
				return -1;
			}
		}
	}
	if (n < 1)
		return -1;
	*value = st[n - 1];
	return 0;
}
