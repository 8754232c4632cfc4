/*
 * A handler that interrupts a recording forks, at each instruction of ours in turn, and both return from it: what the child still
 * writes of that record does not come into its parent's trace.
 * guest: lib lib_steps.c
 * guest: runs fork _Fork
 * guest: broken others
 */
#include "steps.h"
#include <sys/wait.h>
#include <unistd.h>

void steps_take(unsigned turn);

static unsigned last;
static pid_t child;
static pid_t (*forks)(void) = fork;

static void trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (!step_is_due(context))
		return;
	last = at;
	child = forks();
	/* its parent goes on first, and the child's stamp takes more bytes than its parent's */
	if (child == 0)
		usleep(3000);
}

int main(int argc, char **argv)
{

	CHECK(argc == 2);
#if __GLIBC_PREREQ(2, 34)
	if (*argv[1] == '_')
		forks = _Fork; /* no atfork handler is run */
#endif

	steps_begin(trap);
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
