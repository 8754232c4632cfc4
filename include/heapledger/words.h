/*
 * words.h - the coding of HL_FACT_IMAGE_WORDS, and the writer's half of it.
 *
 * A payload: uv n, uv bytes of tokens; a bit a word, (n + 7) / 8 bytes, the lowest first; tokens; nibbles to the end, the lower
 * half of a byte first, a last half that is not needed 0.  Coding state starts with each payload: slot -8, value 0, all caches 0.
 *
 *   token    16 bits, little endian, says how a word is coded.  Bit 1: it is the one that came last in this context, which the
 *            two tokens before make; bit 0: it is the next of the tokens, and from now on comes in that context.  Pointers lie in
 *            patterns as long as the program's structures, so most bits are 1.
 *     gap    bits 0-3: words between the slot before and this one; HL_WORD_FAR: in nibbles
 *     base   bits 4-5: enum hl_word_base
 *     odd    bit 6: the value is no multiple of 16: a nibble, not 0
 *     width  bits 7-10: nibbles of zigzag((value >> 4) - (base >> 4)); upper ones may be 0
 *   nibbles  of a word, in this order: gap when FAR (number); CACHED: two, an index into the cache, nothing else; odd; width nibbles;
 *            and of value % 16 == 8 two numbers: one more than the 8 bytes at value - 8, at value - 24, where those are below
 *            2^32 and in private memory without a file, else 0, the latter only where the word at value - 16 is no less.  A number: three bits a nibble, the lowest first, bit 3: more.
 *            A value that is not CACHED is then stored at hl_word_slot(value), and is what PREVIOUS means.
 *
 * Why nibbles: a pointer to anywhere in a heap of 1 GiB takes 27 bits, and is to take less than four bytes with its place, also where nobody
 * has the time to compress it.
 */
#ifndef HEAPLEDGER_WORDS_H
#define HEAPLEDGER_WORDS_H

#include "heapledger/image.h"
#include <stddef.h>

enum hl_word_base { HL_WORD_PREVIOUS, HL_WORD_SLOT, HL_WORD_CACHED };
#define HL_WORD_FAR      15u
#define HL_WORD_ODD      0x40u
#define HL_WORD_CONTEXTS 1024u
#define HL_WORDS_MAX     32768u /* in a payload */
/* What the longest word takes of tokens and nibbles together. */
#define HL_WORD_ROOM 64u

static inline unsigned hl_word_slot(uint64_t value)
{
	return (unsigned)((value >> 3) * 0x9e3779b97f4a7c15ull >> 56);
}

static inline unsigned hl_word_context(unsigned token, unsigned before)
{
	return (token * 37u ^ before * 101u) % HL_WORD_CONTEXTS;
}

static inline unsigned hl_word_gap(unsigned token)
{
	return token & 15;
}

static inline unsigned hl_word_base(unsigned token)
{
	return token >> 4 & 3;
}

static inline unsigned hl_word_width(unsigned token)
{
	return token >> 7 & 15;
}

/* Nibbles of it. */
static inline unsigned hl_word_nibbles(uint64_t z)
{
	return z ? (67u - (unsigned)__builtin_clzll(z)) >> 2 : 0;
}

/* ---- writing ---- */

struct hl_word_writer {
	uint64_t slot, previous;
	uint64_t cache[256];
	uint16_t expected[HL_WORD_CONTEXTS];
	unsigned token, context; /* of the word before; of the next one */
	uint32_t n;
	uint64_t half; /* nibbles that do not fill a byte yet */
	unsigned nhalf;
	uint8_t *nibble, *token_at;
	uint8_t bits[HL_WORDS_MAX / 8];
	uint8_t tokens[32768], nibbles[32768 + 16];
};

static inline void hl_word_begin(struct hl_word_writer *w)
{
	w->slot = (uint64_t)-8;
	w->previous = 0;
	for (unsigned i = 0; i < 256; i++)
		w->cache[i] = 0;
	for (unsigned i = 0; i < HL_WORD_CONTEXTS; i++)
		w->expected[i] = 0;
	w->token = 0;
	w->context = hl_word_context(0, 0);
	w->n = 0;
	w->half = 0;
	w->nhalf = 0;
	w->nibble = w->nibbles;
	w->token_at = w->tokens;
}

