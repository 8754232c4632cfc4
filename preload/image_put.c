/*
 * image_put.c - the records of an image, through a stream of its own.
 */
#include "preload/image_shot.h"

static uint8_t *copy(uint8_t *p, const void *from, size_t n)
{
	const uint8_t *s = from;

	for (; n >= 8; n -= 8, s += 8, p += 8)
		__builtin_memcpy(p, s, 8);
	while (n--)
		*p++ = *s++;
	return p;
}

/* Room for a record of n bytes, its head written; NULL, and failed: there is none. */
static uint8_t *begin(struct hl_shot *x, enum hl_fact kind, size_t n)
{
	uint8_t *p = x->failed ? NULL : hl_slots_room(&x->writer, x->stream, (uint32_t)n + 8);

	if (!p) {
		x->failed = 1;
		return NULL;
	}
	hl_slots_count_fact(x->stream);
	*p++ = (uint8_t)(HL_TAG_FACT | kind << 2);
	return hl_put_uv(p, n);
}

void hl_shot_put(struct hl_shot *x, enum hl_fact kind, const void *a, size_t na, const void *b, size_t nb)
{
	uint8_t *p = begin(x, kind, na + nb);

	if (p)
		hl_slots_commit(x->stream, copy(copy(p, a, na), b, nb));
}

void hl_shot_put_words(struct hl_shot *x, const uint8_t *numbers, size_t nnumbers, size_t nbits,
		       size_t ntokens, size_t nnibbles)
{
	const struct hl_word_writer *w = x->words;
	uint8_t *p = begin(x, HL_FACT_IMAGE_WORDS, nnumbers + nbits + ntokens + nnibbles);

	if (!p)
		return;
	p = copy(copy(p, numbers, nnumbers), w->bits, nbits);
	hl_slots_commit(x->stream, copy(copy(p, w->tokens, ntokens), w->nibbles, nnibbles));
}

void hl_shot_put_threads(struct hl_shot *x)
{
	/* 1 KiB, where a handler may have less */
	uint8_t *buf = (uint8_t *)x->bounce;

	for (uint32_t i = 0; i < x->nthreads; i++) {
		const struct hl_shot_thread *t = &x->threads[i];
		uint8_t *p = hl_put_uv(buf, t->tid);
		uint32_t n = 0;

		for (uint32_t k = 0; k < t->n; k++)
			n += hl_filter_has(x->filter, t->words[k]);
		p = hl_put_uv(p, t->how);
		p = hl_put_uv(p, t->sp);
		p = hl_put_uv(p, t->tp);
		p = hl_put_uv(p, n);
		for (uint32_t k = 0; k < t->n; k++)
			if (hl_filter_has(x->filter, t->words[k]))
				p = hl_put_uv(p, t->words[k]);
		p = hl_put_uv(p, t->alt);
		p = hl_put_uv(p, t->alt_bytes);
		hl_shot_put(x, HL_FACT_IMAGE_REGS, buf, (size_t)(p - buf), NULL, 0);
	}
}

void hl_shot_put_maps(struct hl_shot *x)
{
	uint8_t buf[40];

	for (uint32_t i = 0; i < x->nmaps; i++) {
		const struct hl_shot_map *m = &x->maps[i];
		uint8_t *p = hl_put_uv(buf, m->start);

		p = hl_put_uv(p, m->end);
		p = hl_put_uv(p, m->flags);
		p = hl_put_uv(p, m->name_bytes);
		hl_shot_put(x, HL_FACT_IMAGE_MAP, buf, (size_t)(p - buf), x->text + m->name, m->name_bytes);
	}
}
