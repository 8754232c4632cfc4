/*
 * The child of vfork shares the heap: what it allocates and frees is the parent's.
 * guest: traces 1
 */
#include "guest.h"
#include <sys/wait.h>
#include <unistd.h>

static void *volatile made, *volatile old;

int main(void)
{
	int status;

	for (volatile int i = 0; i < 50; i++) {
		pid_t pid;

		old = malloc(300); // total 50 x 300
		CHECK(old);
		pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			free(old);
			made = malloc(200); // total 50 x 200
			_exit(5);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
		CHECK(made);
		free(made);
		keep(malloc(10)); // live 50 x 10
	}
	puts("done");
	return 0;
}
