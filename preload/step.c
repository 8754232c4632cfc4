/*
 * step.c - reading the stack safely, and the steps that need more than a cached rule.
 *
 * Memory is read only where it is known to be the thread's stack, or after asking the kernel: wrong CFI
 * (hand-written code, a coroutine without an end mark) must not make the program fault.
 */
#include "preload/unwind_cpu.h"

#define PAGE   4096u
#define STRIDE (8ull << 20) /* a thread's stack grows by at most this between two looks */

int hl_walk_ask(struct hl_walk *w, uint64_t address)
{
	uint64_t page = address & ~(uint64_t)(PAGE - 1);

	/* page 0: to the kernel a set at NULL is none at all */
	if (address & 7 || page == 0)
		return 0;
	if (page == w->page)
		return 1;
	if (!hl_sys_readable(page))
		return 0;
	w->page = page;
	return 1;
}

int hl_walk_read(void *ctx, uint64_t address, uint64_t *value)
{
	if (!hl_walk_can_read(ctx, address))
		return 0;
	*value = *(const uint64_t *)(uintptr_t)address;
	return 1;
}

/* The part of the thread's own stack from sp up: known once its pages were found to be there without
 * a gap.  glibc puts the thread's control block at the top of its stack; the main thread's stack ends
 * with the environment. */
void hl_walk_look(struct hl_walk *w, uint64_t sp)
{
	struct hl_thread *t = w->t;

	if (t->stack_high == 0) {
		t->stack_high = t->tid == hl_guest.pid ? hl_guest.main_stack_high : hl_cpu_thread_pointer();
		t->stack_low = t->stack_high;
	}
	if (HL_UNLIKELY(sp < t->stack_low)) {
		uint64_t page = sp & ~(uint64_t)(PAGE - 1), p = page;

		/* not again and again for a coroutine's stack that happens to lie close below */
		if (t->stack_low - sp < STRIDE && (sp ^ t->foreign_sp) >> 16) {
			while (p < t->stack_low && hl_sys_readable(p))
				p += PAGE;
			if (p >= t->stack_low)
				t->stack_low = page;
			else
				t->foreign_sp = sp;
		}
	}
	if (HL_LIKELY(sp >= t->stack_low && sp < t->stack_high)) {
		w->low = t->stack_low;
		w->high = t->stack_high;
	} else {
		/* a coroutine, an alternate stack: ask for every page; no word fits into these 7 bytes */
		w->low = 0;
		w->high = 7;
	}
}

static int value_of(struct hl_walk *w, const struct hl_cfi *c, const struct hl_rule *rule, unsigned reg,
		    uint64_t cfa, uint64_t *v)
{
	uint64_t at;

	switch (rule->kind) {
	case HL_RULE_SAME:
		*v = reg == HL_REG_SP ? cfa : w->regs[reg];
		return reg == HL_REG_SP || w->known >> reg & 1;
	case HL_RULE_OFFSET:
		return hl_walk_read(w, cfa + (uint64_t)(int64_t)rule->value, v);
	case HL_RULE_VAL_OFFSET:
		*v = cfa + (uint64_t)(int64_t)rule->value;
		return 1;
	case HL_RULE_REGISTER:
		if (rule->value < 0 || rule->value >= HL_REGS || !(w->known >> rule->value & 1))
			return 0;
		*v = w->regs[rule->value];
		return 1;
	case HL_RULE_EXPR:
		return hl_cfi_eval(c, rule->value, w->regs, w->known, cfa, 1, hl_walk_read, w, &at) == 0 &&
		       hl_walk_read(w, at, v);
	case HL_RULE_VAL_EXPR:
		return hl_cfi_eval(c, rule->value, w->regs, w->known, cfa, 1, hl_walk_read, w, v) == 0;
	}
	return 0;
}

static enum hl_stepped cfa_of(struct hl_walk *w, const struct hl_cfi *c, uint64_t *cfa)
{
	const struct hl_row *r = &c->row;
	const struct hl_rule *fp = &r->reg[HL_REG_FP];

	if (r->cfa_is_expr)
		return hl_cfi_eval(c, r->cfa_value, w->regs, w->known, 0, 0, hl_walk_read, w, cfa) == 0
			       ? HL_STEPPED
			       : HL_STEP_NEEDS_ALL;
	if (r->cfa_reg >= HL_REGS)
		return HL_STEP_ENDED;
	if (w->known >> r->cfa_reg & 1) {
		*cfa = w->regs[r->cfa_reg] + (uint64_t)(int64_t)r->cfa_value;
		return HL_STEPPED;
	}
	/* The stack pointer is not known behind a guess, but the frame pointer is: it points to where the
	 * caller's was saved. */
	if (r->cfa_reg == HL_REG_SP && fp->kind == HL_RULE_OFFSET && w->known >> HL_REG_FP & 1) {
		*cfa = w->regs[HL_REG_FP] - (uint64_t)(int64_t)fp->value;
		return HL_STEPPED;
	}
	return HL_STEP_NEEDS_ALL;
}

