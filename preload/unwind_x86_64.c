/*
 * unwind_x86_64.c - the stack, incrementally: most of a capture equals the one before.
 *
 * A walk is a pure function of the state it starts from (pc, sp, fp), of the words it reads and of the
 * rules.  The trail keeps, for each frame of the previous walk, that state and the words read.  A new walk
 * steps from the hook's caller until its state equals a recorded one; if all words recorded from there
 * outwards still have their values, the rest of the walk is the same, by induction.  At the first word that
 * differs the walk goes on from the last frame that was found the same.
 *
 * Every slot is read again: a state that matches says nothing about the frames further out.  fp is
 * compared only where it decides about an outer frame (`live`); elsewhere it is a register like any other.
 */
#if defined(__x86_64__)
#include "preload/unwind_x86_64.h"

#define PAGE     4096u
#define RED_ZONE 128u /* x86-64 psABI 3.2.2 */

static int ours(uint64_t pc)
{
	return pc - hl_guest.text_start < hl_guest.text_end - hl_guest.text_start;
}

static uint64_t word(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

/* Is a recorded frame still what its callee returns to?  Its callee was found the same. */
static inline int holds(struct hl_walk *w, const struct hl_frame *f)
{
	if (HL_UNLIKELY(f->fp_slot == HL_FRAME_OPAQUE) || !hl_walk_can_read(w, f->sp - 8) ||
	    word(f->sp - 8) != f->pc)
		return 0;
	return !f->fp_slot || !f->live || (hl_walk_can_read(w, f->fp_slot) && word(f->fp_slot) == f->fp);
}

/* Step from *f to its caller *up. */
static enum hl_stepped leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up)
{
	uint64_t pc = HL_PC(f->pc), flags = f->pc >> HL_PC_FLAG_SHIFT,
		 address = flags & HL_NODE_EXACT ? pc : pc - 1;
	uint32_t rule = hl_rule_of(c, address);
	enum hl_stepped r;
	int exact = 0;

	f->rule = (uint16_t)rule;
	if (HL_LIKELY((rule & 7) != HL_STEP_SPECIAL)) {
		uint64_t cfa = (rule & HL_STEP_RBP_BASE ? f->fp : f->sp) + (rule & HL_STEP_OFFSET);

		if (cfa <= f->sp || !hl_walk_can_read(w, cfa - 8))
			return HL_STEP_ENDED;
		up->fp = f->fp;
		up->fp_slot = 0;
		if (rule & 7) {
			up->fp_slot = cfa - 8 * ((rule & 7) + 1);
			/* Interrupted between the pop of rbp and the return, it still lies in the red zone. */
			if (up->fp_slot + (flags & HL_NODE_EXACT ? RED_ZONE : 0) < f->sp ||
			    !hl_walk_can_read(w, up->fp_slot))
				return HL_STEP_ENDED;
			up->fp = word(up->fp_slot);
		}
		up->pc = word(cfa - 8);
		up->sp = cfa;
		return HL_STEPPED;
	}
	if (rule == HL_STEP_END)
		return HL_STEP_ENDED;
	w->regs[HL_RIP] = pc;
	w->regs[HL_RSP] = f->sp;
	w->regs[HL_RBP] = f->fp;
	w->known = 1u << HL_RIP | 1u << HL_RSP | 1u << HL_RBP;
	r = hl_rule_is_guess(rule) ? hl_walk_guess(w, c) : hl_walk_step(w, c, address, &exact);
	if (r != HL_STEPPED)
		return r;
	if (!(w->known >> HL_RBP & 1))
		return HL_STEP_NEEDS_ALL;
	flags = hl_rule_is_guess(rule) ? HL_NODE_GUESSED : exact ? HL_NODE_EXACT : 0;
	up->pc = w->regs[HL_RIP] | flags << HL_PC_FLAG_SHIFT;
	up->sp = w->regs[HL_RSP];
	up->fp = w->regs[HL_RBP];
	up->fp_slot = HL_FRAME_OPAQUE;
	return HL_STEPPED;
}

static int sane(uint64_t frame_pc)
{
	uint64_t pc = HL_PC(frame_pc);

	return pc >= PAGE && pc < HL_CODE_END;
}

