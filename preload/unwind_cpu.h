/*
 * unwind_cpu.h - what the walks need of a CPU: the first frame, one step, memory that may be read.  Floor 2.
 * One unwind_, step_ and rules_ file per CPU behind it.
 */
#ifndef HL_PRELOAD_UNWIND_CPU_H
#define HL_PRELOAD_UNWIND_CPU_H

#include "preload/cfi.h"
#include "preload/unwind.h"

/* One walk through one stack. */
struct hl_walk {
	struct hl_thread *t;
	uint64_t low, high; /* readable without asking; high - low >= 7 always */
	uint64_t page;      /* last page the kernel said is readable */
	uint64_t regs[HL_REGS];
	uint32_t known; /* bit r: regs[r] is the frame's */
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

	return pc >= 4096 && pc < 1ull << 47;
}

/* From *f to its caller *up; notes f->rule, and in up all but hash, node, probe, below, rule, live, opaque. */
enum hl_stepped hl_cpu_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up);

/* What leaving by a rule does with the frame pointer. */
enum hl_fp_use { HL_FP_RELOADED, HL_FP_KEPT, HL_FP_DECIDES };

/* What is small and called for every frame stands in the CPU's header:
 *   hl_cpu_first   the caller of the hook whose frame address that is; starts w.  Opaque: never verified.
 *   hl_cpu_hop     hl_cpu_leave where it is easy: 1, or 0
 *   hl_cpu_fp_use, hl_cpu_is_end */
#if defined(__x86_64__)
#include "preload/unwind_x86_64.h"
#endif

#endif