/* At most 14. */
static inline void hl_word_put_nibbles(struct hl_word_writer *w, uint64_t v, unsigned n)
{
	unsigned bits = w->nhalf + 4 * n;

	w->half |= v << w->nhalf;
	__builtin_memcpy(w->nibble, &w->half, 8);
	w->nibble += bits >> 3;
	w->half >>= bits & ~7u;
	w->nhalf = bits & 7;
}

static inline void hl_word_put_number(struct hl_word_writer *w, uint64_t v)
{
	for (; v >= 8; v >>= 3)
		hl_word_put_nibbles(w, (v & 7) | 8, 1);
	hl_word_put_nibbles(w, v, 1);
}

static inline void hl_word_put_token(struct hl_word_writer *w, unsigned token)
{
	unsigned before = w->token, hit = w->expected[w->context] == token;
	uint8_t *bits = &w->bits[w->n >> 3];

	*bits = (uint8_t)((w->n & 7 ? *bits : 0) | hit << (w->n & 7));
	w->n++;
	if (!hit) {
		w->expected[w->context] = (uint16_t)token;
		*w->token_at++ = (uint8_t)token;
		*w->token_at++ = (uint8_t)(token >> 8);
	}
	w->token = token;
	w->context = hl_word_context(token, before);
}

/* A word, with its slot above the one before.  1: hl_word_put_number of what is before the value, twice, has to follow. */
static inline int hl_word_put(struct hl_word_writer *w, uint64_t slot, uint64_t value)
{
	uint64_t gap = (slot - w->slot) / 8 - 1, z[2];
	unsigned short_gap = gap < HL_WORD_FAR ? (unsigned)gap : HL_WORD_FAR, odd = (unsigned)value & 15;
	unsigned expected = w->expected[w->context], width = hl_word_width(expected), need[2], base, token;
	unsigned at = hl_word_slot(value), cached = short_gap | HL_WORD_CACHED << 4;
	int fits;

	z[HL_WORD_PREVIOUS] = hl_zigzag((int64_t)((value >> 4) - (w->previous >> 4)));
	z[HL_WORD_SLOT] = hl_zigzag((int64_t)((value >> 4) - (slot >> 4)));
	w->slot = slot;
	/* as expected, when that is no index, and not much too wide */
	base = hl_word_base(expected) & 1;
	need[base] = hl_word_nibbles(z[base]);
	fits = (expected & 0x2f) == short_gap && !(expected & HL_WORD_ODD) == !odd && need[base] <= width &&
	       width <= need[base] + 2;
	if (w->cache[at] == value && (cached == expected || !fits || width > 6)) {
		hl_word_put_token(w, cached);
		if (short_gap == HL_WORD_FAR)
			hl_word_put_number(w, gap);
		hl_word_put_nibbles(w, at, 2);
		return 0;
	}
	token = expected;
	if (!fits) {
		need[!base] = hl_word_nibbles(z[!base]);
		base = need[HL_WORD_SLOT] < need[HL_WORD_PREVIOUS];
		width = need[base];
		token = short_gap | base << 4 | (odd ? HL_WORD_ODD : 0) | width << 7;
	}
	hl_word_put_token(w, token);
	if (short_gap == HL_WORD_FAR)
		hl_word_put_number(w, gap);
	if (odd)
		hl_word_put_nibbles(w, odd, 1);
	hl_word_put_nibbles(w, z[base], width);
	w->cache[at] = value;
	w->previous = value;
	return odd == 8;
}

/* Bytes that the payload has so far, but for its two numbers. */
static inline size_t hl_word_bytes(const struct hl_word_writer *w)
{
	return (w->n + 7) / 8 + (size_t)(w->token_at - w->tokens) + (size_t)(w->nibble - w->nibbles) + 1;
}

/* The last half byte; how many bytes of nibbles there are. */
static inline size_t hl_word_end(struct hl_word_writer *w)
{
	return (size_t)(w->nibble - w->nibbles) + (w->nhalf != 0);
}

#endif
