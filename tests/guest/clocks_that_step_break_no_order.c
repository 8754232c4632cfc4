/*
 * The program's clocks step back and forth, as with libfaketime: the order of events is not taken from them, nor how long
 * to wait.
 * guest: flags -pthread
 * guest: lib lib_clock.c
 * guest: options clock=raw
 */
#include "guest.h"
#include <pthread.h>
#include <time.h>

static void *work(void *arg)
{
	void *block[8] = {0};

	for (int i = 0; i < 40000; i++) {
		free(block[i & 7]);
		block[i & 7] = keep(malloc(32));
		if (i % 5 == 0)
			block[i & 7] = keep(realloc(block[i & 7], i % 3 ? 700 : 32));
	}
	for (int i = 0; i < 8; i++)
		free(block[i]);
	return arg;
}

int main(void)
{
	struct timespec before, after;
	pthread_t t[3];

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&t[i], NULL, work, NULL));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	/* the two calls are the program's only ones */
	CHECK(before.tv_nsec == 1000000 && after.tv_nsec == 500);
	keep(malloc(33)); // live 1 x 33
	puts("done");
	return 0;
}
