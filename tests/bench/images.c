/*
 * images.c MIB - a heap of so many MiB of nodes full of pointers, and a thread that notices when it stands still.  At each line
 * of standard input it says how long it did at most since the last one, in microseconds; at the end of it the program ends.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NODE  256
#define WORDS (NODE / sizeof(void *) - 2)

static volatile long worst;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *ticks(void *unused)
{
	for (long last = now(), t;; last = t) {
		t = now();
		if (t - last > worst)
			worst = t - last;
	}
	return unused;
}

/* Half of a node's words point to nodes at random. */
static void **build(long mib)
{
	size_t n = (size_t)mib * 1024 * 1024 / NODE;
	void ***node = malloc(n * sizeof *node);
	unsigned long x = 88172645463325252ul;

	for (size_t i = 0; i < n; i++) {
		node[i] = calloc(1, NODE - 16);
		for (size_t k = 0; k < WORDS; k += 2) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			node[i][k] = node[x % (i + 1)];
		}
	}
	return (void **)node;
}

int main(int argc, char **argv)
{
	void *volatile heap = build(argc > 1 ? atol(argv[1]) : 1024);
	pthread_t t;
	int c;

	if (pthread_create(&t, NULL, ticks, NULL))
		return 1;
	puts("ready");
	fflush(stdout);
	while ((c = getchar()) != EOF)
		if (c == '\n') {
			printf("%ld\n", worst);
			fflush(stdout);
			worst = 0;
		}
	return heap == NULL;
}
