/*
 * A handler that allocates interrupts a recording, at each instruction of ours in turn: nothing is lost, nobody crashes. The
 * hook before the one that is interrupted lay deeper in the stack than the handler will: what is left of it tells nothing.
 * guest: lib lib_steps.c
 */
#include "steps.h"
#include <alloca.h>

#define DEEP  65536
#define TURNS 400u
#define LIVE  200u

void steps_take(unsigned turn);

static unsigned made;

static void allocate(void)
{
	if (made++ < LIVE)
		keep(malloc(61)); // live 200 x 61
}

static void trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (step_is_due(context))
		allocate();
}

static __attribute__((noinline)) void deep(void)
{
	volatile char *pad = alloca(DEEP);

	pad[0] = 0;
	free(keep(malloc(62))); // total 400 x 62
	pad[DEEP - 1] = 0;
}

int main(void)
{

	steps_begin(trap);
	/* a trap takes microseconds; the way in and out is a hundred of them */
	for (unsigned turn = 1; turn <= TURNS; turn++) {
		at = turn <= 150 ? turn : turn * 4 - 450;
		deep();
		seen = 0;
		steps_take(turn);
	}
#if defined(__x86_64__)
	CHECK(low == 0 || made >= LIVE);
#endif
	while (made < LIVE)
		allocate();
	puts("done");
	return 0;
}
