/*
 * step_x86_64.c - reading the stack safely, and the steps that need more than a cached rule.
 *
 * Memory is read only where it is known to be the thread's stack, or after asking the kernel: wrong CFI
 * (hand-written code, a coroutine without an end mark) must not make the program fault.
 */
#if defined(__x86_64__)
#include "preload/unwind_x86_64.h"

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

static int read_word(void *ctx, uint64_t address, uint64_t *value)
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
		uint64_t tp;

		__asm__("mov %%fs:0, %0" : "=r"(tp));
		t->stack_high = t->tid == hl_guest.pid ? hl_guest.main_stack_high : tp;
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
		*v = reg == HL_RSP ? cfa : w->regs[reg];
		return reg == HL_RSP || w->known >> reg & 1;
	case HL_RULE_OFFSET:
		return read_word(w, cfa + (uint64_t)(int64_t)rule->value, v);
	case HL_RULE_VAL_OFFSET:
		*v = cfa + (uint64_t)(int64_t)rule->value;
		return 1;
	case HL_RULE_REGISTER:
		if (rule->value < 0 || rule->value >= HL_REGS || !(w->known >> rule->value & 1))
			return 0;
		*v = w->regs[rule->value];
		return 1;
	case HL_RULE_EXPR:
		return hl_cfi_eval(c, rule->value, w->regs, w->known, cfa, 1, read_word, w, &at) == 0 &&
		       read_word(w, at, v);
	case HL_RULE_VAL_EXPR:
		return hl_cfi_eval(c, rule->value, w->regs, w->known, cfa, 1, read_word, w, v) == 0;
	}
	return 0;
}

enum hl_stepped hl_walk_step(struct hl_walk *w, struct hl_cfi *c, uint64_t address, int *exact)
{
	const struct hl_row *r = &c->row;
	uint64_t next[HL_REGS], cfa;
	uint32_t known = 0;

	if (hl_cfi_find(c, address) < 0 || r->reg[HL_RIP].kind == HL_RULE_UNDEFINED)
		return HL_STEP_ENDED;
	if (r->cfa_is_expr) {
		if (hl_cfi_eval(c, r->cfa_value, w->regs, w->known, 0, 0, read_word, w, &cfa) < 0)
			return HL_STEP_NEEDS_ALL;
	} else {
		if (r->cfa_reg >= HL_REGS)
			return HL_STEP_ENDED;
		if (!(w->known >> r->cfa_reg & 1))
			return HL_STEP_NEEDS_ALL;
		cfa = w->regs[r->cfa_reg] + (uint64_t)(int64_t)r->cfa_value;
	}
	for (unsigned i = 0; i < HL_REGS; i++)
		if (value_of(w, c, &r->reg[i], i, cfa, &next[i]))
			known |= 1u << i;
		else
			next[i] = 0;
	if (!(known >> HL_RIP & 1) || !(known >> HL_RSP & 1))
		return HL_STEP_ENDED;
	*exact = c->signal_frame;
	/* A signal frame may lead to another stack; elsewhere the stack only shrinks. */
	if (c->signal_frame)
		hl_walk_bounds(w, next[HL_RSP]);
	else if (next[HL_RSP] <= w->regs[HL_RSP])
		return HL_STEP_ENDED;
	for (unsigned i = 0; i < HL_REGS; i++)
		w->regs[i] = next[i];
	w->known = known;
	return HL_STEPPED;
}

/* Does a call instruction end at pc?  E8 rel32, or FF /2 with its operand of 0 to 5 more bytes. */
static int follows_call(struct hl_walk *w, uint64_t pc)
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

/* May pc be a return address? */
static int is_code(struct hl_walk *w, struct hl_cfi *c, uint64_t pc)
{
	if (pc < PAGE || pc >= 1ull << 47)
		return 0;
	if (hl_rule_of(c, pc - 1) != HL_STEP_NO_OBJ)
		return 1;
	if (!follows_call(w, pc))
		return 0;
	hl_rule_made(pc - 1);
	return 1;
}

enum hl_stepped hl_walk_guess(struct hl_walk *w, struct hl_cfi *c)
{
	uint64_t fp = w->regs[HL_RBP], pc, up;

	if (!(w->known >> HL_RBP & 1) || fp & 7 || fp < w->regs[HL_RSP] || !read_word(w, fp, &up) ||
	    !read_word(w, fp + 8, &pc) || !is_code(w, c, pc))
		return HL_STEP_ENDED;
	w->regs[HL_RIP] = pc;
	w->regs[HL_RSP] = fp + 16;
	w->regs[HL_RBP] = up;
	w->known = 1u << HL_RIP | 1u << HL_RSP | 1u << HL_RBP;
	return HL_STEPPED;
}

#endif
