/*
 * unwind_x86_64.c - walking the stack by cached rules.
 *
 * One 8-byte word per call site, address << 16 | rule: which register the CFA is relative to, by how much,
 * and where rbp was saved.  A word is read and written whole, so threads share the cache without a
 * lock; a miss costs about a microsecond of reading .eh_frame and is paid once per call site.
 *
 * Frames that a rule cannot say (signal frames, realigned stacks, PLT entries) are stepped by
 * interpreting their CFI; where that needs a register the walk did not keep, the walk is done again from
 * here with all of them.
 *
 * Memory is read only where it is known to be the thread's stack, or after asking the kernel: wrong CFI
 * (hand-written code, a coroutine without an end mark) must not make the program fault.
 */
#if defined(__x86_64__)
#include "preload/cfi.h"
#include "preload/object.h"
#include "preload/unwind.h"

#define WAYS   8u
#define SETS   8192u
#define PAGE   4096u
#define STRIDE (8ull << 20) /* a thread's stack grows by at most this between two looks */

/* rule: bit 15 base is rbp; bits 3-14 CFA offset / 8; bits 0-2 where rbp is: 0 unchanged, 1-6 at
 * CFA - 8 * (n + 1), 7 see below. */
#define RBP_BASE    0x8000u
#define SPECIAL	    7u
#define RULE_STEP   (0u << 3 | SPECIAL) /* interpret the CFI each time */
#define RULE_END    (1u << 3 | SPECIAL) /* no caller */
#define RULE_NO_CFI (2u << 3 | SPECIAL)

static _Alignas(64) _Atomic uint64_t cache[SETS * WAYS];

struct walk {
	struct hl_thread *t;
	uint64_t regs[HL_REGS];
	uint32_t known;	     /* bit r: regs[r] is the frame's */
	uint64_t low, high;  /* readable without asking */
	uint64_t page;	     /* last page the kernel said is readable */
};

static int readable(uint64_t page)
{
	/* An invalid `how` is refused after the set was read (rt_sigprocmask(2): EFAULT before EINVAL). */
	return hl_sys4(SYS_rt_sigprocmask, -1, (long)page, 0, 8) != -14;
}

static int can_read(struct walk *w, uint64_t address)
{
	if (HL_LIKELY(address >= w->low && address + 8 <= w->high))
		return 1;
	if (address & 7)
		return 0;
	if ((address & ~(uint64_t)(PAGE - 1)) == w->page)
		return 1;
	if (!readable(address & ~(uint64_t)(PAGE - 1)))
		return 0;
	w->page = address & ~(uint64_t)(PAGE - 1);
	return 1;
}

static int read_word(void *ctx, uint64_t address, uint64_t *value)
{
	if (!can_read(ctx, address))
		return 0;
	*value = *(const uint64_t *)(uintptr_t)address;
	return 1;
}

/* The part of the thread's own stack from sp up: known once its pages were found to be there without
 * a gap.  glibc puts the thread's control block at the top of its stack; the main thread's stack ends
 * with the environment. */
static void bounds(struct walk *w, uint64_t sp)
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

		if (t->stack_low - sp < STRIDE) {
			while (p < t->stack_low && readable(p))
				p += PAGE;
			if (p >= t->stack_low)
				t->stack_low = page;
		}
	}
	if (HL_LIKELY(sp >= t->stack_low && sp < t->stack_high)) {
		w->low = t->stack_low;
		w->high = t->stack_high;
	} else {
		w->low = w->high = 0; /* a coroutine, an alternate stack: ask for every page */
	}
}

static uint32_t encode(const struct hl_cfi *c)
{
	const struct hl_row *r = &c->row;
	const struct hl_rule *ra = &r->reg[HL_RIP], *bp = &r->reg[HL_RBP];
	uint32_t rule;

	if (ra->kind == HL_RULE_UNDEFINED)
		return RULE_END;
	if (c->signal_frame || r->cfa_is_expr || ra->kind != HL_RULE_OFFSET || ra->value != -8 ||
	    r->reg[HL_RSP].kind != HL_RULE_SAME || r->cfa_value <= 0 || r->cfa_value >= 32768 || r->cfa_value & 7)
		return RULE_STEP;
	if (r->cfa_reg == HL_RSP)
		rule = 0;
	else if (r->cfa_reg == HL_RBP)
		rule = RBP_BASE;
	else
		return RULE_STEP;
	rule |= (uint32_t)r->cfa_value;
	if (bp->kind == HL_RULE_SAME)
		return rule;
	if (bp->kind != HL_RULE_OFFSET || bp->value > -16 || bp->value < -56 || bp->value & 7)
		return RULE_STEP;
	return rule | (uint32_t)(-bp->value / 8 - 1);
}

