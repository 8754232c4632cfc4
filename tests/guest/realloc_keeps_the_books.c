/*
 * realloc(p, 0) frees; a realloc that fails keeps the block; one that works moves the size.
 * guest: options free-stacks
 */
#include "guest.h"
#include <errno.h>
#include <stdint.h>

static volatile size_t absurd = SIZE_MAX / 2 + 1, zero;

int main(void)
{
	void *p, *q;

	for (int i = 0; i < 10; i++) {
		p = malloc(60); // total 10 x 60
		CHECK(p);
		CHECK(!realloc(p, zero));
	}
	for (int i = 0; i < 10; i++) {
		p = malloc(61); // live 10 x 61
		errno = 0;
		q = realloc(p, absurd);
		CHECK(!q && errno == ENOMEM);
		keep(p);
	}
	p = malloc(62);      // total 1 x 62
	q = realloc(p, 620); // live 1 x 620
	CHECK(q);
	p = malloc(6300);   // total 1 x 6300
	q = realloc(p, 63); // live 1 x 63
	CHECK(q);
	q = realloc(NULL, zero); // live 1 x 0
	CHECK(q);
	puts("done");
	return 0;
}
