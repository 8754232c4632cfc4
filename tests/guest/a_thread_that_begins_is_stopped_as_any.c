/*
 * The process ends while threads begin, which glibc has all signals blocked in: they are stopped a moment later, and the image
 * is not torn.  What a verdict says of that is in tests/e2e/leaks.sh; here nobody is disturbed.
 * guest: flags -pthread
 * guest: traces 21
 */
#include "guest.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void *run(void *unused)
{
	free(keep(malloc(10)));
	pause();
	return unused;
}

int main(void)
{
	for (int i = 0; i < 20; i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			pthread_t t;

			for (int k = 0; k < 3; k++)
				CHECK(!pthread_create(&t, NULL, run, NULL));
			return 7;
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	puts("done");
	return 0;
}
