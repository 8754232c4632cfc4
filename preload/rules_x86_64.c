/*
 * rules_x86_64.c - what the call frame information says, as a rule.  About a microsecond of reading
 * .eh_frame, paid once per call site.
 */
#if defined(__x86_64__)
#include "preload/object.h"
#include "preload/unwind_x86_64.h"

static uint32_t encode(const struct hl_cfi *c)
{
	const struct hl_row *r = &c->row;
	const struct hl_rule *ra = &r->reg[HL_RIP], *bp = &r->reg[HL_RBP];
	uint32_t rule;

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

uint32_t hl_rule_resolve(struct hl_cfi *c, uint64_t address)
{
	struct hl_object o;

	if (hl_cfi_find(c, address) == 0)
		return hl_rules_put(address, encode(c));
	/* A return address that is a function's first byte: nobody called, makecontext put it there.  rbp is
	 * that of whoever made the context. */
	if (hl_cfi_find(c, address + 1) == 0 && c->func_start == address + 1)
		return hl_rules_put(address, HL_STEP_END);
	/* Code may be made there later. */
	return hl_object_find(address, &o) ? hl_rules_put(address, HL_STEP_NO_CFI) : HL_STEP_NO_OBJ;
}

void hl_rule_made(uint64_t address)
{
	hl_rules_put(address, HL_STEP_MADE);
}

#endif
