/*
 * A timer's handler leaves malloc and free by siglongjmp, now and then out of the middle of a record.  What is lost
 * is the record, not the meaning of those after it: no free of an unknown block, no address twice.
 * guest: lib lib_bump.c
 */
#include "guest.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

void bump_turns(const volatile int *ticks, int enough);

static sigjmp_buf back;
static volatile int ticks;

static void leave(int sig)
{
	(void)sig;
	ticks++;
	siglongjmp(back, 1);
}

int main(void)
{
	struct itimerval it = {{0, 100}, {0, 100}};

	signal(SIGALRM, leave);
	free(keep(malloc(1)));
	sigsetjmp(back, 1);
	setitimer(ITIMER_REAL, &it, NULL);
	bump_turns(&ticks, 2000);
	it.it_value.tv_usec = it.it_interval.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	for (int i = 0; i < 10; i++)
		keep(malloc(41)); // live 10 x 41
	puts("done");
	return 0;
}
