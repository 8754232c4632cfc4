/*
 * image_words.c - the words of memory that may point somewhere.  Their coding: words.h.
 *
 * Most words are no pointers: what rejects them is a shift and a load that hits the nearest cache.
 */
#include "preload/image_shot.h"

/* With tag, length, the two numbers, and what hl_slots_room_slow keeps free. */
#define RECORD_MAX (HL_SLOT_ROOM - 64u)

void hl_words_flush(struct hl_shot *x)
{
	struct hl_word_writer *w = x->words;
	size_t ntokens = (size_t)(w->token_at - w->tokens), nbits = (w->n + 7) / 8;
	uint8_t numbers[16], *p;

	if (!w->n || hl_shot_is_late(x))
		return;
	p = hl_put_uv(numbers, w->n);
	p = hl_put_uv(p, ntokens);
	hl_shot_put_words(x, numbers, (size_t)(p - numbers), nbits, ntokens, hl_word_end(w));
	hl_word_begin(w);
}

/* What is recorded of the word before a value. */
static uint64_t length(uint64_t word)
{
	return word >> 32 ? 0 : word + 1;
}

/* The words at v - 24 and v - 8, where they are in v's own map and that may hold blocks of the allocator. */
static __attribute__((noinline)) void put_lengths(struct hl_shot *x, uint64_t v)
{
	const struct hl_shot_map *m = hl_shot_map_of(x, v);
	uint64_t far = m && v - 24 >= m->start ? v - 24 : v - 8, w[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	unsigned first = far == v - 24 ? 0 : 2;

	if (m && m->direct && (x->still || x->frozen))
		for (unsigned i = first; i < 3; i++)
			w[i] = ((const uint64_t *)(uintptr_t)far)[i - first];
	else if (m && m->direct && hl_shot_read(x, far, w + first, (3 - first) * 8) != (3 - first) * 8)
		w[0] = w[2] = UINT64_MAX;
	hl_word_put_number(x->words, length(w[2]));
	/* a string's length, and then there is its capacity behind it; else numbers of all kinds would be recorded */
	hl_word_put_number(x->words, w[0] <= w[1] && length(w[1]) ? length(w[0]) : 0);
}

void hl_words_scan(struct hl_shot *x, const uint64_t *p, size_t n, uint64_t address)
{
	const struct hl_filter *f = x->filter;
	struct hl_word_writer *w = x->words;

	for (size_t i = 0; i < n; i++) {
		uint64_t v = p[i];

		if (HL_LIKELY(!hl_filter_has(f, v)))
			continue;
		if (HL_UNLIKELY(hl_word_put(w, address + 8 * i, v)))
			put_lengths(x, v);
		x->nwords++;
		if (HL_UNLIKELY(w->n == HL_WORDS_MAX || hl_word_bytes(w) > RECORD_MAX - HL_WORD_ROOM)) {
			hl_words_flush(x);
			if (x->failed)
				return;
		}
	}
}
