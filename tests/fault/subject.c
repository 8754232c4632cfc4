/*
 * subject.c - a program that comes to every place where the library calls the kernel, and says what it saw of
 * itself: contents of its blocks, errno, its descriptors, the statuses of its children.  What it prints is the same
 * at every run.
 *
 * subject PLUGIN: all of it; subject: what it does as another program.  Every process appends a line "ROLE PID" to the file that
 * SUBJECT_PIDS names.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct heap {
	unsigned char *block[512];
	size_t bytes[512];
	uint32_t random;
	uint64_t sum;
};

static pthread_key_t key;
static unsigned char *handlers_block;
static int errno_changed;

static uint32_t next(struct heap *h)
{
	return h->random = h->random * 1664525u + 1013904223u;
}

static void check(struct heap *h, unsigned i)
{
	for (size_t k = 0; k < h->bytes[i]; k += 61)
		if (h->block[i][k] != (unsigned char)i) {
			printf("block %u is damaged\n", i);
			fflush(stdout);
			_exit(99);
		}
}

static __attribute__((noinline)) void *get(struct heap *h, unsigned i, size_t n)
{
	void *p = NULL;

	switch (next(h) >> 29) {
	case 0:
		return calloc(1, n);
	case 1:
		return memalign(64, n);
	case 2:
		return posix_memalign(&p, 32, n) ? NULL : p;
	case 3:
	case 4:
		check(h, i);
		p = realloc(h->block[i], n);
		h->block[i] = NULL;
		return p;
	default:
		return malloc(n);
	}
}

static __attribute__((noinline)) void step(struct heap *h)
{
	unsigned i = next(h) >> 23;
	size_t n = 1 + (next(h) >> 22);
	void *p;

	errno = 1234;
	p = get(h, i, n);
	if (h->block[i]) {
		check(h, i);
		free(h->block[i]);
	}
	errno_changed += errno != 1234;
	h->block[i] = p;
	h->bytes[i] = n;
	memset(p, (int)i, n);
	h->sum += n;
}

static __attribute__((noinline)) void deep(struct heap *h, unsigned n)
{
	if (n)
		deep(h, n - 1);
	step(h);
	__asm__ volatile("" ::: "memory");
}

static void work(struct heap *h, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++)
		if (i % 64)
			step(h);
		else
			deep(h, i / 16 % 100);
}

static uint64_t left(struct heap *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 512; i++)
		if (h->block[i]) {
			check(h, i);
			n += h->bytes[i];
			if (i % 2)
				continue;
			free(h->block[i]);
			h->block[i] = NULL;
		}
	return n;
}

static void *thread(void *p)
{
	static const char name[] = "a thread's own memory";
	struct heap *h = p;

	work(h, 3000);
	pthread_setspecific(key, strdup(name));
	return NULL;
}

static void handler(int sig)
{
	free(handlers_block);
	handlers_block = malloc((size_t)sig);
}

static void threads(void)
{
	pthread_t t[3];
	static struct heap heaps[3];

	pthread_key_create(&key, free);
	for (unsigned i = 0; i < 3; i++) {
		heaps[i].random = i;
		if (pthread_create(&t[i], NULL, thread, &heaps[i])) {
			printf("no thread\n");
			exit(98);
		}
		/* the third takes what the first left behind */
		if (i == 1)
			pthread_join(t[0], NULL);
	}
	pthread_join(t[1], NULL);
	pthread_join(t[2], NULL);
	for (unsigned i = 0; i < 3; i++)
		printf("thread %u: %llu of %llu bytes\n", i, (unsigned long long)left(&heaps[i]),
		       (unsigned long long)heaps[i].sum);
}

static void plugin(const char *path)
{
	for (int i = 0; i < 2; i++) {
		void *(*f)(size_t), *h = dlopen(path, RTLD_NOW);

		f = h ? (void *(*)(size_t))(uintptr_t)dlsym(h, "plugin_alloc") : NULL;
		if (!f) {
			printf("no plugin\n");
			exit(97);
		}
		free(f(1000));
		dlclose(h);
	}
}

static void say_child(const char *what, pid_t pid)
{
	int status = 0;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		printf("%s: none\n", what);
	else
		printf("%s: status %#x\n", what, (unsigned)status);
	fflush(stdout);
}

static void say_pid(const char *role)
{
	const char *path = getenv("SUBJECT_PIDS");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	char line[64];
	int n = snprintf(line, sizeof line, "%s %d\n", role, (int)getpid());

	if (fd < 0)
		return;
	if (write(fd, line, (size_t)n) != n)
		exit(95);
	close(fd);
}

static void children(char *self, struct heap *h)
{
	char *again[] = {self, NULL};
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		say_pid("forked");
		work(h, 700);
		printf("forked: %llu bytes\n", (unsigned long long)left(h));
		fflush(stdout);
		_exit(3);
	}
	say_child("forked", pid);
	pid = fork();
	if (pid == 0) {
		say_pid("executed");
		work(h, 300);
		execv(self, again);
		_exit(96);
	}
	say_child("executed", pid);
	again[0] = (char[]){"spawned"};
	if (posix_spawn(&pid, self, NULL, NULL, again, environ))
		pid = -1;
	say_child("spawned", pid);
}

static void say_descriptors(void)
{
	for (int fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("descriptor %d\n", fd);
}

int main(int argc, char **argv)
{
	struct heap *h = calloc(1, sizeof *h);
	struct sigaction sa = {.sa_handler = handler};

	h->random = (uint32_t)argc;
	if (argc > 1)
		say_pid("main");
	else if (!strcmp(argv[0], "spawned"))
		say_pid(argv[0]);
	work(h, 2000);
	if (argc > 1) {
		sigaction(SIGUSR1, &sa, NULL);
		raise(SIGUSR1);
		threads();
		plugin(argv[1]);
		children(argv[0], h);
		raise(SIGUSR1);
		work(h, 200);
	}
	printf("left: %llu of %llu bytes, errno was changed %d times\n", (unsigned long long)left(h),
	       (unsigned long long)h->sum, errno_changed);
	say_descriptors();
	return argc > 1 ? 5 : 7;
}
