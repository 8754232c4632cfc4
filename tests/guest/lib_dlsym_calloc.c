/* A dlsym that allocates before it answers, for boot_pool_blocks_live_on.c. */
#include <dlfcn.h>
#include <stdlib.h>

/* the first that glibc had on the processor */
#if defined(__x86_64__)
#define VERSION "GLIBC_2.2.5"
#else
#define VERSION "GLIBC_2.17"
#endif

void *boot_blocks[64];
int boot_count;

void *dlsym(void *restrict handle, const char *restrict name)
{
	static void *(*real)(void *, const char *);
	void *p = calloc(1, 40), *q = malloc(100);

	if (boot_count < 64)
		boot_blocks[boot_count++] = p;
	free(realloc(q, 300));
	if (!real)
		*(void **)&real = dlvsym(RTLD_NEXT, "dlsym", VERSION);
	return real(handle, name);
}
