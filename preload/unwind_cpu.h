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

/* Note what is known of the stack that sp lies on. */
void hl_walk_bounds(struct hl_walk *w, uint64_t sp);
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

/* The caller of the hook whose frame address that is; starts w.  Opaque: never verified. */
void hl_cpu_first(struct hl_walk *w, struct hl_thread *t, uintptr_t frame, struct hl_frame *f);
/* From *f to its caller *up; notes f->rule, and in up all but hash, node, probe, below, rule, live, opaque. */
enum hl_stepped hl_cpu_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up);

/* What leaving by the rule does with the frame pointer. */
enum hl_fp_use { HL_FP_RELOADED, HL_FP_KEPT, HL_FP_DECIDES };
enum hl_fp_use hl_cpu_fp_use(uint16_t rule);
/* 1: the rule says that there is no caller, whatever the words on the stack. */
int hl_cpu_is_end(uint16_t rule);

#endif
