/*
 * walk.h - stepping from a frame to its caller: rules, readable memory, single steps.  Floor 2.
 *
 * Every function is for the thread whose stack it is, takes no lock and may be used in a signal handler.
 */
#ifndef HL_PRELOAD_WALK_H
#define HL_PRELOAD_WALK_H

#include "preload/cfi.h"
#include "preload/thread.h"

/* Rules without a form; the others are laid out in cpu_*.h. */
#define HL_STEP_CFI    HL_RULE_SPECIAL(0) /* interpret the CFI each time */
#define HL_STEP_END    HL_RULE_SPECIAL(1) /* no caller */
#define HL_STEP_NO_CFI HL_RULE_SPECIAL(2)
#define HL_STEP_NO_OBJ HL_RULE_SPECIAL(3) /* in no object: code made at run time, or no code */
#define HL_STEP_MADE   HL_RULE_SPECIAL(4) /* of those, seen behind a call instruction */
#define HL_STEP_SIGNAL HL_RULE_SPECIAL(5) /* returns to a signal trampoline that has no CFI */

/* The rule at address: inside the call instruction, or that of an interrupted one.  c: scratch. */
uint32_t hl_rule_of(struct hl_cfi *c, uint64_t address);
/* Remember that an address without a rule is code made at run time. */
void hl_rule_made(uint64_t address);

/* Is there no more to follow than the frame pointer? */
static inline int hl_rule_is_guess(uint32_t rule)
{
	return rule == HL_STEP_NO_CFI || rule == HL_STEP_NO_OBJ || rule == HL_STEP_MADE;
}

struct hl_walk {
	struct hl_thread *t;
	uint64_t low, high; /* readable without asking; high - low >= 7 always */
	uint64_t page;      /* last page the kernel said is readable; 1: none yet */
	uint64_t regs[HL_REGS];
	uint64_t known; /* bit r: regs[r] is the frame's */
	/* Of hl_walk_leave, where a CPU has it: */
	uint64_t pc_slot; /* where the last step read the return address; 0: not by one read */
	uint64_t lr,
		lr_sp; /* a return address still in its register, of the interrupted frame at lr_sp; 0: none */
};

/* Note what is known of the stack that sp lies on. */
void hl_walk_bounds(struct hl_walk *w, uint64_t sp);
int hl_walk_ask(struct hl_walk *w, uint64_t address);

/* May the 8 bytes at address be read? */
static inline int hl_walk_can_read(struct hl_walk *w, uint64_t address)
{
	return HL_LIKELY(address - w->low < w->high - w->low - 7) || hl_walk_ask(w, address);
}

/* 1 and *value, or 0.  For hl_cfi_eval: ctx is a struct hl_walk. */
int hl_walk_read(void *ctx, uint64_t address, uint64_t *value);

enum hl_stepped { HL_STEPPED, HL_STEP_ENDED, HL_STEP_NEEDS_ALL };

/* From the frame in w->regs to its caller by interpreting the CFI at address; *exact: the caller was
 * interrupted, not calling. */
enum hl_stepped hl_walk_step(struct hl_walk *w, struct hl_cfi *c, uint64_t address, int *exact);
/* Code without CFI that keeps a frame pointer: follow it where it can be one.  Where HL_CPU_GUESS_KNOWS_SP is 0, the
 * stack pointer is then not known, and regs holds the lowest it can be. */
enum hl_stepped hl_walk_guess(struct hl_walk *w, struct hl_cfi *c);

/* The step for any rule, also one with a form.  *flags: enum hl_node_flags of the caller. */
enum hl_stepped hl_walk_by(struct hl_walk *w, struct hl_cfi *c, uint32_t rule, uint64_t address,
			   uint64_t *flags);

/* ---- by CPU: rules_*.c ---- */
/* The rule for what hl_cfi_find found at address. */
uint32_t hl_rule_encode(const struct hl_cfi *c, uint64_t address);
/* Does a call instruction end at pc?  Reads only what may be read. */
int hl_walk_follows_call(struct hl_walk *w, uint64_t pc);
#if HL_CPU_TRAMPOLINE
/* Is this, if it may be read, the code that a signal handler returns to? */
int hl_walk_is_trampoline(uint64_t pc);
/* From the trampoline, w->regs' frame, to the interrupted code; all registers are known then. */
enum hl_stepped hl_walk_signal(struct hl_walk *w);
#endif

#endif
