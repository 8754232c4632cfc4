/*
 * trail.c - the stack, incrementally: most of a capture equals the one before.  Floor 2.
 *
 * A walk is a pure function of the state it starts from (pc, sp, fp), of the words it reads and of the
 * rules.  The trail keeps, for each frame of the previous walk, that state and the words read.  A new walk
 * steps from the hook's caller until its state equals a recorded one; if all words recorded from there
 * outwards still have their values, the rest of the walk is the same, by induction.  At the first word that
 * differs the walk goes on from the last frame that was found the same.
 *
 * Every word is read again: a state that matches says nothing about the frames further out.  They are read from
 * an array of their own, several at a time: loads that do not wait for each other, where a walk is
 * one that does.  fp is compared only where it decides about an outer frame (`live`); elsewhere it is a
 * register like any other.
 */
#include "preload/twig.h"

#define COUNT_AGAIN 256u

/* The words that finding the frame again depends on go to their place among the probes; how many. */
static inline uint32_t put_probes(struct hl_trail *trail, const struct hl_frame *f)
{
	struct hl_probe *p = &trail->probes[f->probe];

	if (HL_UNLIKELY(f->opaque))
		return 0;
	p[0] = (struct hl_probe){f->ra_slot, hl_word(f->ra_slot)};
	if (!f->fp_slot || !f->live)
		return 1;
	p[1] = (struct hl_probe){f->fp_slot, f->fp};
	return 2;
}

/* Frame *at was found again by way of *f: its callee may be another, which saved fp elsewhere. */
static inline uint32_t reach(struct hl_trail *trail, struct hl_frame *at, const struct hl_frame *f)
{
	at->fp = f->fp;
	at->fp_slot = f->fp_slot;
	at->ra_slot = f->ra_slot;
	at->opaque = f->fp_slot == HL_FRAME_OPAQUE;
	return at->probe + put_probes(trail, at);
}

void hl_trail_init(struct hl_trail *trail)
{
	static const uint64_t zero;

	/* before the outermost frame */
	trail->frames++->sp = UINT64_MAX;
	for (uint32_t i = 0; i < HL_PROBES_BEFORE; i++)
		*trail->probes++ = (struct hl_probe){(uint64_t)(uintptr_t)&zero, 0};
}

void hl_trail_follow(struct hl_stream *s, const struct hl_unwound *u, uint64_t hash)
{
	struct hl_trail *trail = &s->trail;
	struct hl_frame *f = &trail->frames[u->kept];
	const struct hl_frame *outer = f - 1;
	uint32_t probe = u->kept ? reach(trail, f - 1, &s->fresh[u->n]) : 0, n = u->n;

	trail->n = u->kept + n;
	for (uint32_t k = u->kept; n; k++, outer = f++) {
		/* by fields: wide loads would wait for the narrow stores of a moment ago */
		const struct hl_frame *from = &s->fresh[--n];

		f->pc = from->pc;
		f->sp = from->sp;
		f->fp = from->fp;
		f->ra_slot = from->ra_slot;
		f->fp_slot = from->fp_slot;
		f->hash = hash = hl_stack_hash(hash, from->pc);
		f->node = HL_STACK_NONE;
		f->rule = from->rule;
		f->live = hl_cpu_fp_live(f->rule, outer->live);
		f->opaque = f->fp_slot == HL_FRAME_OPAQUE;
		f->below = outer->opaque ? k : outer->below;
		f->probe = probe;
		probe += put_probes(trail, f);
	}
}

static int holds_slowly(struct hl_walk *w, const struct hl_probe *p)
{
	return hl_walk_can_read(w, p->slot) && hl_word(p->slot) == p->value;
}

static inline uint64_t differs(const struct hl_probe *p)
{
	return hl_word(p->slot) ^ p->value;
}

/* The first of the probes from p down to end that does not hold, all being readable; end or below: none.  Eight at a time;
 * dummies: also past the end, where there are some: how often is then easy to foresee. */
static __attribute__((always_inline)) inline const struct hl_probe *
first_wrong(const struct hl_probe *p, const struct hl_probe *end, int dummies)
{
	const struct hl_probe *last = dummies ? end : end + 7;

	while (p > last && !(differs(p - 1) | differs(p - 2) | differs(p - 3) | differs(p - 4) |
			     differs(p - 5) | differs(p - 6) | differs(p - 7) | differs(p - 8)))
		p -= 8;
	while (p > end && !differs(p - 1))
		p--;
	return p;
}

/* From a frame that matched frames[j - 1] outwards as far as the words hold: the lowest index that does. */
static __attribute__((always_inline)) inline uint32_t verify(struct hl_walk *w, const struct hl_trail *trail,
							     uint32_t j)
{
	const struct hl_frame *f = trail->frames;
	uint32_t until = f[j - 1].below, i = j - 1;
	const struct hl_probe *p = &trail->probes[f[j - 1].probe], *end = &trail->probes[f[until].probe];

	/* sp grows outwards: when both ends are readable, so is all between. */
	if (HL_LIKELY(f[j - 1].sp >= w->low && f[until].sp <= w->high))
		p = first_wrong(p, end, until == 0);
	else
		while (p != end && holds_slowly(w, p - 1))
			p--;
	if (HL_LIKELY(p <= end))
		return until;
	/* p - 1 is a word of the newest frame that does not hold. */
	while (f[i - 1].probe > (uint32_t)(p - 1 - trail->probes))
		i--;
	return i;
}

