/*
 * A timer interrupts the recording itself; its handler records too (through the API, which a handler
 * may call, so that glibc's own malloc is never entered twice).
 * guest: flags -pthread
 * guest: options free-stacks
 */
#include "guest.h"
#include "heapledger.h"
#include <signal.h>
#include <sys/time.h>

static char pool[1 << 16];
static volatile unsigned long ticks;

static void tick(int sig)
{
	(void)sig;
	if (ticks < 60)
		HEAPLEDGER_ALLOC(pool + 16 * ticks, 16); // live 60 x 16
	else if (ticks < 500) {
		HEAPLEDGER_ALLOC(pool + 8000, 24); // total 440 x 24
		HEAPLEDGER_FREE(pool + 8000);
	}
	ticks++;
}

int main(void)
{
	struct itimerval it = {{0, 200}, {0, 200}};

	signal(SIGALRM, tick);
	HEAPLEDGER_FREE(NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	while (ticks < 500)
		free(keep(malloc(40)));
	it.it_value.tv_usec = it.it_interval.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	for (int i = 0; i < 10; i++)
		keep(malloc(41)); // live 10 x 41
	puts("done");
	return 0;
}
