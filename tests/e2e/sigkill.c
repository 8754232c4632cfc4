/*
 * sigkill.c THREADS [BLOCKS] - leaks blocks and says how many, until it is killed or each thread has leaked so many.
 *
 * Thread k leaks its i-th block with size i % 128 from a line of its own and after each 16 writes (k, i)
 * to stdout: what was said was committed before.  Sizes make the prefix provable: n blocks of a line have
 * the sum of the first n sizes, or one is missing.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void *volatile sink;
static uint32_t most = UINT32_MAX;

/* No compiler may drop a pair of malloc and free whose pointer went through here. */
static void *opaque(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static void tell(uint32_t thread, uint32_t n)
{
	uint32_t word[2] = {thread, n};

	if (write(1, word, sizeof word) != sizeof word)
		_exit(1);
}

#define LEAKER(k)                                                                                            \
	static void *leak_##k(void *arg)                                                                     \
	{                                                                                                    \
		for (uint32_t i = 0; i < most; i++) {                                                        \
			if (i % 16 == 0)                                                                     \
				tell(k, i);                                                                  \
			sink = malloc(i % 128);                                                              \
			if (i % 4 == 0)                                                                      \
				free(opaque(malloc(5000)));                                                  \
		}                                                                                            \
		tell(k, most);                                                                               \
		return arg;                                                                                  \
	}

/* clang-format off: one line, one call site */
LEAKER(0)
LEAKER(1)
LEAKER(2)
/* clang-format on */

int main(int argc, char **argv)
{
	static void *(*const leak[])(void *) = {leak_0, leak_1, leak_2};
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t t[3];

	if (argc > 2)
		most = (uint32_t)atoi(argv[2]);
	for (int i = 1; i < n && i < 3; i++)
		if (pthread_create(&t[i], NULL, leak[i], NULL))
			return 1;
	leak_0(NULL);
	for (int i = 1; i < n && i < 3; i++)
		pthread_join(t[i], NULL);
	return 3;
}
