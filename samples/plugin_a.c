/* plugin_a.c - loaded and unloaded by dlopen.c; leaves 3 blocks of 100 bytes behind each time. */
#include <stdlib.h>

void *plugin_make(void **out);
void *plugin_make(void **out)
{
	for (int i = 0; i < 3; i++)
		out[i] = malloc(100);
	return out[0];
}
