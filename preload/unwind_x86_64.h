/*
 * unwind_x86_64.h - what the parts of the x86-64 walk share: rules, readable memory, single steps.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_X86_64_H
#define HL_PRELOAD_UNWIND_X86_64_H

#include "preload/cfi.h"
#include "preload/unwind.h"

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

struct hl_walk {
	struct hl_thread *t;
	uint64_t low, high; /* readable without asking; high - low >= 7 always */
	uint64_t page;      /* last page the kernel said is readable */
	uint64_t regs[HL_REGS];
	uint32_t known; /* bit r: regs[r] is the frame's */
};

/* Note what is known of the stack that sp lies on. */
void hl_walk_bounds(struct hl_walk *w, uint64_t sp);
int hl_walk_ask(struct hl_walk *w, uint64_t address);

/* May the 8 bytes at address be read? */
static inline int hl_walk_can_read(struct hl_walk *w, uint64_t address)
{
	return HL_LIKELY(address - w->low < w->high - w->low - 7) || hl_walk_ask(w, address);
}

enum hl_stepped { HL_STEPPED, HL_STEP_ENDED, HL_STEP_NEEDS_ALL };

/* From the frame in w->regs to its caller by interpreting the CFI at address; *exact: the caller was
 * interrupted, not calling. */
enum hl_stepped hl_walk_step(struct hl_walk *w, struct hl_cfi *c, uint64_t address, int *exact);
/* Code without CFI that keeps a frame pointer: follow rbp where it can be one. */
enum hl_stepped hl_walk_guess(struct hl_walk *w, struct hl_cfi *c);

#endif
