/*
 * Handlers allocate: on the thread's stack, on an alternate one above and below it, nested, two of them in turn, after a
 * fault, and out of siglongjmp; the code they interrupt is named.
 */
#include "edge.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;

FRAME static void inner(int sig)
{
	(void)sig;
	TAKE(11); // 50 from inner < ? < outer < ? < raiser < main; 50 from inner < ? < outer < ? < deep < deep < deep < deep < main
}

FRAME static void outer(int sig)
{
	(void)sig;
	TAKE(12); // 50 from outer < ? < raiser < main; 50 from outer < ? < deep < deep < deep < deep < main
	raise(SIGUSR2);
	TAKE(13); // 50 from outer < ? < raiser < main; 50 from outer < ? < deep < deep < deep < deep < main
}

FRAME static void on_fault(int sig)
{
	(void)sig;
	TAKE(14); // 50 from on_fault < ? < faulter < main
	siglongjmp(back, 1);
}

FRAME static void raiser(void)
{
	TAKE(15); // 50 from raiser < main
	raise(SIGUSR1);
	TAKE(16); // 50 from raiser < main
}

FRAME static void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		raise(SIGUSR1);
	STAY;
}

FRAME static int faulter(volatile int *p)
{
	return *p + 1;
}

static void install(int on_altstack)
{
	struct sigaction a = {.sa_flags = on_altstack ? SA_ONSTACK : 0};

	a.sa_handler = outer;
	sigaction(SIGUSR1, &a, NULL);
	a.sa_handler = inner;
	sigaction(SIGUSR2, &a, NULL);
	a.sa_handler = on_fault;
	sigaction(SIGSEGV, &a, NULL);
}

int main(void)
{
	static char low[1 << 16];
	char high[1 << 16];
	stack_t below = {.ss_sp = low, .ss_size = sizeof low},
		above = {.ss_sp = high, .ss_size = sizeof high};

	for (volatile int i = 0; i < 50; i++) {
		install(i % 3 != 0);
		CHECK(sigaltstack(i % 2 ? &below : &above, NULL) == 0);
		raiser();
		deep(3);
		if (!sigsetjmp(back, 1))
			faulter(NULL);
		TAKE(17); // 50 from main
	}
	return 0;
}
