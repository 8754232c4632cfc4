/*
 * Allocation is no cancellation point: a thread with a cancel pending allocates to the end.
 * guest: flags -pthread
 */
#include "guest.h"
#include <pthread.h>
#include <stdatomic.h>

static atomic_int go, loops;

static void *run(void *arg)
{
	while (!go)
		;
	for (int i = 0; i < 100000; i++) {
		free(keep(malloc(64))); // total 100000 x 64
		loops++;
	}
	pthread_testcancel();
	return arg;
}

int main(void)
{
	pthread_t t;
	void *result;

	CHECK(!pthread_create(&t, NULL, run, NULL));
	CHECK(!pthread_cancel(t));
	go = 1;
	pthread_join(t, &result);
	CHECK(result == PTHREAD_CANCELED);
	CHECK(loops == 100000);
	puts("done");
	return 0;
}
