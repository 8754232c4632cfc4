/*
 * A dlsym that allocates (as glibc's did until 2.34) is called by the library before it knows the real
 * calloc: what it gets must be usable, resizable and freeable for ever.
 * guest: lib lib_dlsym_calloc.c
 */
#include "guest.h"
#include <dlfcn.h>
#include <malloc.h>
#include <string.h>

extern void *boot_blocks[64];
extern int boot_count;

int main(void)
{
	void *(*f)(size_t);
	char *p;

	/* at least one, untraced too */
	*(void **)&f = dlsym(RTLD_DEFAULT, "malloc");
	CHECK(f);
	CHECK(boot_count >= 1);
	for (int i = 0; i < boot_count && i < 64; i++) {
		p = boot_blocks[i];
		CHECK(p);
		CHECK(malloc_usable_size(p) >= 40);
		for (int k = 0; k < 40; k++)
			CHECK(p[k] == 0);
		memset(p, 'b', 40);
		p = realloc(p, 5000);
		CHECK(p && p[0] == 'b' && p[39] == 'b');
		if (i % 2)
			free(p);
		else
			CHECK(!realloc(p, 0));
	}
	keep(malloc(11)); // live 1 x 11
	puts("done");
	return 0;
}