static _Atomic uint64_t *set_of(uint64_t address)
{
	return &cache[(address * 0x9e3779b97f4a7c15ull >> 51) * WAYS];
}

static uint32_t resolve(struct hl_cfi *c, uint64_t address)
{
	_Atomic uint64_t *set = set_of(address);
	uint32_t rule = hl_cfi_find(c, address) < 0 ? RULE_NO_CFI : encode(c), way = 0;

	while (way < WAYS && atomic_load_explicit(&set[way], memory_order_relaxed))
		way++;
	if (way == WAYS)
		way = (uint32_t)(address >> 3) % WAYS;
	atomic_store_explicit(&set[way], address << 16 | rule, memory_order_relaxed);
	return rule;
}

static inline uint32_t rule_of(struct hl_cfi *c, uint64_t address)
{
	_Atomic uint64_t *set = set_of(address);

	for (uint32_t way = 0; way < WAYS; way++) {
		uint64_t word = atomic_load_explicit(&set[way], memory_order_relaxed);

		if (word >> 16 == address)
			return (uint32_t)(word & 0xffff);
	}
	return resolve(c, address);
}

void hl_unwind_cfi_flush(void)
{
	for (uint32_t i = 0; i < SETS * WAYS; i++)
		atomic_store_explicit(&cache[i], 0, memory_order_relaxed);
}

enum { STEPPED, ENDED, NEED_ALL };

static int value_of(struct walk *w, const struct hl_cfi *c, const struct hl_rule *rule, unsigned reg, uint64_t cfa,
		    uint64_t *v)
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
		return hl_cfi_eval(c, rule->value, w->regs, cfa, 1, read_word, w, &at) == 0 && read_word(w, at, v);
	case HL_RULE_VAL_EXPR:
		return hl_cfi_eval(c, rule->value, w->regs, cfa, 1, read_word, w, v) == 0;
	}
	return 0;
}

/* One step by interpretation. */
static int step(struct walk *w, struct hl_cfi *c, uint64_t address, int *exact)
{
	const struct hl_row *r = &c->row;
	uint64_t next[HL_REGS], cfa;
	uint32_t known = 0;

	if (hl_cfi_find(c, address) < 0 || r->reg[HL_RIP].kind == HL_RULE_UNDEFINED)
		return ENDED;
	if (r->cfa_is_expr) {
		if (hl_cfi_eval(c, r->cfa_value, w->regs, 0, 0, read_word, w, &cfa) < 0)
			return ENDED;
	} else {
		if (r->cfa_reg >= HL_REGS)
			return ENDED;
		if (!(w->known >> r->cfa_reg & 1))
			return NEED_ALL;
		cfa = w->regs[r->cfa_reg] + (uint64_t)(int64_t)r->cfa_value;
	}
	for (unsigned i = 0; i < HL_REGS; i++)
		if (value_of(w, c, &r->reg[i], i, cfa, &next[i]))
			known |= 1u << i;
		else
			next[i] = 0;
	if (!(known >> HL_RIP & 1) || !(known >> HL_RSP & 1))
		return ENDED;
	*exact = c->signal_frame;
	/* A signal frame may lead to another stack; elsewhere the stack only shrinks. */
	if (c->signal_frame)
		bounds(w, next[HL_RSP]);
	else if (next[HL_RSP] <= w->regs[HL_RSP])
		return ENDED;
	for (unsigned i = 0; i < HL_REGS; i++)
		w->regs[i] = next[i];
	w->known = known;
	return STEPPED;
}

