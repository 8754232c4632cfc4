/*
 * unwind_aarch64.h - the easy step on aarch64; part of unwind_cpu.h, which includes it.  Floor 2.
 *
 * A frame whose pc is flagged HL_NODE_GUESSED was reached through x29: its sp is only the lowest it can be, and
 * x29 decides about its caller.  A probe holds a return address as it was read, its signature included.
 */
#ifndef HL_PRELOAD_UNWIND_AARCH64_H
#define HL_PRELOAD_UNWIND_AARCH64_H

/* hl_cpu_leave where a word of the cache has a rule with a form: nearly always.  0: it has not. */
static inline int hl_cpu_hop(struct hl_walk *w, struct hl_frame *f, struct hl_frame *up)
{
	/* a frame with flags has bits there that no word has */
	uint64_t word = hl_rules_find_near(w->near, f->pc - 1), base, cfa, slot;

	if (HL_UNLIKELY(hl_rule_is_special((uint32_t)word))) /* also: none */
		return 0;
	base = word & HL_STEP_FP_BASE ? f->fp : f->sp;
	cfa = base + ((word & HL_STEP_OFFSET) >> 1);
	slot = word & HL_STEP_FROM_CFA ? cfa - 8 - 8 * (word & HL_STEP_SLOT)
				       : base + 8 * (word & HL_STEP_SLOT);
	/* outwards from where it is readable, as far as it is */
	if (HL_UNLIKELY(cfa <= f->sp || cfa > w->high || slot - ((word & HL_STEP_PAIR) >> 11) < f->sp))
		return 0;
	f->rule = (uint16_t)word;
	up->fp = f->fp;
	up->fp_slot = 0;
	if (word & HL_STEP_PAIR) {
		up->fp_slot = slot - 8;
		up->fp = hl_word(slot - 8);
	}
	up->pc = hl_cpu_code(hl_word(slot));
	up->ra_slot = slot;
	up->sp = cfa;
	return 1;
}

static inline uint8_t hl_cpu_fp_live(uint16_t rule, uint8_t outer)
{
	if (HL_UNLIKELY(hl_rule_is_special(rule)))
		return rule != HL_STEP_END;
	return (uint8_t)(((rule & HL_STEP_FP_BASE) != 0) | (((rule & HL_STEP_PAIR) == 0) & outer));
}

#endif
