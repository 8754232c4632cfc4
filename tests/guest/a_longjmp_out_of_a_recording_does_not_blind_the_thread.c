/*
 * A timer's handler leaves by siglongjmp, now and then out of the middle of a recording.  Those
 * events may be lost; the ones afterwards may not.
 * guest: broken yes
 */
#include "guest.h"
#include "heapledger.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static sigjmp_buf back;
static char pool[64];
static volatile int ticks;

static void leave(int sig)
{
	(void)sig;
	ticks++;
	siglongjmp(back, 1);
}

int main(void)
{
	struct itimerval it = {{0, 300}, {0, 300}};

	signal(SIGALRM, leave);
	HEAPLEDGER_FREE(NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	if (sigsetjmp(back, 1) == 0 || ticks < 500)
		for (;;) {
			HEAPLEDGER_ALLOC(pool, 40);
			HEAPLEDGER_FREE(pool);
		}
	it.it_value.tv_usec = it.it_interval.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	HEAPLEDGER_FREE(pool); /* the last jump may have come between the two */
	for (int i = 0; i < 10; i++)
		keep(malloc(41)); // live 10 x 41
	puts("done");
	return 0;
}
