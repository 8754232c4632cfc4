/* What guest programs interrupt by steps.h: allocations through stacks some of which are new. */
#include "steps.h"
#include <alloca.h>

void steps_take(unsigned turn);

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
