/* A library with an operator delete(void *) of its own, before the C++ runtime's. */
#include <stdlib.h>

unsigned lib_deletes;
void _ZdlPv(void *p);
void _ZdlPv(void *p)
{
	lib_deletes += p != NULL;
	free(p);
}
