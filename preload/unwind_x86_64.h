/*
 * unwind_x86_64.h - what the parts of the x86-64 walk share: rules, single steps.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_X86_64_H
#define HL_PRELOAD_UNWIND_X86_64_H

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

/* The rule at address (inside the call instruction).  c: scratch. */
uint32_t hl_rule_of(struct hl_cfi *c, uint64_t address);
/* Remember that an address without a rule is code made at run time. */
void hl_rule_made(uint64_t address);

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
