/*
 * rules_aarch64.c - what a row of CFI and the code itself say on aarch64; signal frames.
 *
 * A signal handler returns to code of two instructions, in the vDSO or in a page that an emulator made, which has
 * no CFI; the registers of what was interrupted lie at the stack pointer (Linux, arch/arm64/kernel/signal.c).
 *
 * Verified under qemu-user 7.2, whose trampoline lies in no object; a kernel's vDSO is not verified.
 */
#if defined(__aarch64__)
#include "preload/unwind_cpu.h"

uint32_t hl_rule_encode(const struct hl_cfi *c, uint64_t address)
{
	const struct hl_row *r = &c->row;
	const struct hl_rule *ra = &r->reg[HL_REG_RA], *fp = &r->reg[HL_REG_FP];
	int32_t up = r->cfa_value + ra->value, down = -ra->value - 8;
	uint32_t rule;

	if (ra->kind == HL_RULE_UNDEFINED)
		return HL_STEP_END;
	/* A call has overwritten the register: this CFI is not to be believed, the frame record may be.  (An address
	 * that is not one of an instruction lies inside a call.) */
	if (ra->kind == HL_RULE_SAME && address & 3)
		return HL_STEP_NO_CFI;
	if (c->signal_frame || r->cfa_is_expr || ra->kind != HL_RULE_OFFSET || ra->value >= 0 ||
	    ra->value & 7 || r->reg[HL_REG_SP].kind != HL_RULE_SAME || r->cfa_value <= 0 ||
	    r->cfa_value & 15 || (uint32_t)r->cfa_value > HL_STEP_OFFSET >> 1)
		return HL_STEP_CFI;
	if (r->cfa_reg == HL_REG_SP)
		rule = 0;
	else if (r->cfa_reg == HL_REG_FP)
		rule = HL_STEP_FP_BASE;
	else
		return HL_STEP_CFI;
	rule |= (uint32_t)r->cfa_value << 1;
	if (fp->kind == HL_RULE_OFFSET && fp->value == ra->value - 8)
		rule |= HL_STEP_PAIR;
	else if (fp->kind != HL_RULE_SAME)
		return HL_STEP_CFI;
	if (up >= 0 && up <= 8 * (int32_t)HL_STEP_SLOT)
		return rule | (uint32_t)up / 8;
	if (down >= 0 && down <= 8 * (int32_t)HL_STEP_SLOT)
		return rule | HL_STEP_FROM_CFA | (uint32_t)down / 8;
	return HL_STEP_CFI;
}

/* BL imm26; BLR and its authenticating forms (Arm ARM C4.1.66, unconditional branch (register)). */
int hl_walk_follows_call(struct hl_walk *w, uint64_t pc)
{
	uint32_t insn;

	if (pc & 3 || !hl_walk_can_read(w, (pc - 4) & ~7ull))
		return 0;
	insn = *(const uint32_t *)(uintptr_t)(pc - 4);
	return (insn & 0xfc000000u) == 0x94000000u || (insn & 0xfefff000u) == 0xd63f0000u;
}

/* mov x8, #139 (rt_sigreturn); svc #0 */
int hl_walk_is_trampoline(uint64_t pc)
{
	const uint32_t *p = (const uint32_t *)(uintptr_t)pc;

	return !(pc & 3) && hl_sys_readable(pc) && hl_sys_readable(pc + 4) && p[0] == 0xd2801168u &&
	       p[1] == 0xd4000001u;
}

/* struct rt_sigframe: siginfo_t of 128 bytes, then struct ucontext up to its struct sigcontext, which starts with the fault
 * address; x0 to x30, sp and pc follow. */
#define SIGFRAME_REGS (128u + 176u + 8u)

enum hl_stepped hl_walk_signal(struct hl_walk *w)
{
	uint64_t at = w->regs[HL_REG_SP] + SIGFRAME_REGS;

	_Static_assert(HL_SP == 31 && HL_PC == 32 && HL_REGS == 33, "in the order of struct sigcontext");
	if (!(w->known >> HL_REG_SP & 1))
		return HL_STEP_ENDED;
	for (unsigned i = 0; i < HL_REGS; i++)
		if (!hl_walk_read(w, at + 8 * i, &w->regs[i]))
			return HL_STEP_ENDED;
	w->known = (1ull << HL_REGS) - 1;
	hl_walk_bounds(w, w->regs[HL_REG_SP]);
	return HL_STEPPED;
}

#endif
