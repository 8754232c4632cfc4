/*
 * Four threads realloc blocks between two sizes; what one releases another gets at once.  The order
 * of events on one address must stay alloc, free, alloc...
 * guest: flags -pthread
 * guest: options free-stacks
 */
#include "guest.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 40000 };

static void *torture(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;
	void *p[8] = {NULL};

	for (int i = 0; i < ROUNDS; i++) {
		unsigned r = (unsigned)rand_r(&seed);
		void **slot = &p[r % 8];
		size_t n = (r >> 8) % 2 ? 24 : 2000 + (r >> 12) % 4000;
		void *q = realloc(*slot, n);

		CHECK(q);
		*slot = q;
		if ((r >> 4) % 16 == 0) {
			free(*slot);
			*slot = NULL;
		}
	}
	for (int i = 0; i < 8; i++)
		free(p[i]);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, torture, (void *)(i + 1)));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	keep(malloc(11)); // live 1 x 11
	puts("done");
	return 0;
}
