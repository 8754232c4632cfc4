/*
 * sampled.c WHAT - what a sampled program must not notice, and what its trace must not say; run by sampled.sh.
 *   float  every floating point exception traps, and no flag may appear that the program did not raise
 *   queue  blocks that are freed in the order of their making, so that none is the newest
 */
#include <fenv.h>
#include <stdlib.h>
#include <string.h>

static void *keep(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static int floats(void)
{
	int seen;

	for (int i = 0; i < 10000; i++)
		free(keep(malloc(100)));
	seen = fetestexcept(FE_ALL_EXCEPT);
	if (seen)
		return 1;
	/* an architecture may have no traps: then this does nothing */
	feenableexcept(FE_ALL_EXCEPT);
	for (int i = 0; i < 10000; i++)
		free(keep(malloc(100)));
	return 0;
}

static int queue(void)
{
	void *ring[4] = {0};

	for (int i = 0; i < 1000; i++) {
		free(ring[i % 4]);
		ring[i % 4] = keep(malloc(64));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	return strcmp(argv[1], "float") ? queue() : floats();
}
