/*
 * Hooks run while libc holds the lock of a stream or of the loader, in several threads, and while others load, unload and fork:
 * nothing waits for ever, every block is accounted for.
 * guest: flags -lpthread
 */
#include "guest.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 60

static void pass(size_t n)
{
	free(keep(malloc(n)));
}

static ssize_t on_write(void *cookie, const char *text, size_t n)
{
	(void)cookie;
	(void)text;
	pass(100); /* the stream's lock is held */
	return (ssize_t)n;
}

static int on_object(struct dl_phdr_info *info, size_t n, void *data)
{
	(void)info;
	(void)n;
	(void)data;
	pass(200); /* the loader's */
	return 0;
}

static void *streams(void *arg)
{
	FILE *f = arg;

	for (int i = 0; i < ROUNDS * 20; i++) {
		fprintf(f, "%d\n", i);
		fflush(f);
	}
	return NULL;
}

static void *objects(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		dl_iterate_phdr(on_object, NULL);
	return arg;
}

static void *libraries(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		void *h = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);

		CHECK(h && dlsym(h, "cos"));
		dlclose(h);
	}
	return arg;
}

static void *forks(void *arg)
{
	for (int i = 0; i < ROUNDS / 4; i++) {
		int status;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			pass(300);
			_exit(7);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	return arg;
}

int main(void)
{
	FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){.write = on_write});
	void *(*const jobs[])(void *) = {streams, streams, objects, libraries, forks};
	pthread_t t[5];

	CHECK(f);
	for (int i = 0; i < 5; i++)
		CHECK(pthread_create(&t[i], NULL, jobs[i], f) == 0);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	fclose(f);
	keep(malloc(10)); // live 1 x 10
	puts("done");
	return 0;
}
