/* lib_plugin.c - what subject.c loads and unloads. */
#include <stdlib.h>

void *plugin_alloc(size_t n);
void *plugin_alloc(size_t n)
{
	char *p = malloc(n);

	if (p)
		p[0] = 1;
	return p;
}
