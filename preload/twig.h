/*
 * twig.h - the newest frames of captures that end in the same frame of the trail.  Floor 2.
 *
 * A program that allocates in turn in several functions below one another leaves the trail at the same frame again and
 * again, each time by one of a few ways.  A twig remembers such a way as the trail does the whole: the state it
 * began with, the words the walk read, the state it ended in.  When the state is the same and the words still have
 * their values, the walk ends there again; and when the trail holds from there outwards and is the stack that it
 * was, so is the node.  The trail then stays as it is: it is a walk that was once right, whose words are read again
 * before it is believed.
 */
#ifndef HL_PRELOAD_TWIG_H
#define HL_PRELOAD_TWIG_H

#include "preload/unwind_cpu.h"

static inline struct hl_twig *hl_twig_of(struct hl_stream *s, const struct hl_frame *f)
{
	return &s->twigs[(f->pc ^ f->sp * 0xd6e8feb86659fd93ull) * 0x9e3779b97f4a7c15ull >>
			 (64 - HL_TWIG_BITS)];
}

/* Does the way of *tw begin in *f, hold, and end in the trail's frame that it says?  Then what remains to be verified is the
 * trail from there on. */
static inline int hl_twig_holds(const struct hl_walk *w, const struct hl_trail *trail,
				const struct hl_twig *tw, const struct hl_frame *f)
{
	const struct hl_frame *end = &trail->frames[tw->join - 1];
	uint64_t differ = 0;

	/* join 0: no twig */
	if (tw->pc != f->pc || tw->sp != f->sp || tw->join - 1 >= trail->n || (tw->fp != f->fp && tw->live))
		return 0;
	if (end->sp != tw->join_sp || end->pc != tw->join_pc || end->hash != tw->base ||
	    (end->fp != tw->join_fp && end->live) || tw->sp < w->low || tw->join_sp > w->high)
		return 0;
	for (uint32_t i = 0; i < tw->nprobes; i++)
		differ |= hl_word(tw->probes[i].slot) ^ tw->probes[i].value;
	return differ == 0;
}

/* The capture just followed is the twig's way from now on, when it is a way that can be kept.  node: of the whole. */
void hl_twig_keep(struct hl_stream *s, const struct hl_unwound *u, uint32_t node);
/* u as if it had been walked, for whoever wants to see the frames. */
void hl_twig_show(struct hl_stream *s, const struct hl_twig *tw, struct hl_unwound *u);
/* Code may be another's now. */
void hl_twig_flush(struct hl_stream *s);

#endif
