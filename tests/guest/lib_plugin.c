/* What plugins_come_and_go_in_all_threads.c loads, by several names. */
#include <stdlib.h>

void *plugin_allocate(size_t n);

void *plugin_allocate(size_t n)
{
	void *p = malloc(n);

	__asm__ volatile("" : "+r"(p));
	return p;
}
