/*
 * stream_vs_list.c - the same sum, once over a list that is built first, once over a stream.
 *
 * Both leave nothing behind and both allocate the same bytes in total; only the peak tells the
 * line that materialises: `heapledger stats TRACE --sort peak`.
 */
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 1000, BYTES = 512 };

static long by_list(void)
{
	long *list[ITEMS], sum = 0;

	for (long i = 0; i < ITEMS; i++) {
		list[i] = malloc(BYTES);
		if (!list[i])
			exit(1);
		*list[i] = i;
	}
	for (long i = 0; i < ITEMS; i++) {
		sum += *list[i];
		free(list[i]);
	}
	return sum;
}

static long by_stream(void)
{
	long sum = 0;

	for (long i = 0; i < ITEMS; i++) {
		long *p = malloc(BYTES);

		if (!p)
			exit(1);
		*(volatile long *)p = i;
		sum += *p;
		free(p);
	}
	return sum;
}

int main(void)
{
	long a = by_list(), b = by_stream();

	printf("%ld %ld\n", a, b);
	return a == b ? 0 : 1;
}
