/*
 * dlopen.c - two plugins loaded one after the other, as a rule at the same address.
 *
 * The blocks of the first outlive it; their stacks must still name the first plugin's lines
 * although the second one is mapped there now.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *block[2][32];

static void *use(const char *dir, const char *name, void **out)
{
	char path[4096];
	void *(*make)(void **);
	void *h, *where;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!h)
		exit(1);
	*(void **)&make = dlsym(h, "plugin_make");
	where = (void *)make;
	make(out);
	dlclose(h);
	return where;
}

int main(int argc, char **argv)
{
	char *slash = strrchr(argv[0], '/');
	void *a, *b;

	(void)argc;
	if (!slash)
		return 1;
	*slash = 0;
	for (int round = 0; round < 3; round++) {
		a = use(argv[0], "plugin_a.so", block[0]);
		b = use(argv[0], "plugin_b.so", block[1]);
	}
	fprintf(stderr, "plugins at %s address\n", a == b ? "the same" : "another");
	printf("two plugins used\n");
	return 0;
}
