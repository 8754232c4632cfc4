/* What every_instruction_of_a_recording_may_be_left.c interrupts: allocations through stacks some of which are new. */
#include <alloca.h>
#include <stdlib.h>

void steps_take(unsigned turn);

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

__attribute__((noinline)) static void deeper(unsigned n)
{
	if (n) {
		deeper(n - 1);
	} else {
		void *p;

		STEP_ON;
		p = malloc(24);
		__asm__ volatile("" : "+r"(p));
		free(p);
		STEP_OFF;
	}
	__asm__ volatile("");
}

void steps_take(unsigned turn)
{
	volatile char *pad = alloca(turn % 16 * 16 + 16);

	pad[0] = 1;
	/* now the stack of the turn before with another leaf, now one that is nowhere like it */
	if (turn & 1)
		deeper(turn / 2 % 16);
	else
		deeper(turn % 7);
	pad[0] = 2;
}
