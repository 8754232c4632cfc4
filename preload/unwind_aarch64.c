/*
 * unwind_aarch64.c - the step from a frame to its caller.
 *
 * Only pc, sp and x29 are followed: the few frames that need another register send the capture to unwind_all.c.
 *
 * Verified: see cpu_aarch64.h.
 */
#if defined(__aarch64__)
#include "preload/unwind_cpu.h"

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
	else if (!hl_rule_is_special(f->rule))
		f->rule = HL_STEP_CFI; /* x29 decides about the caller, unlike by the rule that it has */
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
	up->ra_slot = 0;
	w->lr_sp = 0;
	if (flags & HL_NODE_EXACT && w->known >> HL_REG_RA & 1) {
		w->lr = w->regs[HL_REG_RA];
		w->lr_sp = up->sp;
	}
	return HL_STEPPED;
}

enum hl_stepped hl_cpu_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up)
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
		up->fp = hl_word(slot - 8);
	}
	up->pc = hl_cpu_code(hl_word(slot));
	up->sp = cfa;
	up->ra_slot = slot;
	w->lr_sp = 0;
	return HL_STEPPED;
}

#endif
