/*
 * Threads that are past our destructor share one state.  Many of them allocate at once, more than there are processors, so that
 * one loses its processor while it has the state: none of their events is lost.
 * guest: flags -pthread
 */
#include "guest.h"
#include <pthread.h>

enum { ROUNDS = 40, THREADS = 32, BLOCKS = 200 };
static pthread_key_t key;

static void late(void *p)
{
	int *rounds = p;

	if (++*rounds < 4) {
		pthread_setspecific(key, p);
		return;
	}
	for (int i = 0; i < BLOCKS; i++)
		free(keep(malloc(70))); // total 256000 x 70
	free(p);
}

static void *run(void *arg)
{
	pthread_setspecific(key, calloc(1, 60)); // total 1280 x 60
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];

	CHECK(!pthread_key_create(&key, late));
	for (int k = 0; k < ROUNDS; k++) {
		for (int i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&t[i], NULL, run, NULL));
		for (int i = 0; i < THREADS; i++)
			pthread_join(t[i], NULL);
	}
	puts("done");
	return 0;
}
