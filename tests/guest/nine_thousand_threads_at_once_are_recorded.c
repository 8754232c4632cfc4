/*
 * More threads at once than the buffer of a run has slots, each idle in between; nothing is lost, and nobody waits.
 * guest: flags -pthread
 * guest: seconds 50
 */
#include "guest.h"
#include <limits.h>
#include <pthread.h>

enum { THREADS = 9000 };
static pthread_barrier_t all;

static void *work(void *arg)
{
	pthread_barrier_wait(&all);
	free(keep(malloc(44)));
	pthread_barrier_wait(&all);
	keep(malloc(45)); // live 9000 x 45
	pthread_barrier_wait(&all);
	return arg;
}

int main(void)
{
	static pthread_t t[THREADS];
	size_t stack = PTHREAD_STACK_MIN > (32 << 10) ? (size_t)PTHREAD_STACK_MIN : 32 << 10;
	pthread_attr_t attr;

	CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, stack));
	CHECK(!pthread_barrier_init(&all, NULL, THREADS));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], &attr, work, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	puts("done");
	return 0;
}
