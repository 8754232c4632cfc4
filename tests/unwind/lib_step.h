/*
 * lib_step.h - the processor's trap flag.
 */
#ifndef HL_LIB_STEP_H
#define HL_LIB_STEP_H

static inline __attribute__((always_inline)) void step(int on)
{
	/* the red zone is the function's own */
	if (on)
		__asm__ volatile("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp"
				 :
				 :
				 : "memory", "cc");
	else
		__asm__ volatile("sub $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp"
				 :
				 :
				 : "memory", "cc");
}

#endif
