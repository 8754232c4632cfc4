/*
 * cpu.h - what the library must know of the processor: registers as call frame information numbers them, the place a
 * hook was called from, the form of a cached rule, pages.  Floor 0.  One file per CPU, chosen here and nowhere
 * else; each defines the names below with the same meaning.
 *
 *   HL_REGS              registers followed by a walk, numbered as in DWARF; fewer than 64
 *   HL_REG_SP, _FP       stack and frame pointer
 *   HL_REG_PC            the program counter; where DWARF has no number for it, one of our own
 *   HL_REG_RA            the column of the return address
 *   HL_REGS_LOST         mask: registers that a call destroys although their rule may be "unchanged"
 *   HL_CODE_END          no code of a program lies at or above it; at most 2^48, see rules.c
 *   HL_PAGE_MAX          the largest page of any kernel for this CPU
 *   HL_RULE_SPECIAL(n)   the n-th rule without a form, n < 8; hl_rule_is_special tells them
 *   HL_CPU_TRAMPOLINE    1: signal frames are known by the code of their trampoline, hl_walk_signal steps over them
 *   HL_CPU_GUESS_KNOWS_SP  1: the frame that the frame pointer shows ends the callee's, so its address tells sp
 *   hl_cpu_code          the address in a stored return address
 *   hl_cpu_cfa_ignored   1: this call frame instruction has no operands and changes nothing that we follow
 *   hl_cpu_thread_pointer  the address of the thread's control block; glibc puts it above the thread's frames
 *   hl_cpu_capture       the registers of the function it is expanded in, as a mask of those it filled in
 *   hl_cpu_float_begin   from here to hl_cpu_float_end(what it returned) arithmetic traps nowhere and rounds to nearest,
 *                        whatever the program asked for, and leaves no flag for it to see
 *   hl_cpu_relax         in a loop that waits for another thread
 *
 * struct hl_anchor is a hook's place on the stack, taken by hl_anchor_here in the hook itself (it is always inlined),
 * valid while the hook is active; all zero: none.  Of the hook's caller: hl_anchor_sp is the stack pointer after the
 * return, hl_anchor_fp the frame pointer, hl_anchor_ra the return address as an address.
 */
#ifndef HL_PRELOAD_CPU_H
#define HL_PRELOAD_CPU_H

#if defined(__x86_64__)
#include "preload/cpu_x86_64.h"
#elif defined(__aarch64__)
#include "preload/cpu_aarch64.h"
#else
#error "no unwinder for this CPU"
#endif

#endif
