/* A library whose constructor allocates, for blocks_from_before_the_constructor_are_recorded.c. */
#include <stdlib.h>

void *lib_constructed[4];

__attribute__((constructor)) static void construct(void)
{
	for (int i = 0; i < 4; i++)
		lib_constructed[i] = malloc(80);
}
