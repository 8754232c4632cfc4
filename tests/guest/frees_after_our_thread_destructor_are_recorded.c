/*
 * Destructors of thread-specific data run after ours, in up to four rounds, and free.
 * guest: flags -pthread
 * guest: options free-stacks
 */
#include "guest.h"
#include <pthread.h>

enum { THREADS = 30 };
static pthread_key_t first, last;

static void give_back(void *p)
{
	int *rounds = p;

	if (--*rounds > 0)
		pthread_setspecific(first, p);
	else
		free(p);
}

static void make_late(void *p)
{
	free(p);
	free(keep(malloc(70))); // total 30 x 70
}

static void *run(void *arg)
{
	int *rounds = malloc(sizeof(int) * 25); // total 30 x 100

	(void)arg;
	CHECK(rounds);
	*rounds = 4;
	pthread_setspecific(first, rounds);
	pthread_setspecific(last, malloc(60)); // total 30 x 60
	return NULL;
}

int main(void)
{
	pthread_t t;

	CHECK(!pthread_key_create(&first, give_back));
	for (int i = 0; i < 20; i++)
		CHECK(!pthread_key_create(&last, make_late));
	for (int i = 0; i < THREADS; i++) {
		CHECK(!pthread_create(&t, NULL, run, NULL));
		pthread_join(t, NULL);
	}
	puts("done");
	return 0;
}
