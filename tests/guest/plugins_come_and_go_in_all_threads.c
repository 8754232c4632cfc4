/*
 * Six threads load plugins of their own, have them allocate, and unload them: what one thread's stack shows us is never
 * looked at by another, for whom it may be gone.
 * guest: flags -pthread
 * guest: lib lib_plugin.c
 */
#include "guest.h"
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS  2500

void *plugin_allocate(size_t n);

static char directory[] = "/tmp/hl-plugins-XXXXXX";

static void name_of(long k, char name[64])
{
	snprintf(name, 64, "%s/%ld.so", directory, k);
}

static void copy(const char *from, const char *to)
{
	static char bytes[1 << 20];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");

	CHECK(in && out);
	CHECK(fwrite(bytes, 1, fread(bytes, 1, sizeof bytes, in), out) > 1000);
	fclose(in);
	CHECK(fclose(out) == 0);
}

static void *load_and_unload(void *arg)
{
	char name[64];

	name_of((long)arg, name);
	for (int i = 0; i < ROUNDS; i++) {
		void *plugin = dlopen(name, RTLD_NOW | RTLD_LOCAL);
		void *(*allocate)(size_t) =
			plugin ? (void *(*)(size_t))dlsym(plugin, "plugin_allocate") : NULL;

		CHECK(allocate);
		free(allocate(21));
		dlclose(plugin);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	char name[64];
	Dl_info us;

	CHECK(dladdr((void *)plugin_allocate, &us) && mkdtemp(directory));
	for (long k = 0; k < THREADS; k++) {
		name_of(k, name);
		copy(us.dli_fname, name);
	}
	for (long k = 0; k < THREADS; k++)
		CHECK(pthread_create(&t[k], NULL, load_and_unload, (void *)k) == 0);
	for (long k = 0; k < THREADS; k++)
		pthread_join(t[k], NULL);
	for (long k = 0; k < THREADS; k++) {
		name_of(k, name);
		unlink(name);
	}
	rmdir(directory);
	keep(malloc(22)); // live 1 x 22
	puts("done");
	return 0;
}