enum hl_stepped hl_walk_step(struct hl_walk *w, struct hl_cfi *c, uint64_t address, int *exact)
{
	const struct hl_row *r = &c->row;
	const struct hl_rule *ra = &r->reg[HL_REG_RA];
	uint64_t *next = c->next, cfa, known = 0;
	enum hl_stepped found;
	int in_register;

	if (hl_cfi_find(c, address) < 0 || ra->kind == HL_RULE_UNDEFINED)
		return HL_STEP_ENDED;
	in_register = HL_REG_RA != HL_REG_PC && (ra->kind == HL_RULE_SAME || ra->kind == HL_RULE_REGISTER);
	found = cfa_of(w, c, &cfa);
	if (found != HL_STEPPED)
		return found;
	for (unsigned i = 0; i < HL_REGS; i++)
		if (value_of(w, c, &r->reg[i], i, cfa, &next[i]))
			known |= 1ull << i;
		else
			next[i] = 0;
	if (!(known >> HL_REG_RA & 1))
		return in_register ? HL_STEP_NEEDS_ALL : HL_STEP_ENDED;
	if (!(known >> HL_REG_SP & 1))
		return HL_STEP_ENDED;
	*exact = c->signal_frame;
	/* A signal frame may lead to another stack; elsewhere the stack only shrinks, but for a function that has
	 * nothing on it yet. */
	if (c->signal_frame)
		hl_walk_bounds(w, next[HL_REG_SP]);
	else if (next[HL_REG_SP] < w->regs[HL_REG_SP] ||
		 (next[HL_REG_SP] == w->regs[HL_REG_SP] && !in_register))
		return HL_STEP_ENDED;
	else
		known &= ~HL_REGS_LOST;
	for (unsigned i = 0; i < HL_REGS; i++)
		w->regs[i] = next[i];
	w->regs[HL_REG_PC] = hl_cpu_code(next[HL_REG_RA]);
	w->known = known | 1ull << HL_REG_PC;
	return HL_STEPPED;
}

/* May pc be a return address? */
static int is_code(struct hl_walk *w, struct hl_cfi *c, uint64_t pc)
{
	if (pc < PAGE || pc >= HL_CODE_END)
		return 0;
	if (hl_rule_of(c, pc - 1) != HL_STEP_NO_OBJ)
		return 1;
	if (!hl_walk_follows_call(w, pc))
		return 0;
	hl_rule_made(pc - 1);
	return 1;
}

enum hl_stepped hl_walk_guess(struct hl_walk *w, struct hl_cfi *c)
{
	uint64_t fp = w->regs[HL_REG_FP], pc, up;

	if (!(w->known >> HL_REG_FP & 1) || fp & 7 || fp < w->regs[HL_REG_SP] || !hl_walk_read(w, fp, &up) ||
	    !hl_walk_read(w, fp + 8, &pc) || !is_code(w, c, hl_cpu_code(pc)))
		return HL_STEP_ENDED;
	w->regs[HL_REG_PC] = hl_cpu_code(pc);
	w->regs[HL_REG_SP] = fp + 16;
	w->regs[HL_REG_FP] = up;
	w->known = 1ull << HL_REG_PC | (uint64_t)HL_CPU_GUESS_KNOWS_SP << HL_REG_SP | 1ull << HL_REG_FP;
	return HL_STEPPED;
}

enum hl_stepped hl_walk_by(struct hl_walk *w, struct hl_cfi *c, uint32_t rule, uint64_t address,
			   uint64_t *flags)
{
	enum hl_stepped r;
	int exact = 0;

#if HL_CPU_TRAMPOLINE
	if (rule == HL_STEP_SIGNAL) {
		*flags = HL_NODE_EXACT;
		return hl_walk_signal(w);
	}
#endif
	*flags = HL_NODE_GUESSED;
	if (hl_rule_is_guess(rule))
		return hl_walk_guess(w, c);
	r = hl_walk_step(w, c, address, &exact);
	if (!HL_CPU_GUESS_KNOWS_SP && r == HL_STEP_NEEDS_ALL && !(w->known >> HL_REG_SP & 1))
		return hl_walk_guess(w, c);
	*flags = exact ? HL_NODE_EXACT : 0;
	return r;
}
