/* plugin_b.c - loaded and unloaded by dlopen.c; leaves 2 blocks of 1000 bytes behind each time. */
#include <stdlib.h>

void *plugin_make(void **out);

/* Other lines than in plugin_a.c: a wrong module would show. */

void *plugin_make(void **out)
{
	for (int i = 0; i < 2; i++)
		out[i] = malloc(1000);
	return out[0];
}
