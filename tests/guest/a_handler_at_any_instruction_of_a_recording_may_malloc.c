/*
 * A handler that allocates interrupts a recording, at each instruction of ours in turn: nothing is lost, nobody crashes. The
 * hook before the one that is interrupted lay deeper in the stack than the handler will: what is left of it tells nothing.
 * guest: lib lib_steps.c
 */
#include "guest.h"
#include <alloca.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#define DEEP  65536
#define TURNS 400u
#define LIVE  200u

void steps_take(unsigned turn);

static unsigned long low, high; /* our library's code; untraced there is none */
static unsigned seen, at, made;

static void find_code(void)
{
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
}

static void allocate(void)
{
	if (made++ < LIVE)
		keep(malloc(61)); // live 200 x 61
}

static void trap(int sig, siginfo_t *info, void *context)
{
#if defined(__x86_64__)
	ucontext_t *c = context;
	unsigned long pc = (unsigned long)c->uc_mcontext.gregs[REG_RIP];

	if (pc - low >= high - low || ++seen < at)
		return;
	c->uc_mcontext.gregs[REG_EFL] &= ~0x100;
	allocate();
#endif
	(void)sig;
	(void)info;
	(void)context;
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
	struct sigaction sa = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};

	find_code();
	CHECK(sigaction(SIGTRAP, &sa, NULL) == 0);
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
