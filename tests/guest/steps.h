/*
 * steps.h - guest programs that are interrupted at the library's instructions, one after the other, by the trap flag of x86-64;
 * on other processors nothing is.
 */
#ifndef HL_GUEST_STEPS_H
#define HL_GUEST_STEPS_H

#include "guest.h"
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define TRAP_FLAG(op)                                                                                        \
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" op " (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), "   \
			 "%%rsp"                                                                             \
			 :                                                                                   \
			 :                                                                                   \
			 : "memory", "cc")
#define STEP_ON  TRAP_FLAG("orq $0x100,")
#define STEP_OFF TRAP_FLAG("andq $~0x100,")
#else
#define STEP_ON
#define STEP_OFF
#endif

static unsigned long low __attribute__((unused)),
	high __attribute__((unused)); /* our library's code; untraced there is none */
/* The handler acts at the at-th instruction of that code since seen was 0. */
static unsigned seen __attribute__((unused)), at __attribute__((unused));

/* In the handler: was an instruction of that code to be next? */
static inline int step_is_ours(const void *context)
{
#if defined(__x86_64__)
	const ucontext_t *c = context;

	return (unsigned long)c->uc_mcontext.gregs[REG_RIP] - low < high - low;
#else
	(void)context;
	return 1;
#endif
}

/* In the handler: is it time to act?  Then no further steps are taken. */
static inline int step_is_due(void *context)
{
	if (!step_is_ours(context) || ++seen < at)
		return 0;
#if defined(__x86_64__)
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100;
#endif
	return 1;
}

static inline void steps_begin(void (*trap)(int, siginfo_t *, void *))
{
	struct sigaction sa = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512], flags[8];

	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (strstr(line, "/libheapledger.so") &&
		    sscanf(line, "%lx-%lx %7s", &low, &high, flags) == 3 && flags[2] == 'x')
			break;
		else
			low = high = 0;
	fclose(f);
	CHECK(sigaction(SIGTRAP, &sa, NULL) == 0);
}

#endif
