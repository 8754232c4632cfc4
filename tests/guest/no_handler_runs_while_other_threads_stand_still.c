/*
 * A handler of the thread that ends the process may wait for another thread, or leave by longjmp: so it is not run while an image
 * makes the others stand still.
 */
#include "guest.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define BYTES ((size_t)256 << 20) /* long enough to be interrupted often */

static atomic_ulong turns;

static void *run(void *unused)
{
	for (;;)
		turns++;
	return unused;
}

static void handler(int sig)
{
	unsigned long before = turns;

	(void)sig;
	for (int i = 0; i < 1000; i++) {
		if (turns != before)
			return;
		usleep(1000);
	}
	_exit(1);
}

int main(void)
{
	struct itimerval often = {{0, 2000}, {0, 2000}};
	char *volatile p = malloc(BYTES); // live 1 x 268435456
	pthread_t t;
	sigset_t set;

	CHECK(p);
	memset(p, 1, BYTES);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(pthread_create(&t, NULL, run, NULL) == 0);
	signal(SIGALRM, handler);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	while (!turns)
		usleep(1000);
	setitimer(ITIMER_REAL, &often, NULL);
	quick_exit(0);
}
