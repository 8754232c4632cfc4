/*
 * realloc.c - a growing buffer.  A block belongs to the line that last resized it: tracemalloc's
 * rule.  The three hard cases are here too: realloc(p, 0) frees, a realloc that fails keeps the
 * old block, realloc(NULL, n) is malloc.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Not a constant, so that no compiler refuses the absurd size. */
static volatile size_t absurd = SIZE_MAX / 2 + 1;
static void *volatile kept[8];

int main(void)
{
	char *buf = malloc(10);
	size_t size = 10;
	void *p;

	while (size < 5000) {
		size *= 2;
		p = realloc(buf, size);
		if (!p)
			return 1;
		buf = p;
	}
	kept[0] = buf;

	p = malloc(300);
	kept[1] = realloc(p, 100);

	p = malloc(77);
	if (realloc(p, absurd))
		return 1;
	kept[2] = p;

	p = malloc(1000);
	kept[3] = realloc(p, 0);

	kept[4] = realloc(NULL, 123);
	printf("buffer of %zu bytes\n", size);
	return 0;
}
