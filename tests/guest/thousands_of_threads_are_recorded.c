/*
 * 300 threads at once and 3000 one after another; each keeps one block.
 * guest: flags -pthread
 */
#include "guest.h"
#include <limits.h>
#include <pthread.h>

static pthread_barrier_t all;

static void *together(void *arg)
{
	pthread_barrier_wait(&all);
	keep(malloc(45)); // live 300 x 45
	pthread_barrier_wait(&all);
	return arg;
}

static void *alone(void *arg)
{
	keep(malloc(46)); // live 3000 x 46
	return arg;
}

int main(void)
{
	static pthread_t t[300];
	size_t stack = PTHREAD_STACK_MIN > (64 << 10) ? (size_t)PTHREAD_STACK_MIN : 64 << 10;
	pthread_attr_t attr;

	CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, stack));
	CHECK(!pthread_barrier_init(&all, NULL, 300));
	for (int i = 0; i < 300; i++)
		CHECK(!pthread_create(&t[i], &attr, together, NULL));
	for (int i = 0; i < 300; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 3000; i++) {
		CHECK(!pthread_create(&t[0], &attr, alone, NULL));
		pthread_join(t[0], NULL);
	}
	puts("done");
	return 0;
}
