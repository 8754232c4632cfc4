/*
 * cpu_aarch64.h - cpu.h for 64-bit Arm, little endian.  Floor 0.
 *
 * Source: DWARF for the Arm 64-bit Architecture (aadwarf64) 4.1 (register numbers), 4.4 (call frame
 * instructions); Procedure Call Standard (aapcs64) 6.4.6 (the frame record: x29 points to the caller's x29 and the return
 * address); ELF for the Arm 64-bit Architecture, thread-local storage variant 1.
 *
 * Signed return addresses (FEAT_PAuth) carry their code above the address bits; the address is what every
 * look-up and every comparison uses, so the state whether an address is signed (column 34) need not be followed.
 *
 * Verified: built by gcc 12.2 and clang 14, run under qemu-user 7.2.22 by tests/aarch64/run.sh, with signed return
 * addresses (-mbranch-protection=standard), signals at any instruction and pages of 64 KiB.  The emulator ignores
 * MADV_WIPEONFORK and MADV_POPULATE_WRITE, makes vfork a fork and has no vDSO, so these are not verified; nor are
 * real processors and their memory order, BTI enforcement, MTE, 16 KiB pages, 52-bit addresses.
 */
#ifndef HL_PRELOAD_CPU_AARCH64_H
#define HL_PRELOAD_CPU_AARCH64_H

#include <stdint.h>

enum {
	HL_X0,
	HL_X29 = 29,
	HL_X30,
	HL_SP,
	HL_PC, /* reserved in aadwarf64: no rule is ever given for it */
	HL_REGS
};

#define HL_REG_SP    HL_SP
#define HL_REG_FP    HL_X29
#define HL_REG_PC    HL_PC
#define HL_REG_RA    HL_X30
#define HL_REGS_LOST (1ull << HL_X30)

#define HL_CODE_END           (1ull << 48)
#define HL_PAGE_MAX           65536u
#define HL_CPU_TRAMPOLINE     1
#define HL_CPU_GUESS_KNOWS_SP 0

/*
 * A rule: how the CFA is found and where the return address is; a compiler puts both anywhere in a frame,
 * but nearly always close to one of its ends.
 *   bit 15     the CFA is relative to x29, else sp: the base
 *   bit 14     the caller's x29 lies 8 bytes below the return address; else x29 is unchanged
 *   bits 5-13  CFA - base, in units of 16; 0: a special rule
 *   bit 4      bits 0-3 count down from the CFA, else up from the base
 *   bits 0-3   n: the return address is at CFA - 8 * (n + 1), or at base + 8 * n
 */
#define HL_STEP_FP_BASE    0x8000u
#define HL_STEP_PAIR       0x4000u
#define HL_STEP_OFFSET     0x3fe0u /* >> 1: bytes */
#define HL_STEP_FROM_CFA   0x10u
#define HL_STEP_SLOT       0xfu
#define HL_RULE_SPECIAL(n) ((uint32_t)(n))

static inline int hl_rule_is_special(uint32_t rule)
{
	return !(rule & HL_STEP_OFFSET);
}

static inline uint64_t hl_cpu_code(uint64_t stored)
{
	return stored & (HL_CODE_END - 1);
}

/* DW_CFA_AARCH64_negate_ra_state (also the number of DW_CFA_GNU_window_save) and its form with the pc. */
static inline int hl_cpu_cfa_ignored(uint8_t op)
{
	return op == 0x2d || op == 0x2c;
}

static inline uint64_t hl_cpu_thread_pointer(void)
{
	return (uint64_t)(uintptr_t)__builtin_thread_pointer();
}

static inline uint64_t hl_cpu_float_begin(void)
{
	uint64_t control, status, zero = 0;

	__asm__ volatile("mrs %0, fpcr" : "=r"(control));
	__asm__ volatile("mrs %0, fpsr" : "=r"(status));
	__asm__ volatile("msr fpcr, %0" : : "r"(zero) : "memory");
	return control << 32 | (status & 0xffffffffu);
}

static inline void hl_cpu_float_end(uint64_t was)
{
	uint64_t control = was >> 32, status = was & 0xffffffffu;

	__asm__ volatile("msr fpsr, %0" : : "r"(status) : "memory");
	__asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}

static inline void hl_cpu_relax(void)
{
	__asm__ volatile("yield");
}

static __attribute__((always_inline)) inline uint64_t hl_cpu_capture(uint64_t regs[HL_REGS])
{
	__asm__ volatile("stp x19, x20, [%0, #152]\n\t"
			 "stp x21, x22, [%0, #168]\n\t"
			 "stp x23, x24, [%0, #184]\n\t"
			 "stp x25, x26, [%0, #200]\n\t"
			 "stp x27, x28, [%0, #216]\n\t"
			 "stp x29, x30, [%0, #232]\n\t"
			 "mov x9, sp\n\t"
			 "adr x10, .\n\t"
			 "stp x9, x10, [%0, #248]\n\t"
			 :
			 : "r"(regs)
			 : "x9", "x10", "memory");
	return 0xfffull << 19 | 1ull << HL_SP | 1ull << HL_PC;
}

/* x29 of the hook, where the caller's x29 and the return address are, at the bottom of its frame or anywhere in
 * it; and the end of the frame. */
struct hl_anchor {
	uintptr_t frame, end;
};

static __attribute__((always_inline)) inline struct hl_anchor hl_anchor_here(void)
{
#if defined(__clang__)
	uintptr_t end = (uintptr_t)__builtin_sponentry();
#else
	uintptr_t end = (uintptr_t)__builtin_dwarf_cfa();
#endif
	return (struct hl_anchor){(uintptr_t)__builtin_frame_address(0), end};
}

static inline uint64_t hl_anchor_sp(struct hl_anchor a)
{
	return a.end;
}

static inline uint64_t hl_anchor_fp(struct hl_anchor a)
{
	return *(const uint64_t *)a.frame;
}

static inline uint64_t hl_anchor_ra(struct hl_anchor a)
{
	return hl_cpu_code(((const uint64_t *)a.frame)[1]);
}

#endif