uint32_t hl_trail_again(const struct hl_thread *t, const struct hl_trail *trail, const struct hl_frame *top,
			uint64_t fp)
{
	/* not by trail->n: a child that a handler forked meanwhile has forgotten its trail */
	if ((top->fp != fp && top->live) || top->below || top->sp < t->stack_low ||
	    trail->frames[0].sp > t->stack_high ||
	    first_wrong(&trail->probes[top->probe], trail->probes, 1) > trail->probes)
		return HL_STACK_NONE;
	return top->node;
}

/* Of the stack whose n newest frames are these, above one of that hash. */
static inline uint64_t hash_of(uint64_t h, const struct hl_frame *f, uint32_t n)
{
	while (n--)
		h = hl_stack_hash(h, f[n].pc);
	return h;
}

/* Apart, so that it takes no registers from the walk.  1: that was it. */
static __attribute__((noinline)) int by_twig(struct hl_walk *w, struct hl_stream *s, const struct hl_frame *f,
					     struct hl_unwound *u)
{
	const struct hl_twig *tw = hl_twig_of(s, f);

	if (!hl_twig_holds(w, &s->trail, tw, f) || verify(w, &s->trail, tw->join) != 0) {
		s->twig_score--;
		return 0;
	}
	s->twig_score += s->twig_score < 2 * HL_TWIG_TRIAL;
	u->node = tw->node;
	u->truncated = 0;
	if (HL_UNLIKELY(hl_guest.config.unwind == HL_UNWIND_CHECK))
		hl_twig_show(s, tw, u);
	return 1;
}

enum hl_unwind_result hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at,
				    struct hl_unwound *u)
{
	struct hl_trail *trail = &s->trail;
	const struct hl_frame *old = trail->frames;
	struct hl_frame *fresh = s->fresh, *f = fresh;
	uint32_t j = trail->n, n = 0, kept = 0, room = hl_guest.config.room;
	enum hl_stepped r = HL_STEPPED;
	struct hl_walk w;

	hl_cpu_first(&w, t, s, at, f);
	while (HL_UNLIKELY(hl_pc_is_ours(f->pc)) && r == HL_STEPPED) {
		struct hl_frame up;

		r = hl_cpu_leave(&w, &s->cfi, f, &up);
		up.fp_slot = HL_FRAME_OPAQUE;
		*f = up;
	}
	u->node = HL_STACK_NONE;
	if (j && (old[j - 1].sp != f->sp || old[j - 1].pc != f->pc) && s->twig_score > 0 &&
	    by_twig(&w, s, f, u))
		return HL_UNWIND_DONE;
	/* Now and then count again: the frames out there may be larger and fewer now. */
	if (HL_UNLIKELY(f->sp <= trail->deep_sp)) {
		if (++trail->deep_captures % COUNT_AGAIN)
			return HL_UNWIND_DEEP;
		trail->deep_sp = 0;
	}
	while (r == HL_STEPPED) {
		/* old[-1] ends it */
		while (old[(int64_t)j - 1].sp < f->sp)
			j--;
		if (old[(int64_t)j - 1].sp == f->sp && old[j - 1].pc == f->pc &&
		    (old[j - 1].fp == f->fp || !old[j - 1].live)) {
			uint32_t i;

			/* The caches may be slow to tell what is known of the stack: ask before it is verified. */
			if (s->near.missed) {
				uint64_t hash = hash_of(old[j - 1].hash, fresh, n);

				__builtin_prefetch(&s->near.nodes[hash >> s->near.shift]);
				hl_idtab_prefetch(&hl_node_ids, hash);
			}
			i = verify(&w, trail, j);
			uint64_t fp = f->fp, fp_slot = f->fp_slot, ra_slot = f->ra_slot;

			if (HL_LIKELY(i == 0)) {
				kept = j;
				break;
			}
			/* old[i] to old[j - 1] are the same; what was inherited as fp may not be. */
			for (uint32_t k = j; k > i; k--) {
				if (n == room)
					goto deep;
				fresh[n] = old[k - 1];
				if (k == j) {
					fresh[n].fp_slot = fp_slot;
					fresh[n].ra_slot = ra_slot;
				} else if (old[k - 1].fp_slot) {
					/* not among the probes where nobody needs it */
					fp = hl_walk_can_read(&w, old[k - 1].fp_slot)
						     ? hl_word(old[k - 1].fp_slot)
						     : 0;
				}
				fresh[n++].fp = fp;
			}
			j = i;
			f = &fresh[n - 1];
		} else {
			n++;
		}
		if (n > room)
			goto deep;
		if (HL_UNLIKELY(!hl_cpu_hop(&w, f, &fresh[n]))) {
			/* what has a rule is code; of this it is not known yet */
			if (!hl_pc_is_sane(f->pc)) {
				n--;
				break;
			}
			r = hl_cpu_leave(&w, &s->cfi, f, &fresh[n]);
			if (r != HL_STEPPED)
				break;
		}
		f = &fresh[n];
	}
	if (HL_UNLIKELY(r == HL_STEP_NEEDS_ALL || !(kept + n)))
		return HL_UNWIND_RETRY;
	if (kept + n > room)
		goto deep;
	/* What ended the walk was a word that is nowhere recorded: step from there again each time. */
	if (HL_UNLIKELY(kept == 0 && n && !hl_cpu_is_end(fresh[n - 1].rule))) {
		fresh[n - 1].sp = 0;
		fresh[n - 1].fp_slot = HL_FRAME_OPAQUE;
	}
	u->kept = kept;
	u->n = n;
	u->truncated = 0;
	return HL_UNWIND_DONE;

deep:
	/* Until the stack is shallower than this, nobody counts to config.room again. */
	if (trail->deep_sp < fresh[0].sp)
		trail->deep_sp = fresh[0].sp;
	return HL_UNWIND_DEEP;
}
