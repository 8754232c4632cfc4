/*
 * 50 forks while two threads walk the list of libraries, as unwinders do: its lock stays taken in the child for good, and
 * nothing that exit() does needs it.
 * guest: flags -pthread
 * guest: traces 51
 */
#include "guest.h"
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int stop;

static int look(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)info;
	(void)size;
	(void)ctx;
	for (volatile int i = 0; i < 300; i++)
		;
	return 0;
}

static void *walk(void *arg)
{
	while (!stop)
		dl_iterate_phdr(look, NULL);
	return arg;
}

int main(void)
{
	pthread_t t[2];
	int status;

	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, walk, NULL));
	for (int round = 0; round < 50; round++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			/* SIGALRM when it hangs */
			alarm(20);
			exit(keep(malloc(90)) ? 7 : 1); // live 50 x 90 @others
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	puts("done");
	return 0;
}
