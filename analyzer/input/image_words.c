/*
 * image_words.c - decoding words.  Floor: input.
 */
#include "analyzer/input/image_words.h"
#include <string.h>

/* n nibbles, at most 15.  0: they are not there. */
static int take_nibbles(struct hl_word_reader *r, unsigned n, uint64_t *v)
{
	*v = 0;
	for (unsigned i = 0; i < n; i++) {
		if (r->nibble == r->end)
			return 0;
		*v |= (uint64_t)(r->upper ? *r->nibble >> 4 : *r->nibble & 15) << (4 * i);
		r->nibble += r->upper;
		r->upper = !r->upper;
	}
	return 1;
}

/* 0: cut, or too large. */
static int take_number(struct hl_word_reader *r, uint64_t *v)
{
	uint64_t part = 8;

	*v = 0;
	for (unsigned shift = 0; part & 8; shift += 3) {
		if (shift > 60 || !take_nibbles(r, 1, &part))
			return 0;
		*v |= (part & 7) << shift;
	}
	return 1;
}

static int take_lengths(struct hl_word_reader *r, struct hl_image_word *w)
{
	uint64_t length[2];

	for (int i = 0; i < 2; i++)
		if (!take_number(r, &length[i]) || length[i] > 1ull << 32)
			return 0;
	w->before8 = (int64_t)length[0] - 1;
	w->before24 = (int64_t)length[1] - 1;
	return 1;
}

/* The value of a token that is not CACHED. */
static int take_value(struct hl_word_reader *r, unsigned token, struct hl_image_word *w)
{
	uint64_t base = hl_word_base(token) == HL_WORD_SLOT ? w->slot : r->previous, low = 0, z;

	if (token & HL_WORD_ODD && (!take_nibbles(r, 1, &low) || !low))
		return 0;
	if (!take_nibbles(r, hl_word_width(token), &z))
		return 0;
	w->value = ((base >> 4) + (uint64_t)hl_unzigzag(z)) << 4 | low;
	w->before8 = w->before24 = -1;
	if (low == 8 && !take_lengths(r, w))
		return 0;
	r->previous = w->value;
	r->cache[hl_word_slot(w->value)] = *w;
	return 1;
}

/* NULL, or what is wrong. */
static const char *take_word(struct hl_word_reader *r, unsigned token, struct hl_image_word *w)
{
	uint64_t gap = hl_word_gap(token), at, slot;

	if (token >> 11 || hl_word_base(token) > HL_WORD_CACHED ||
	    (gap == HL_WORD_FAR && !take_number(r, &gap)))
		return "a word cannot be decoded";
	/* behind the last slot, and inside the address space */
	if (gap >= (UINT64_MAX >> 3) - ((w->slot + 8) >> 3))
		return "a slot of its words is out of range";
	slot = w->slot + (gap + 1) * 8;
	if (slot < r->next)
		return "its words are not in order";
	w->slot = slot;
	if (hl_word_base(token) != HL_WORD_CACHED)
		return take_value(r, token, w) ? NULL : "a word cannot be decoded";
	if (!take_nibbles(r, 2, &at))
		return "a word cannot be decoded";
	*w = r->cache[at];
	w->slot = slot;
	return NULL;
}

static void start(struct hl_word_reader *r)
{
	memset(r->cache, 0, sizeof(r->cache));
	memset(r->expected, 0, sizeof(r->expected));
	for (unsigned i = 0; i < 256; i++)
		r->cache[i].before8 = r->cache[i].before24 = -1;
	r->previous = 0;
	r->upper = 0;
}

/* A last half byte may be left over, and is 0. */
static int is_at_end(const struct hl_word_reader *r)
{
	return r->nibble == r->end || (r->upper && r->nibble + 1 == r->end && *r->nibble >> 4 == 0);
}

int hl_words_decode(struct hl_word_reader *r, const uint8_t *payload, size_t n, const char **what)
{
	const uint8_t *end = payload + n, *bits, *tokens, *tokens_end;
	struct hl_image_word w = {.slot = (uint64_t)-8};
	unsigned token = 0, before, context = hl_word_context(0, 0);
	uint64_t nwords, ntokens;

	start(r);
	bits = hl_get_uv(payload, end, &nwords);
	bits = bits ? hl_get_uv(bits, end, &ntokens) : NULL;
	if (!bits || nwords > HL_WORDS_MAX || (nwords + 7) / 8 > (uint64_t)(end - bits) ||
	    ntokens > (uint64_t)(end - bits) - (nwords + 7) / 8) {
		*what = "its words are cut";
		return 0;
	}
	tokens = bits + (nwords + 7) / 8;
	tokens_end = r->nibble = tokens + ntokens;
	r->end = end;
	for (uint64_t i = 0; i < nwords; i++) {
		before = token;
		if (bits[i / 8] >> (i % 8) & 1) {
			token = r->expected[context];
		} else if (tokens_end - tokens < 2) {
			*what = "its words are cut";
			return 0;
		} else {
			token = (unsigned)(tokens[0] | tokens[1] << 8);
			r->expected[context] = (uint16_t)token;
			tokens += 2;
		}
		context = hl_word_context(token, before);
		*what = take_word(r, token, &w);
		if (*what)
			return 0;
		r->next = w.slot + 8;
		r->nwords++;
		r->word(r->ctx, &w);
	}
	if (tokens != tokens_end || !is_at_end(r)) {
		*what = "there is more than its words";
		return 0;
	}
	return 1;
}
