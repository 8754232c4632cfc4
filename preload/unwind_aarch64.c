/*
 * unwind_aarch64.c - the stack by the rule cache, every frame of it, from the hook's caller outwards.
 *
 * One cached rule a frame; what has none is interpreted.  Only pc, sp and x29 are followed: the few frames that need another
 * register send the capture to unwind_all.c.
 *
 * Verified: see cpu_aarch64.h.
 */
#if defined(__aarch64__)
#include "preload/unwind_aarch64.h"

#define PAGE 4096u

static int ours(uint64_t pc)
{
	return pc - hl_guest.text_start < hl_guest.text_end - hl_guest.text_start;
}

static uint64_t word(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

/* A step that needs more than a rule with a form. */
static __attribute__((noinline)) enum hl_stepped
leave_special(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up, uint64_t address)
{
	uint64_t flags = f->pc >> HL_PC_FLAG_SHIFT;
	enum hl_stepped r;

	if (f->rule == HL_STEP_END)
		return HL_STEP_ENDED;
	w->regs[HL_REG_PC] = HL_PC(f->pc);
	w->regs[HL_REG_SP] = f->sp;
	w->regs[HL_REG_FP] = f->fp;
	w->known = 1ull << HL_REG_PC | 1ull << HL_REG_FP;
	if (!(flags & HL_NODE_GUESSED))
		w->known |= 1ull << HL_REG_SP;
	if (flags & HL_NODE_EXACT && w->lr_sp == f->sp) {
		w->regs[HL_REG_RA] = w->lr;
		w->known |= 1ull << HL_REG_RA;
	}
	r = hl_walk_by(w, c, f->rule, address, &flags);
	if (r != HL_STEPPED)
		return r;
	if (!(w->known >> HL_REG_FP & 1))
		return HL_STEP_NEEDS_ALL;
	up->pc = w->regs[HL_REG_PC] | flags << HL_PC_FLAG_SHIFT;
	up->sp = w->regs[HL_REG_SP];
	up->fp = w->regs[HL_REG_FP];
	up->fp_slot = HL_FRAME_OPAQUE;
	w->pc_slot = w->lr_sp = 0;
	if (flags & HL_NODE_EXACT && w->known >> HL_REG_RA & 1) {
		w->lr = w->regs[HL_REG_RA];
		w->lr_sp = up->sp;
	}
	return HL_STEPPED;
}

enum hl_stepped hl_walk_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up)
{
	uint64_t pc = HL_PC(f->pc), flags = f->pc >> HL_PC_FLAG_SHIFT,
		 address = flags & HL_NODE_EXACT ? pc : pc - 1, base, cfa, slot;
	uint32_t rule = hl_rule_of(c, address);

	f->rule = (uint16_t)rule;
	if (HL_UNLIKELY(hl_rule_is_special(rule) || (flags & HL_NODE_GUESSED && !(rule & HL_STEP_FP_BASE))))
		return leave_special(w, c, f, up, address);
	base = rule & HL_STEP_FP_BASE ? f->fp : f->sp;
	cfa = base + ((rule & HL_STEP_OFFSET) >> 1);
	slot = rule & HL_STEP_FROM_CFA ? cfa - 8 - 8 * (rule & HL_STEP_SLOT)
				       : base + 8 * (rule & HL_STEP_SLOT);
	/* Below the stack pointer nothing is kept, not even by a function that returns (aapcs64 6.4.5.1). */
	if (cfa <= f->sp || slot - 8 * !!(rule & HL_STEP_PAIR) < f->sp || !hl_walk_can_read(w, slot))
		return HL_STEP_ENDED;
	up->fp = f->fp;
	up->fp_slot = 0;
	if (rule & HL_STEP_PAIR) {
		if (!hl_walk_can_read(w, slot - 8))
			return HL_STEP_ENDED;
		up->fp_slot = slot - 8;
		up->fp = word(slot - 8);
	}
	up->pc = hl_cpu_code(word(slot));
	up->sp = cfa;
	w->pc_slot = slot;
	w->lr_sp = 0;
	return HL_STEPPED;
}

static int sane(uint64_t frame_pc)
{
	return HL_PC(frame_pc) >= PAGE && HL_PC(frame_pc) < HL_CODE_END;
}

/* n frames, newest first in fresh, to the trail; the outermost that are as before keep their nodes. */
static void renew(struct hl_trail *trail, const struct hl_frame *fresh, uint32_t n, struct hl_unwound *u)
{
	uint32_t k = 0;

	while (k < n && k < trail->n && trail->frames[k].pc == fresh[n - 1 - k].pc)
		k++;
	u->kept = k;
	u->truncated = 0;
	for (; k < n; k++)
		trail->frames[k] = fresh[n - 1 - k];
	trail->n = n;
}

int hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint32_t depth,
		  struct hl_unwound *u)
{
	struct hl_frame *fresh = s->fresh, first, up;
	enum hl_stepped r = HL_STEPPED;
	struct hl_walk w;
	uint32_t n = 0;

	w.t = t;
	w.page = 1;
	w.lr_sp = 0;
	hl_walk_bounds(&w, at.frame);
	first = (struct hl_frame){.pc = hl_anchor_ra(at),
				  .sp = hl_anchor_sp(at),
				  .fp = hl_anchor_fp(at),
				  .fp_slot = HL_FRAME_OPAQUE};
	/* A hook that was called by another of ours. */
	while (HL_UNLIKELY(ours(first.pc)) && (r = hl_walk_leave(&w, &s->cfi, &first, &up)) == HL_STEPPED)
		first = up;
	fresh[0] = first;
	while (r == HL_STEPPED && sane(fresh[n].pc) && n < depth) {
		r = hl_walk_leave(&w, &s->cfi, &fresh[n], &fresh[n + 1]);
		n++;
	}
	if (HL_UNLIKELY(r == HL_STEP_NEEDS_ALL))
		return 0;
	if (HL_UNLIKELY(n == depth && r == HL_STEPPED && sane(fresh[n].pc))) {
		for (uint32_t k = 0; k < n; k++)
			s->pcs[k] = fresh[k].pc;
		s->trail.n = 0;
		u->kept = 0;
		u->truncated = 1;
		return 1;
	}
	renew(&s->trail, fresh, n, u);
	return 1;
}

#endif
