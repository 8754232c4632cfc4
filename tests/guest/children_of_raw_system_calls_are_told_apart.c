/*
 * Children that libc knows nothing of: no atfork handler runs for them.  One that shares the address space records into its
 * parent's trace; one that has a copy of it writes a trace of its own, and neither disturbs the other.
 * guest: traces 2
 */
#include "guest.h"
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile made, *volatile old;
static char stack[256 * 1024] __attribute__((aligned(16)));

static int sharing(void *arg)
{
	free(arg);
	made = malloc(200); // total 20 x 200
	_exit(5);
}

int main(void)
{
	int status;
	pid_t pid;

	for (int i = 0; i < 20; i++) {
		old = malloc(300); // total 20 x 300
		/* as posix_spawn does */
		pid = clone(sharing, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)old);
		CHECK(pid > 0);
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
		CHECK(made);
		free(made);
	}
	old = malloc(400); // total 1 x 400
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, NULL, NULL, 0);
	CHECK(pid >= 0);
	if (pid == 0) {
		free(old);
		keep(malloc(50)); // live 1 x 50 @others
		_exit(6);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 6);
	free(old);
	keep(malloc(10)); // live 1 x 10
	puts("done");
	return 0;
}
