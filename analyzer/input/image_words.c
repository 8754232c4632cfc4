/*
 * image_words.c - decoding words.  Floor: input.
 */
#include "analyzer/input/image_words.h"
#include <string.h>

/* The value of a head that is not CACHED; NULL: malformed. */
static const uint8_t *take_value(struct hl_word_reader *r, const uint8_t *p, const uint8_t *end,
				 uint64_t head, struct hl_image_word *w)
{
	uint64_t base = (head & 3) == HL_WORD_SLOT ? w->slot : r->previous, low = 0, z, length[2];

	if (head & HL_WORD_ODD) {
		if (p == end || *p == 0 || *p > 15)
			return NULL;
		low = *p++;
	}
	p = hl_get_uv(p, end, &z);
	if (!p)
		return NULL;
	w->value = ((base >> 4) + (uint64_t)hl_unzigzag(z)) << 4 | low;
	w->before8 = w->before24 = -1;
	r->previous = w->value;
	if (low != 8)
		return p;
	for (int i = 0; i < 2; i++) {
		p = hl_get_uv(p, end, &length[i]);
		if (!p || length[i] > 1ull << 32)
			return NULL;
	}
	w->before8 = (int64_t)length[0] - 1;
	w->before24 = (int64_t)length[1] - 1;
	return p;
}

static const uint8_t *take_word(struct hl_word_reader *r, const uint8_t *p, const uint8_t *end, uint64_t head,
				struct hl_image_word *w)
{
	uint64_t slot = w->slot;

	switch (head & 7) {
	case HL_WORD_CACHED:
		if (p == end)
			return NULL;
		*w = r->cache[*p++];
		w->slot = slot;
		return p;
	case HL_WORD_SLOT:
	case HL_WORD_PREVIOUS:
	case HL_WORD_SLOT | HL_WORD_ODD:
	case HL_WORD_PREVIOUS | HL_WORD_ODD:
		p = take_value(r, p, end, head, w);
		if (p)
			r->cache[hl_word_slot(w->value)] = *w;
		return p;
	}
	return NULL;
}

int hl_words_decode(struct hl_word_reader *r, const uint8_t *payload, size_t n, const char **what)
{
	const uint8_t *end = payload + n, *heads, *p;
	struct hl_image_word w = {.slot = (uint64_t)-8};
	uint64_t nheads, head, gap;

	memset(r->cache, 0, sizeof(r->cache));
	for (unsigned i = 0; i < 256; i++)
		r->cache[i].before8 = r->cache[i].before24 = -1;
	r->previous = 0;
	heads = hl_get_uv(payload, end, &nheads);
	if (!heads || nheads > (uint64_t)(end - heads)) {
		*what = "its words are cut";
		return 0;
	}
	for (p = heads + nheads, end = p; heads < end;) {
		heads = hl_get_uv(heads, end, &head);
		gap = head >> 3;
		/* behind the last slot, and inside the address space */
		if (!heads || gap >= (UINT64_MAX >> 3) - ((w.slot + 8) >> 3)) {
			*what = "a slot of its words is out of range";
			return 0;
		}
		w.slot += (gap + 1) * 8;
		if (w.slot < r->next) {
			*what = "its words are not in order";
			return 0;
		}
		p = take_word(r, p, payload + n, head, &w);
		if (!p) {
			*what = "a word cannot be decoded";
			return 0;
		}
		r->next = w.slot + 8;
		r->nwords++;
		r->word(r->ctx, &w);
	}
	if (p != payload + n) {
		*what = "there is more than its words";
		return 0;
	}
	return 1;
}
