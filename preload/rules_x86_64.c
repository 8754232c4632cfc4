/*
 * rules_x86_64.c - what a row of CFI and the code itself say on x86-64.
 */
#if defined(__x86_64__)
#include "preload/unwind_cpu.h"

uint32_t hl_rule_encode(const struct hl_cfi *c, uint64_t address)
{
	const struct hl_row *r = &c->row;
	const struct hl_rule *ra = &r->reg[HL_RIP], *bp = &r->reg[HL_RBP];
	uint32_t rule;

	(void)address;
	if (ra->kind == HL_RULE_UNDEFINED)
		return HL_STEP_END;
	if (c->signal_frame || r->cfa_is_expr || ra->kind != HL_RULE_OFFSET || ra->value != -8 ||
	    r->reg[HL_RSP].kind != HL_RULE_SAME || r->cfa_value <= 0 || r->cfa_value >= 32768 ||
	    r->cfa_value & 7)
		return HL_STEP_CFI;
	if (r->cfa_reg == HL_RSP)
		rule = 0;
	else if (r->cfa_reg == HL_RBP)
		rule = HL_STEP_RBP_BASE;
	else
		return HL_STEP_CFI;
	rule |= (uint32_t)r->cfa_value;
	if (bp->kind == HL_RULE_SAME)
		return rule;
	if (bp->kind != HL_RULE_OFFSET || bp->value > -16 || bp->value < -56 || bp->value & 7)
		return HL_STEP_CFI;
	return rule | (uint32_t)(-bp->value / 8 - 1);
}

/* E8 rel32, or FF /2 with its operand of 0 to 5 more bytes. */
int hl_walk_follows_call(struct hl_walk *w, uint64_t pc)
{
	const uint8_t *p = (const uint8_t *)(uintptr_t)pc;

	if (!hl_walk_can_read(w, (pc - 7) & ~7ull) || !hl_walk_can_read(w, (pc - 1) & ~7ull))
		return 0;
	if (p[-5] == 0xe8)
		return 1;
	for (int n = 2; n <= 7; n++)
		if (p[-n] == 0xff && (p[1 - n] >> 3 & 7) == 2)
			return 1;
	return 0;
}

#endif
