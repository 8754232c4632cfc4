/*
 * A library that had frames on recorded stacks is loaded and unloaded again and again; what allocates between is
 * found by its line all the same.
 */
#include "guest.h"
#include <dlfcn.h>

__attribute__((noinline)) static void other_line(void)
{
	keep(malloc(51)); // live 20 x 51
}

int main(void)
{
	for (int i = 0; i < 20; i++) {
		void *lib = dlopen("libz.so.1", RTLD_NOW);

		CHECK(lib);

		void *(*gzopen)(const char *, const char *) =
			(void *(*)(const char *, const char *))dlsym(lib, "gzopen");
		int (*gzclose)(void *) = (int (*)(void *))dlsym(lib, "gzclose");

		CHECK(gzopen && gzclose);
		CHECK(gzclose(gzopen("/dev/null", "r")) == 0);
		CHECK(dlclose(lib) == 0);
		keep(malloc(50)); // live 20 x 50
		other_line();
	}
	puts("done");
	return 0;
}
