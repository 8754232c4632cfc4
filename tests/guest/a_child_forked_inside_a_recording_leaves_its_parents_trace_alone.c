/*
 * A handler that interrupts a recording forks, at each instruction of ours in turn, and both return from it: what the child still
 * writes of that record does not come into its parent's trace.
 * guest: lib lib_steps.c
 * guest: runs fork _Fork
 * guest: broken others
 */
#include "guest.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

void steps_take(unsigned turn);

static unsigned long low, high; /* our library's code; untraced there is none */
static unsigned seen, at, last;
static pid_t child;
static pid_t (*forks)(void) = fork;

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

static void trap(int sig, siginfo_t *info, void *context)
{
#if defined(__x86_64__)
	ucontext_t *c = context;
	unsigned long pc = (unsigned long)c->uc_mcontext.gregs[REG_RIP];

	if (pc - low >= high - low || ++seen < at)
		return;
	c->uc_mcontext.gregs[REG_EFL] &= ~0x100;
	last = at;
	child = forks();
	/* its parent goes on first, and the child's stamp takes more bytes than its parent's */
	if (child == 0)
		usleep(3000);
#endif
	(void)sig;
	(void)info;
	(void)context;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};

	CHECK(argc == 2);
#if __GLIBC_PREREQ(2, 34)
	if (*argv[1] == '_')
		forks = _Fork; /* no atfork handler is run */
#endif

	find_code();
	CHECK(sigaction(SIGTRAP, &sa, NULL) == 0);
	for (at = 1; at < last + 50; at += at < 60 ? 1 : 11) {
		int status;

		seen = 0;
		child = -1;
		steps_take(at);
		if (child == 0)
			_Exit(0);
		for (int i = 0; i < 10; i++)
			free(keep(malloc(62)));
		if (child > 0)
			CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
#if defined(__x86_64__)
	CHECK(low == 0 || last > 100);
#endif
	for (int i = 0; i < 10; i++)
		keep(malloc(64)); // live 10 x 64
	puts("done");
	return 0;
}
