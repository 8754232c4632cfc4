/*
 * cpu_x86_64.h - cpu.h for x86-64.  Floor 0.
 * Source: x86-64 psABI 3.6.2 (register numbers), 3.2.2 (frames).
 */
#ifndef HL_PRELOAD_CPU_X86_64_H
#define HL_PRELOAD_CPU_X86_64_H

#include <stdint.h>

enum {
	HL_RAX,
	HL_RDX,
	HL_RCX,
	HL_RBX,
	HL_RSI,
	HL_RDI,
	HL_RBP,
	HL_RSP,
	HL_R8,
	HL_R15 = 15,
	HL_RIP = 16,
	HL_REGS
};

#define HL_REG_SP    HL_RSP
#define HL_REG_FP    HL_RBP
#define HL_REG_PC    HL_RIP
#define HL_REG_RA    HL_RIP
#define HL_REGS_LOST 0ull

#define HL_CODE_END           (1ull << 47)
#define HL_PAGE_MAX           4096u
#define HL_CPU_TRAMPOLINE     0
#define HL_CPU_GUESS_KNOWS_SP 1

/* A rule: bit 15 the CFA is relative to rbp, else rsp; bits 3-14 its offset / 8; bits 0-2 where the
 * caller's rbp is: 0 unchanged, 1-6 at CFA - 8 * (n + 1), 7 one of the special rules. */
#define HL_STEP_RBP_BASE   0x8000u
#define HL_STEP_OFFSET     0x7ff8u
#define HL_STEP_SPECIAL    7u
#define HL_RULE_SPECIAL(n) ((n) << 3 | HL_STEP_SPECIAL)

static inline int hl_rule_is_special(uint32_t rule)
{
	return (rule & 7) == HL_STEP_SPECIAL;
}

static inline uint64_t hl_cpu_code(uint64_t stored)
{
	return stored;
}

static inline int hl_cpu_cfa_ignored(uint8_t op)
{
	(void)op;
	return 0;
}

static inline uint64_t hl_cpu_thread_pointer(void)
{
	uint64_t tp;

	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
}

static inline uint64_t hl_cpu_float_begin(void)
{
	uint32_t was, quiet = 0x1f80; /* psABI 3.4.1: MXCSR at a process's start */

	__asm__ volatile("stmxcsr %0" : "=m"(was));
	__asm__ volatile("ldmxcsr %0" : : "m"(quiet) : "memory");
	return was;
}

static inline void hl_cpu_float_end(uint64_t was)
{
	uint32_t csr = (uint32_t)was;

	__asm__ volatile("ldmxcsr %0" : : "m"(csr) : "memory");
}

static inline void hl_cpu_relax(void)
{
	__builtin_ia32_pause();
}

static __attribute__((always_inline)) inline uint64_t hl_cpu_capture(uint64_t regs[HL_REGS])
{
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
			 : "r"(regs)
			 : "rax", "memory");
	return 1u << HL_RBX | 1u << HL_RBP | 1u << HL_RSP | 0xfu << 12 | 1u << HL_RIP;
}

/* rbp of the hook: there lie the caller's rbp and the return address, and then the caller's frame. */
struct hl_anchor {
	uintptr_t frame;
};

static __attribute__((always_inline)) inline struct hl_anchor hl_anchor_here(void)
{
	return (struct hl_anchor){(uintptr_t)__builtin_frame_address(0)};
}

static inline uint64_t hl_anchor_sp(struct hl_anchor a)
{
	return a.frame + 16;
}

static inline uint64_t hl_anchor_fp(struct hl_anchor a)
{
	return *(const uint64_t *)a.frame;
}

static inline uint64_t hl_anchor_ra(struct hl_anchor a)
{
	return ((const uint64_t *)a.frame)[1];
}

#endif
