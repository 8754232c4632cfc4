/*
 * Eight threads call _exit at once: the status is theirs, and nobody ends the process while another one writes its image.
 * guest: flags -pthread
 * guest: traces 11
 */
#include "guest.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8 };
static pthread_barrier_t together;

static void *end(void *unused)
{
	pthread_barrier_wait(&together);
	_exit(6);
	return unused;
}

int main(void)
{
	for (int i = 0; i < 10; i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			pthread_t t;

			keep(malloc(1000)); // live 10 x 1000 @others
			CHECK(!pthread_barrier_init(&together, NULL, THREADS));
			for (int k = 0; k < THREADS; k++)
				CHECK(!pthread_create(&t, NULL, end, NULL));
			for (;;)
				pause();
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	}
	puts("done");
	return 0;
}
