/*
 * churn.c PAIRS [THREADS [FILE]] - a malloc-bound program with shallow stacks: little else than malloc and free
 *
 * Four call sites, sizes of 16 to 256 bytes, a ring of 64 live blocks of which one is replaced at a time.  With THREADS, each
 * has a ring of its own and does PAIRS pairs, and main only joins.  Prints
 *   NS SECONDS
 * NS: nanoseconds a pair (of all threads together), from a common start to the last end, after a lap for warming.
 * With FILE: when the work is done and all threads are still there, FILE is made, and the program stays as it is
 * until somebody removes FILE, or 60 seconds.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RING 64

/* Aligned: two threads that write to one cache line would be what is measured. */
struct churner {
	_Alignas(128) void *ring[RING];
	uint64_t pairs;
	unsigned random;
	pthread_barrier_t *start, *end;
	double began, ended;
};

#define SITE(name, low, span)                                                                                          \
	static __attribute__((noinline)) void *name(unsigned r)                                                        \
	{                                                                                                              \
		char *p = malloc((low) + r % (span));                                                                  \
                                                                                                                       \
		*p = 1;                                                                                                \
		return p;                                                                                              \
	}
SITE(small, 16, 16)
SITE(middle, 32, 32)
SITE(large, 64, 64)
SITE(largest, 128, 129)

static __attribute__((noinline)) void churn(struct churner *c, uint64_t pairs)
{
	static void *(*const sites[4])(unsigned) = {small, middle, large, largest};

	for (uint64_t i = 0; i < pairs; i++) {
		unsigned r = c->random = c->random * 1664525u + 1013904223u;

		free(c->ring[i % RING]);
		c->ring[i % RING] = sites[i % 4](r >> 20);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *worker(void *arg)
{
	struct churner *c = arg;

	churn(c, 4096);
	pthread_barrier_wait(c->start);
	c->began = now();
	churn(c, c->pairs);
	c->ended = now();
	pthread_barrier_wait(c->end);
	/* the second time: everybody may go */
	pthread_barrier_wait(c->end);
	for (unsigned i = 0; i < RING; i++)
		free(c->ring[i]);
	return NULL;
}

static void hold(const char *file)
{
	FILE *f = file ? fopen(file, "w") : NULL;

	if (f)
		fclose(f);
	for (unsigned i = 0; f && i < 600 && access(file, F_OK) == 0; i++)
		usleep(100000);
}

int main(int argc, char **argv)
{
	uint64_t pairs = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 0, n = threads ? threads : 1;
	struct churner *all = aligned_alloc(128, n * sizeof *all);
	pthread_t *ids = calloc(n, sizeof *ids);
	pthread_barrier_t start, end;
	double first = 0, last = 0;

	if (!pairs || !all || !ids) {
		fprintf(stderr, "usage: churn PAIRS [THREADS [FILE]]\n");
		return 2;
	}
	pthread_barrier_init(&start, NULL, n);
	pthread_barrier_init(&end, NULL, n + 1);
	for (unsigned i = 0; i < n; i++)
		all[i] = (struct churner){.pairs = pairs, .random = i + 1, .start = &start, .end = &end};
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, worker, &all[i]))
			return 3;
	if (!threads) {
		churn(all, 4096);
		all->began = now();
		churn(all, pairs);
		all->ended = now();
	} else {
		pthread_barrier_wait(&end);
	}
	/* by the workers' clocks: main may be woken late */
	for (unsigned i = 0; i < n; i++) {
		first = i && all[i].began > first ? first : all[i].began;
		last = all[i].ended > last ? all[i].ended : last;
	}
	printf("%.2f %.6f\n", (last - first) * 1e9 / (double)(pairs * n), last - first);
	fflush(stdout);
	hold(argc > 3 ? argv[3] : NULL);
	if (threads)
		pthread_barrier_wait(&end);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}
