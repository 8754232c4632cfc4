/*
 * 100 forks while two threads allocate; each child frees what it inherited and allocates.
 * guest: flags -pthread
 * guest: traces 101
 */
#include "guest.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int stop;

static void *work(void *arg)
{
	unsigned n = 0;

	(void)arg;
	while (!stop) {
		void *p = malloc(100), *q = malloc(30);

		keep(p);
		free(q);
		free(p);
		/* so that the children's traces, which begin with ours, stay short */
		if (++n % 8 == 0)
			usleep(100);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2];
	void *block[20];
	int status;

	for (int i = 0; i < 20; i++)
		block[i] = malloc(128); // live 20 x 128
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, work, NULL));
	for (int round = 0; round < 100; round++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			for (int i = 0; i < 10; i++)
				free(block[i]);
			for (int i = 0; i < 10; i++)
				block[i] = malloc(250); // live 1000 x 250 @others
			_exit(keep(block[9]) ? 7 : 1);
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
