/*
 * unwind_all.c - the stack with every register that a function must preserve: for the frames that need more than
 * the program counter, the stack and the frame pointer.
 */
#include "preload/unwind_cpu.h"

#define PAGE 4096u

/* From here, through our own frames. */
uint32_t hl_unwind_cfi_all(struct hl_thread *t, struct hl_stream *s, uint32_t room)
{
	struct hl_walk w;
	uint64_t flags = HL_NODE_EXACT, pc, address;
	uint32_t n = 0;

	w.t = t;
	w.page = 1;
	w.known = hl_cpu_capture(w.regs);
	hl_walk_bounds(&w, w.regs[HL_REG_SP]);
	for (; n < room; n++) {
		pc = w.regs[HL_REG_PC];
		if (pc < PAGE || pc >= HL_CODE_END)
			break;
		address = flags & HL_NODE_EXACT ? pc : pc - 1;
		s->pcs[n] = pc | (n ? flags : 0) << HL_PC_FLAG_SHIFT;
		if (hl_walk_by(&w, &s->cfi, hl_rule_of(&s->cfi, address), address, &flags) != HL_STEPPED) {
			n++;
			break;
		}
	}
	return n;
}
