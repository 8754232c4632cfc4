/*
 * Each entry point of the C allocator once, kept and given back.
 * guest: options free-stacks
 */
#include "guest.h"
#include <malloc.h>
#include <stdint.h>

static void *aligned(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, n)) // live 1 x 106
		return NULL;
	return keep(p);
}

int main(void)
{
	void *p;

	keep(malloc(101));               // live 1 x 101
	keep(calloc(6, 17));             // live 1 x 102
	keep(realloc(NULL, 103));        // live 1 x 103
	keep(reallocarray(NULL, 8, 13)); // live 1 x 104
	keep(memalign(64, 105));         // live 1 x 105
	keep(aligned(106));
	keep(aligned_alloc(128, 128)); // live 1 x 128
	keep(valloc(107));             // live 1 x 107
	keep(pvalloc(108));            // live 1 x 108

	free(keep(malloc(201)));            // total 1 x 201
	free(keep(calloc(2, 101)));         // total 1 x 202
	free(keep(memalign(32, 203)));      // total 1 x 203
	free(keep(aligned_alloc(64, 192))); // total 1 x 192
	free(keep(valloc(204)));            // total 1 x 204
	free(keep(pvalloc(205)));           // total 1 x 205
	p = keep(malloc(50));               // total 1 x 50
	p = keep(reallocarray(p, 30, 7));   // total 1 x 210
	free(p);

	p = keep(malloc(0)); // live 1 x 0
	CHECK(p);
	CHECK(malloc_usable_size(p) > 0 && malloc_usable_size(NULL) == 0);
	free(NULL);
	CHECK(!calloc(SIZE_MAX / 2, keep((void *)4) ? 4 : 0));
	puts("done");
	return 0;
}
