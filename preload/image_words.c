/*
 * image_words.c - the words of memory that may point somewhere, and their coding.
 *
 * Most words are no pointers: what rejects them is a shift and a load that hits the nearest cache.
 */
#include "preload/image_shot.h"

/* The longest head, and what the longest word takes. */
#define WORD_ROOM 64u
/* With tag, length, length of heads, and what hl_slots_room_slow keeps free. */
#define RECORD_MAX (HL_SLOT_ROOM - 64u)

void hl_words_begin(struct hl_shot_words *w)
{
	w->slot = (uint64_t)-8;
	w->previous = 0;
	w->head = w->heads;
	w->takes = w->taken;
	for (unsigned i = 0; i < 256; i++)
		w->cache[i] = 0;
}

void hl_words_flush(struct hl_shot *x)
{
	struct hl_shot_words *w = x->words;
	size_t nheads = (size_t)(w->head - w->heads);
	uint8_t *p;

	if (!nheads || hl_shot_is_late(x))
		return;
	p = hl_put_uv(w->front, nheads);
	hl_shot_put(x, HL_FACT_IMAGE_WORDS, w->front, (size_t)(p - w->front), w->heads, nheads, w->taken,
		    (size_t)(w->takes - w->taken));
	hl_words_begin(w);
}

/* What is recorded of the word before a value. */
static uint64_t length(uint64_t word)
{
	return word >> 32 ? 0 : word + 1;
}

/* The words at v - 24 and v - 8, where they are in v's own map and that may hold blocks of the allocator. */
static __attribute__((noinline)) uint8_t *put_lengths(struct hl_shot *x, uint8_t *p, uint64_t v)
{
	const struct hl_shot_map *m = hl_shot_map_of(x, v);
	uint64_t far = m && v - 24 >= m->start ? v - 24 : v - 8, w[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	unsigned first = far == v - 24 ? 0 : 2;

	if (m && m->direct && (x->still || x->frozen))
		for (unsigned i = first; i < 3; i++)
			w[i] = ((const uint64_t *)(uintptr_t)far)[i - first];
	else if (m && m->direct && hl_shot_read(x, far, w + first, (3 - first) * 8) != (3 - first) * 8)
		w[0] = w[2] = UINT64_MAX;
	p = hl_put_uv(p, length(w[2]));
	return hl_put_uv(p, length(w[0]));
}

static void put(struct hl_shot *x, uint64_t slot, uint64_t v)
{
	struct hl_shot_words *w = x->words;
	uint64_t gap = (slot - w->slot) / 8 - 1, by_slot, by_previous;
	unsigned at = hl_word_slot(v), head;

	w->slot = slot;
	if (w->cache[at] == v) {
		w->head = hl_put_uv(w->head, gap << 3 | HL_WORD_CACHED);
		*w->takes++ = (uint8_t)at;
		return;
	}
	w->cache[at] = v;
	by_slot = hl_zigzag((int64_t)((v >> 4) - (slot >> 4)));
	by_previous = hl_zigzag((int64_t)((v >> 4) - (w->previous >> 4)));
	head = by_slot < by_previous ? HL_WORD_SLOT : HL_WORD_PREVIOUS;
	if (HL_UNLIKELY(v & 15)) {
		head |= HL_WORD_ODD;
		*w->takes++ = (uint8_t)(v & 15);
	}
	w->head = hl_put_uv(w->head, gap << 3 | head);
	w->takes = hl_put_uv(w->takes, by_slot < by_previous ? by_slot : by_previous);
	w->previous = v;
	if (HL_UNLIKELY((v & 15) == 8))
		w->takes = put_lengths(x, w->takes, v);
}

void hl_words_scan(struct hl_shot *x, const uint64_t *p, size_t n, uint64_t address)
{
	const struct hl_filter *f = x->filter;
	struct hl_shot_words *w = x->words;

	for (size_t i = 0; i < n; i++) {
		uint64_t v = p[i];

		if (HL_LIKELY(!hl_filter_has(f, v)))
			continue;
		put(x, address + 8 * i, v);
		x->nwords++;
		if (HL_UNLIKELY((size_t)(w->head - w->heads) + (size_t)(w->takes - w->taken) >
				RECORD_MAX - WORD_ROOM)) {
			hl_words_flush(x);
			if (x->failed)
				return;
		}
	}
}
