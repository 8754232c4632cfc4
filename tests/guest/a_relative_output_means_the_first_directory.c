/*
 * HEAPLEDGER_OUTPUT may be relative: a program that goes elsewhere before it runs others leaves no trace there.
 * guest: traces 2
 */
#include "guest.h"
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char self[4096], dir[64], *args[] = {self, "child", NULL};
	const char *output = getenv("HEAPLEDGER_OUTPUT");
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	pid_t pid;
	int status;

	(void)argv;
	if (argc > 1) {
		keep(malloc(44)); // live 1 x 44 @others
		return 7;
	}
	CHECK(n > 0);
	self[n] = 0;
	if (output && strrchr(output, '/'))
		setenv("HEAPLEDGER_OUTPUT", strdup(strrchr(output, '/') + 1), 1);
	snprintf(dir, sizeof dir, "elsewhere.%d", (int)getpid());
	CHECK(mkdir(dir, 0700) == 0 && chdir(dir) == 0);
	if ((pid = vfork()) == 0) {
		execv(self, args);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	CHECK(chdir("..") == 0 && rmdir(dir) == 0); /* empty */
	keep(malloc(33));                           // live 1 x 33
	puts("done");
	return 0;
}
