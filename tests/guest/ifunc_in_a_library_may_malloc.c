/*
 * A library's IFUNC resolver calls malloc before the preloaded library itself is relocated.
 * guest: lib lib_ifunc.c
 */
#include "guest.h"
#include <string.h>

extern int lib_answer(void);
extern char *lib_early(void);

int main(void)
{
	char *p = lib_early();

	CHECK(lib_answer() == 42);
	CHECK(p && strcmp(p, "early") == 0);
	p = realloc(p, 300);
	CHECK(p && strcmp(p, "early") == 0);
	free(p);
	keep(malloc(11)); // live 1 x 11
	puts("done");
	return 0;
}
