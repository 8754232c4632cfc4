/*
 * twig.c - keeping twigs.
 */
#include "preload/twig.h"

static uint32_t put(struct hl_twig *tw, uint32_t n, uint64_t slot)
{
	tw->probes[n] = (struct hl_probe){slot, hl_word(slot)};
	return n + 1;
}

void hl_twig_keep(struct hl_stream *s, const struct hl_unwound *u, uint32_t node)
{
	const struct hl_frame *f = s->fresh, *end = &f[u->n], *leaf = &s->trail.frames[u->kept + u->n - 1];
	struct hl_twig *tw;
	uint32_t n = 0;

	if (!u->kept || !u->n || u->n > HL_TWIG_FRAMES)
		return;
	/* most ways are gone once: writing each of them down would cost more than it saves */
	tw = hl_twig_of(s, f);
	if (HL_LIKELY(tw->seen != leaf->hash)) {
		tw->seen = leaf->hash;
		return;
	}
	for (uint32_t i = 1; i <= u->n; i++)
		if (f[i].fp_slot == HL_FRAME_OPAQUE)
			return;
	tw->join = 0; /* a handler that interrupts us has twigs of its own, but may leave by a jump */
	atomic_signal_fence(memory_order_seq_cst);
	tw->pc = f->pc;
	tw->sp = f->sp;
	tw->fp = f->fp;
	tw->join_pc = end->pc;
	tw->join_sp = end->sp;
	tw->join_fp = end->fp;
	tw->base = s->trail.frames[u->kept - 1].hash;
	tw->node = node;
	tw->nframes = (uint8_t)u->n;
	tw->live = leaf->live;
	tw->fp_words = 0;
	for (uint32_t i = 1; i <= u->n; i++) {
		n = put(tw, n, f[i].ra_slot);
		if (f[i].fp_slot) {
			tw->fp_words |= (uint16_t)(1u << n);
			n = put(tw, n, f[i].fp_slot);
		}
	}
	tw->nprobes = (uint8_t)n;
	atomic_signal_fence(memory_order_seq_cst);
	tw->join = u->kept;
}

void hl_twig_show(struct hl_stream *s, const struct hl_twig *tw, struct hl_unwound *u)
{
	uint32_t n = 0;

	s->fresh[n++].pc = tw->pc;
	for (uint32_t i = 0; i < tw->nprobes && n < tw->nframes; i++)
		if (!(tw->fp_words >> i & 1))
			s->fresh[n++].pc = hl_cpu_code(tw->probes[i].value);
	u->n = n;
	u->kept = tw->join;
}

void hl_twig_flush(struct hl_stream *s)
{
	for (uint32_t i = 0; i < 1u << HL_TWIG_BITS; i++)
		s->twigs[i].join = 0;
}
