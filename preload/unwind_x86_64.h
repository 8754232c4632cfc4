/*
 * unwind_x86_64.h - what the parts of the x86-64 walk share: rules, single steps.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_X86_64_H
#define HL_PRELOAD_UNWIND_X86_64_H

#include "preload/rulecache.h"
#include "preload/unwind_cpu.h"

/* A rule: bit 15 the CFA is relative to rbp, else rsp; bits 3-14 its offset / 8; bits 0-2 where the
 * caller's rbp is: 0 unchanged, 1-6 at CFA - 8 * (n + 1), 7 one of the special rules. */
#define HL_STEP_RBP_BASE 0x8000u
#define HL_STEP_OFFSET   0x7ff8u
#define HL_STEP_SPECIAL  7u
#define HL_STEP_CFI      (0u << 3 | HL_STEP_SPECIAL) /* interpret the CFI each time */
#define HL_STEP_END      (1u << 3 | HL_STEP_SPECIAL) /* no caller */
#define HL_STEP_NO_CFI   (2u << 3 | HL_STEP_SPECIAL)
#define HL_STEP_NO_OBJ   (3u << 3 | HL_STEP_SPECIAL) /* in no object: code made at run time, or no code */
#define HL_STEP_MADE     (4u << 3 | HL_STEP_SPECIAL) /* of those, seen behind a call instruction */

static inline void hl_cpu_first(struct hl_walk *w, struct hl_thread *t, uintptr_t frame, struct hl_frame *f)
{
	w->t = t;
	w->page = 1;
	hl_walk_bounds(w, frame);
	f->fp = hl_word(frame);
	f->pc = hl_word(frame + 8);
	f->sp = frame + 16;
	f->ra_slot = frame + 8;
	f->fp_slot = HL_FRAME_OPAQUE; /* every capture starts from its own hook */
}

/* Remember that an address without a rule is code made at run time. */
void hl_rule_made(uint64_t address);
/* A rule that is in no word yet. */
uint32_t hl_rule_resolve(struct hl_cfi *c, uint64_t address) __attribute__((cold));

/* The rule at address (inside the call instruction).  c: scratch. */
static inline uint32_t hl_rule_of(struct hl_cfi *c, uint64_t address)
{
	uint64_t word = hl_rules_find(address);

	return HL_LIKELY(word != HL_RULE_NONE) ? (uint32_t)(word & 0xffff) : hl_rule_resolve(c, address);
}

/* hl_cpu_leave where a word of the cache has a rule that is two offsets: nearly always.  0: it has not. */
static inline int hl_cpu_hop(struct hl_walk *w, struct hl_frame *f, struct hl_frame *up)
{
	/* a frame with flags has bits there that no word has */
	uint64_t word = hl_rules_find(f->pc - 1), cfa, slot;

	if (HL_UNLIKELY(word == HL_RULE_NONE))
		return 0;
	cfa = (word & HL_STEP_RBP_BASE ? f->fp : f->sp) + (word & HL_STEP_OFFSET);
	if (HL_UNLIKELY((word & 7) == HL_STEP_SPECIAL || cfa <= f->sp || cfa > w->high || f->sp < w->low))
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

static inline enum hl_fp_use hl_cpu_fp_use(uint16_t rule)
{
	if (HL_UNLIKELY((rule & 7) == HL_STEP_SPECIAL))
		return rule == HL_STEP_END ? HL_FP_RELOADED : HL_FP_DECIDES;
	if (rule & HL_STEP_RBP_BASE)
		return HL_FP_DECIDES;
	return rule & 7 ? HL_FP_RELOADED : HL_FP_KEPT;
}

/* 1: the rule says that there is no caller, whatever the words on the stack. */
static inline int hl_cpu_is_end(uint16_t rule)
{
	return rule == HL_STEP_END;
}

/* Is there no more to follow than rbp? */
static inline int hl_rule_is_guess(uint32_t rule)
{
	return rule == HL_STEP_NO_CFI || rule == HL_STEP_NO_OBJ || rule == HL_STEP_MADE;
}

/* From the frame in w->regs to its caller by interpreting the CFI at address; *exact: the caller was
 * interrupted, not calling. */
enum hl_stepped hl_walk_step(struct hl_walk *w, struct hl_cfi *c, uint64_t address, int *exact);
/* Code without CFI that keeps a frame pointer: follow rbp where it can be one. */
enum hl_stepped hl_walk_guess(struct hl_walk *w, struct hl_cfi *c);

#endif