/* Code without CFI that keeps a frame pointer (JIT, assembly): follow rbp where it can be one. */
static int guess(struct walk *w)
{
	uint64_t fp = w->regs[HL_RBP], pc, up;
	struct hl_object o;

	if (!(w->known >> HL_RBP & 1) || fp & 7 || fp < w->regs[HL_RSP] || !read_word(w, fp, &up) ||
	    !read_word(w, fp + 8, &pc) || !hl_object_find(pc, &o))
		return ENDED;
	w->regs[HL_RIP] = pc;
	w->regs[HL_RSP] = fp + 16;
	w->regs[HL_RBP] = up;
	w->known = 1u << HL_RIP | 1u << HL_RSP | 1u << HL_RBP;
	return STEPPED;
}

static uint32_t walk(struct walk *w, struct hl_stream *s, uint32_t room, int all, int *need_all)
{
	uint64_t pc = w->regs[HL_RIP], sp = w->regs[HL_RSP], fp = w->regs[HL_RBP];
	uint64_t flags = 0;
	struct hl_cfi *c = &s->cfi;
	uint32_t n = 0;
	int r, exact;

	while (n < room && pc >= PAGE && pc < 1ull << 47) {
		uint64_t address = flags & HL_NODE_EXACT ? pc : pc - 1;
		uint32_t rule = rule_of(c, address);

		s->pcs[n++] = pc | flags << HL_PC_FLAG_SHIFT;
		flags = 0;
		if (HL_LIKELY((rule & 7) != SPECIAL) && !all) {
			uint64_t cfa = (rule & RBP_BASE ? fp : sp) + (rule & 0x7ff8);
			uint32_t saved = rule & 7;

			if (cfa <= sp || !can_read(w, cfa - 8))
				break;
			if (saved) {
				uint64_t at = cfa - 8 * (saved + 1);

				if (at < sp || !can_read(w, at))
					break;
				fp = *(const uint64_t *)(uintptr_t)at;
			}
			pc = *(const uint64_t *)(uintptr_t)(cfa - 8);
			sp = cfa;
			continue;
		}
		if (rule == RULE_END)
			break;
		w->regs[HL_RIP] = pc;
		w->regs[HL_RSP] = sp;
		w->regs[HL_RBP] = fp;
		if (!all)
			w->known = 1u << HL_RIP | 1u << HL_RSP | 1u << HL_RBP;
		exact = 0;
		if (rule == RULE_NO_CFI) {
			r = guess(w);
			flags = HL_NODE_GUESSED;
		} else {
			r = step(w, c, address, &exact);
			flags = exact ? HL_NODE_EXACT : 0;
		}
		if (r == NEED_ALL && !all)
			*need_all = 1;
		if (r != STEPPED)
			break;
		pc = w->regs[HL_RIP];
		sp = w->regs[HL_RSP];
		fp = w->regs[HL_RBP];
	}
	return n;
}

/* From here, through our own frames, with every register a function must preserve. */
static __attribute__((noinline)) uint32_t walk_all(struct walk *w, struct hl_stream *s, uint32_t room)
{
	int unused = 0;

	__asm__ volatile("mov %%rbx, 24(%0)\n\t"
			 "mov %%rbp, 48(%0)\n\t"
			 "mov %%rsp, 56(%0)\n\t"
			 "mov %%r12, 96(%0)\n\t"
			 "mov %%r13, 104(%0)\n\t"
			 "mov %%r14, 112(%0)\n\t"
			 "mov %%r15, 120(%0)\n\t"
			 "lea (%%rip), %%rax\n\t"
			 "mov %%rax, 128(%0)\n\t"
			 :
			 : "r"(w->regs)
			 : "rax", "memory");
	w->known = 1u << HL_RBX | 1u << HL_RBP | 1u << HL_RSP | 0xfu << 12 | 1u << HL_RIP;
	return walk(w, s, room, 1, &unused);
}

uint32_t hl_unwind_cfi(struct hl_thread *t, struct hl_stream *s, uintptr_t frame, uint32_t room)
{
	struct walk w;
	int need_all = 0;
	uint32_t n;

	w.t = t;
	w.page = 1;
	bounds(&w, frame);
	w.regs[HL_RBP] = ((const uint64_t *)frame)[0];
	w.regs[HL_RIP] = ((const uint64_t *)frame)[1];
	w.regs[HL_RSP] = frame + 16;
	n = walk(&w, s, room, 0, &need_all);
	if (HL_UNLIKELY(need_all))
		n = walk_all(&w, s, room);
	return n;
}
#endif
