/*
 * Handlers that allocate, two deep, and one that leaves by siglongjmp; afterwards the thread still
 * records.  The signals are raised outside malloc, so the program is a correct one.
 * guest: options free-stacks
 */
#include "guest.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static void *volatile made;

static void inner(int sig)
{
	(void)sig;
	made = malloc(31); // live 100 x 31
}

static void outer(int sig)
{
	(void)sig;
	made = malloc(32); // live 100 x 32
	raise(SIGUSR2);
}

static void leave(int sig)
{
	(void)sig;
	made = malloc(33); // live 100 x 33
	siglongjmp(back, 1);
}

int main(void)
{
	signal(SIGUSR1, outer);
	signal(SIGUSR2, inner);
	signal(SIGALRM, leave);
	for (volatile int i = 0; i < 100; i++) {
		raise(SIGUSR1);
		if (sigsetjmp(back, 1) == 0)
			raise(SIGALRM);
	}
	for (int i = 0; i < 10; i++)
		made = malloc(34); // live 10 x 34
	puts("done");
	return 0;
}