/* The fresh frames are known, newest first; the trail keeps its outer `kept` ones. */
static void append(struct hl_trail *trail, uint32_t kept, const struct hl_frame *fresh, uint32_t n)
{
	for (uint32_t k = kept; n; k++) {
		struct hl_frame *f = &trail->frames[k];
		uint32_t rule;

		*f = fresh[--n];
		rule = f->rule;
		if ((rule & 7) == HL_STEP_SPECIAL)
			f->live = rule != HL_STEP_END;
		else
			f->live = rule & HL_STEP_RBP_BASE ? 1
				  : rule & 7              ? 0
				  : k                     ? trail->frames[k - 1].live
							  : 0;
		trail->n = k + 1;
	}
}

/* From a frame that matched old[j - 1] outwards as far as the words hold: the lowest index that does. */
static inline uint32_t verify(struct hl_walk *w, const struct hl_frame *old, uint32_t j)
{
	uint32_t i = j - 1;

	/* sp grows outwards: when both ends are readable, so is all between. */
	if (HL_LIKELY(old[i].sp >= w->low && old[0].sp <= w->high))
		for (; i; i--) {
			const struct hl_frame *f = &old[i - 1];

			if (HL_UNLIKELY(f->fp_slot == HL_FRAME_OPAQUE) || word(f->sp - 8) != f->pc)
				break;
			if (f->fp_slot && f->live && word(f->fp_slot) != f->fp)
				break;
		}
	while (i && holds(w, &old[i - 1]))
		i--;
	return i;
}

int hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint32_t depth,
		  struct hl_unwound *u)
{
	struct hl_trail *trail = &s->trail;
	const struct hl_frame *old = trail->frames;
	struct hl_frame *fresh = s->fresh, *f = fresh;
	uint32_t j = trail->n, n = 0, kept = 0;
	enum hl_stepped r = HL_STEPPED;
	struct hl_walk w;

	w.t = t;
	w.page = 1;
	hl_walk_bounds(&w, at.frame);
	f->fp = hl_anchor_fp(at);
	f->pc = hl_anchor_ra(at);
	f->sp = hl_anchor_sp(at);
	f->fp_slot = HL_FRAME_OPAQUE; /* never verified: every capture starts from its own hook */
	while (HL_UNLIKELY(ours(f->pc)) && r == HL_STEPPED) {
		struct hl_frame up;

		r = leave(&w, &s->cfi, f, &up);
		up.fp_slot = HL_FRAME_OPAQUE;
		*f = up;
	}
	while (r == HL_STEPPED && sane(f->pc)) {
		while (j && old[j - 1].sp < f->sp)
			j--;
		if (j && old[j - 1].sp == f->sp && old[j - 1].pc == f->pc &&
		    (old[j - 1].fp == f->fp || !old[j - 1].live)) {
			uint32_t i = verify(&w, old, j);
			uint64_t fp = f->fp, fp_slot = f->fp_slot;

			if (HL_LIKELY(i == 0)) {
				/* How it was reached may be new: its callee is another. */
				trail->frames[j - 1].fp = fp;
				trail->frames[j - 1].fp_slot = fp_slot;
				kept = j;
				break;
			}
			/* old[i] to old[j - 1] are the same; what was inherited as rbp may not be. */
			for (uint32_t k = j; k > i; k--) {
				if (n == depth)
					goto truncated;
				fresh[n] = old[k - 1];
				if (k == j)
					fresh[n].fp_slot = fp_slot;
				else if (old[k - 1].fp_slot)
					fp = word(old[k - 1].fp_slot);
				fresh[n++].fp = fp;
			}
			j = i;
			f = &fresh[n - 1];
		} else {
			n++;
		}
		if (n > depth)
			goto truncated;
		r = leave(&w, &s->cfi, f, &fresh[n]);
		f = &fresh[n];
	}
	if (HL_UNLIKELY(r == HL_STEP_NEEDS_ALL))
		return 0;
	if (kept + n > depth)
		goto truncated;
	append(trail, kept, fresh, n);
	trail->n = kept + n;
	/* What ended the walk was a word that is nowhere recorded: step from there again each time. */
	if (HL_UNLIKELY(kept == 0 && n && fresh[n - 1].rule != HL_STEP_END)) {
		trail->frames[0].sp = 0;
		trail->frames[0].fp_slot = HL_FRAME_OPAQUE;
	}
	u->kept = kept;
	u->truncated = 0;
	return 1;

truncated:
	/* The newest frames only; the trail would not reach the outermost one. */
	for (uint32_t k = 0; k < depth; k++)
		s->pcs[k] = k < n ? fresh[k].pc : old[kept - 1 - (k - n)].pc;
	trail->n = 0;
	u->kept = 0;
	u->truncated = 1;
	return 1;
}
#endif
