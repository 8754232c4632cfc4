/*
 * live.c - a program that goes on while pointer images of it are taken, and sees whether it is disturbed.
 *
 *   live idle     one thread, which waits for a command
 *   live threads  and threads that work, wait in poll(), wait for a lock, have all signals blocked (deaf)
 *   live deaf     every thread has all signals blocked
 * Commands are lines of standard input: `leak` loses a block of 50000 bytes, `image LABEL` asks for an image itself, `exec` starts true,
 * `gone` asks for one and ends at once, `fork` asks for one and forks a child that asks for one, too.  Each is answered by a line.  At
 * the end it tells what was not as it should be.
 */
#include "heapledger.h"
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void *volatile kept;
static atomic_int interrupted, children;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *touched(size_t n)
{
	return memset(malloc(n), 0, n);
}

static __attribute__((noinline)) void lose(size_t n)
{
	touched(n);
}

/* What lies below the stack pointer is under the next frames, which do not write all of theirs. */
static __attribute__((noinline)) void forget(void)
{
	char volatile old[16384];

	for (size_t i = 0; i < sizeof old; i++)
		old[i] = 0;
}

static void *works(void *unused)
{
	for (;;) {
		void *volatile p = malloc(1000);

		free(p);
	}
	return unused;
}

/* The only pointer to its block is its own. */
static void *polls(void *unused)
{
	void *volatile mine = touched(40000);

	for (;;)
		if (poll(NULL, 0, 1000000) < 0 && errno == EINTR)
			interrupted++;
	free(mine);
	return unused;
}

static void *locks(void *unused)
{
	void *volatile mine = touched(41000);

	pthread_mutex_lock(&lock);
	free(mine);
	return unused;
}

static void *is_deaf(void *unused)
{
	unsigned long all = ~0ul;

	/* also what glibc does not let a program block */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	return locks(unused);
}

/* A program that waits for whatever child there is. */
static void *waits(void *unused)
{
	for (;;) {
		if (waitpid(-1, NULL, 0) > 0)
			children++;
		usleep(1000);
	}
	return unused;
}

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void start(void *(*run)(void *))
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, NULL))
		abort();
}

static void on_child(int sig)
{
	(void)sig;
	children++;
}

static void answer(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	void *volatile here = touched(20000);
	char line[64];
	int before;

	signal(SIGCHLD, on_child);
	pthread_mutex_lock(&lock);
	kept = touched(30000);
	lose(10000);
	forget();
	if (argc > 1 && !strcmp(argv[1], "threads")) {
		start(works);
		start(polls);
		start(locks);
		start(waits);
		if (argc > 2)
			start(is_deaf);
		usleep(100000);
	}
	if (argc > 1 && !strcmp(argv[1], "deaf")) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
	}
	before = descriptors();
	answer("ready");
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line, "leak"))
			lose(50000), forget();
		else if (!strncmp(line, "image ", 6))
			HEAPLEDGER_SNAPSHOT_IMAGE(line + 6);
		else if (!strcmp(line, "gone"))
			HEAPLEDGER_SNAPSHOT_IMAGE("gone");
		else if (!strcmp(line, "exec"))
			HEAPLEDGER_SNAPSHOT_IMAGE("exec");
		else if (!strcmp(line, "fork"))
			HEAPLEDGER_SNAPSHOT_IMAGE("parent");
		if (!strcmp(line, "gone"))
			exit(4);
		if (!strcmp(line, "exec"))
			execlp("true", "true", NULL);
		if (!strcmp(line, "fork")) {
			pid_t child = fork();
			int status = 0;

			if (child == 0) {
				HEAPLEDGER_SNAPSHOT_IMAGE("child");
				lose(60000);
				exit(5);
			}
			waitpid(child, &status, 0);
			children -= WEXITSTATUS(status) == 5;
		}
		answer(line);
	}
	printf("interrupted %d, children %d, descriptors %+d\n", interrupted, children,
	       descriptors() - before);
	fflush(stdout);
	free(here);
	_Exit(3);
}
