/*
 * unwind_cpu.h - what the walks need of a CPU: the first frame, one step, memory that may be read.  Floor 2.
 * One unwind_ and rules_ file per CPU behind it.
 */
#ifndef HL_PRELOAD_UNWIND_CPU_H
#define HL_PRELOAD_UNWIND_CPU_H

#include "preload/cfi.h"
#include "preload/rulecache.h"
#include "preload/unwind.h"

/* Rules without a form; the others are laid out in cpu_*.h. */
#define HL_STEP_CFI    HL_RULE_SPECIAL(0) /* interpret the CFI each time */
#define HL_STEP_END    HL_RULE_SPECIAL(1) /* no caller */
#define HL_STEP_NO_CFI HL_RULE_SPECIAL(2)
#define HL_STEP_NO_OBJ HL_RULE_SPECIAL(3) /* in no object: code made at run time, or no code */
#define HL_STEP_MADE   HL_RULE_SPECIAL(4) /* of those, seen behind a call instruction */
#define HL_STEP_SIGNAL HL_RULE_SPECIAL(5) /* returns to a signal trampoline that has no CFI */

/* A rule that is in no word yet.  c: scratch. */
uint32_t hl_rule_resolve(struct hl_cfi *c, uint64_t address) __attribute__((cold));
/* Remember that an address without a rule is code made at run time. */
void hl_rule_made(uint64_t address);

/* The rule at address: inside the call instruction, or that of an interrupted one.  c: scratch. */
static inline uint32_t hl_rule_of(struct hl_cfi *c, uint64_t address)
{
	uint64_t word = hl_rules_find(address);

	return HL_LIKELY(word != HL_RULE_NONE) ? (uint32_t)(word & 0xffff) : hl_rule_resolve(c, address);
}

/* Is there no more to follow than the frame pointer? */
static inline int hl_rule_is_guess(uint32_t rule)
{
	return rule == HL_STEP_NO_CFI || rule == HL_STEP_NO_OBJ || rule == HL_STEP_MADE;
}

/* One walk through one stack. */
struct hl_walk {
	struct hl_thread *t;
	const struct hl_near *near; /* of the stream */
	uint64_t low, high;         /* readable without asking; high - low >= 7 always */
	uint64_t page;              /* last page the kernel said is readable */
	uint64_t regs[HL_REGS];
	uint64_t known; /* bit r: regs[r] is the frame's */
	/* The return address of the interrupted frame at lr_sp, still in its register; 0: none. */
	uint64_t lr, lr_sp;
};

enum hl_stepped { HL_STEPPED, HL_STEP_ENDED, HL_STEP_NEEDS_ALL };

/* Find out what is known of the stack that sp lies on. */
void hl_walk_look(struct hl_walk *w, uint64_t sp);
/* Note it. */
static inline void hl_walk_bounds(struct hl_walk *w, uint64_t sp)
{
	w->low = w->t->stack_low;
	w->high = w->t->stack_high;
	if (HL_UNLIKELY(sp < w->low || sp >= w->high))
		hl_walk_look(w, sp);
}
/* 1: the word at address can be read; asks the kernel. */
int hl_walk_ask(struct hl_walk *w, uint64_t address);

/* May the 8 bytes at address be read? */
static inline int hl_walk_can_read(struct hl_walk *w, uint64_t address)
{
	return HL_LIKELY(address - w->low < w->high - w->low - 7) || hl_walk_ask(w, address);
}

static inline uint64_t hl_word(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

static inline int hl_pc_is_ours(uint64_t pc)
{
	return pc - hl_guest.text_start < hl_guest.text_end - hl_guest.text_start;
}

/* May a frame have that pc? */
static inline int hl_pc_is_sane(uint64_t frame_pc)
{
	uint64_t pc = HL_PC(frame_pc);

	return pc >= 4096 && pc < HL_CODE_END;
}

/* The caller of the hook at that place; starts w.  Opaque: every capture starts from its own hook. */
static inline void hl_cpu_first(struct hl_walk *w, struct hl_thread *t, struct hl_stream *s,
				struct hl_anchor at, struct hl_frame *f)
{
	w->t = t;
	w->near = &s->near;
	w->page = 1;
	w->lr_sp = 0;
	hl_walk_bounds(w, at.frame);
	f->fp = hl_anchor_fp(at);
	f->pc = hl_anchor_ra(at);
	f->sp = hl_anchor_sp(at);
	f->ra_slot = at.frame + 8;
	f->fp_slot = HL_FRAME_OPAQUE;
}

/* 1 and *value, or 0.  For hl_cfi_eval: ctx is a struct hl_walk. */
int hl_walk_read(void *ctx, uint64_t address, uint64_t *value);

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

/* From *f to its caller *up; notes f->rule, and in up all but hash, node, probe, below, rule, live, opaque. */
enum hl_stepped hl_cpu_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up);

/* What is small and called for every frame stands in the CPU's header:
 *   hl_cpu_hop     hl_cpu_leave where it is easy: 1, or 0
 *   hl_cpu_fp_live does the frame pointer of a frame that is left by that rule decide about a frame further out: where it is
 *                  what finds the caller; where it is handed on as it is, when that of the caller (outer) does */
#if defined(__x86_64__)
#include "preload/unwind_x86_64.h"
#else
#include "preload/unwind_aarch64.h"
#endif

/* 1: the rule says that there is no caller, whatever the words on the stack. */
static inline int hl_cpu_is_end(uint16_t rule)
{
	return rule == HL_STEP_END;
}

#endif
