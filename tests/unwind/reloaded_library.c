/*
 * Libraries with other frames that are loaded one after the other at one address.
 *
 * unwind: lib one lib_twin.c -DTWIN_BYTES=400
 * unwind: lib two lib_twin.c -DTWIN_BYTES=1200
 * unwind: differs some|0 libunwind 1.6.2 keeps the rules of a library that was unloaded
 */
#include "edge.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static void *seen;
static int same_place;

FRAME static void taker(void)
{
	TAKE(81); // 80 from taker < ? < user < main
}

FRAME static void user(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW);
	void (*twin)(void (*)(void)) = lib ? (void (*)(void (*)(void)))dlsym(lib, "twin") : NULL;

	CHECK(twin);
	same_place += seen == (void *)twin;
	seen = (void *)twin;
	twin(taker);
	twin(taker);
	CHECK(dlclose(lib) == 0);
}

int main(void)
{
	char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *end;

	CHECK(n > 0);
	path[n] = 0;
	end = strrchr(path, '/');
	for (volatile int i = 0; i < 40; i++) {
		strcpy(end, i % 2 ? "/one.so" : "/two.so");
		user(path);
	}
	CHECK(same_place == 39);
	return 0;
}
