/*
 * A chain of forks, each ending through exit(): every one has a trace that explains all its frees.
 * guest: traces 4
 */
#include "guest.h"
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	void *own = malloc(500); // live 1 x 500
	int depth = 0, status = 0;
	pid_t pid;

	while (depth < 3 && (pid = fork()) == 0) {
		depth++;
		free(own);
		own = malloc(600); // live 3 x 600 @others
		CHECK(own);
	}
	if (depth < 3) {
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WEXITSTATUS(status) == 0);
	}
	CHECK(own);
	if (depth == 0)
		puts("done");
	return 0;
}
