/*
 * unwind_x86_64.h - the easy step on x86-64; part of unwind_cpu.h, which includes it.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_X86_64_H
#define HL_PRELOAD_UNWIND_X86_64_H

/* hl_cpu_leave where a word of the cache has a rule that is two offsets: nearly always.  0: it has not. */
static inline int hl_cpu_hop(struct hl_walk *w, struct hl_frame *f, struct hl_frame *up)
{
	/* a frame with flags has bits there that no word has */
	uint64_t word = hl_rules_find_near(w->near, f->pc - 1), cfa, slot;

	if (HL_UNLIKELY(word == HL_RULE_NONE))
		return 0;
	cfa = (word & HL_STEP_RBP_BASE ? f->fp : f->sp) + (word & HL_STEP_OFFSET);
	/* outwards from where it is readable, as far as it is */
	if (HL_UNLIKELY((word & 7) == HL_STEP_SPECIAL || cfa <= f->sp || cfa > w->high))
		return 0;
	f->rule = (uint16_t)word;
	up->fp = f->fp;
	up->fp_slot = 0;
	if (word & 7) {
		slot = cfa - 8 * ((word & 7) + 1);
		if (HL_UNLIKELY(slot < f->sp))
			return 0;
		up->fp_slot = slot;
		up->fp = hl_word(slot);
	}
	up->pc = hl_word(cfa - 8);
	up->ra_slot = cfa - 8;
	up->sp = cfa;
	return 1;
}

static inline uint8_t hl_cpu_fp_live(uint16_t rule, uint8_t outer)
{
	if (HL_UNLIKELY((rule & 7) == HL_STEP_SPECIAL))
		return rule != HL_STEP_END;
	return (uint8_t)(rule / HL_STEP_RBP_BASE | (((rule & 7) == 0) & outer));
}

#endif
