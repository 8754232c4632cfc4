/*
 * unwind_x86_64.c - the step from a frame to its caller.
 * Source: x86-64 psABI 3.2.2 (the stack frame, the red zone).
 */
#if defined(__x86_64__)
#include "preload/unwind_cpu.h"

#define RED_ZONE 128u /* x86-64 psABI 3.2.2 */

enum hl_stepped hl_cpu_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up)
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
			up->fp = hl_word(up->fp_slot);
		}
		up->pc = hl_word(cfa - 8);
		up->ra_slot = cfa - 8;
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

#endif
