/*
 * Programs started with an empty environment, by execle, posix_spawn, vfork + execv and system are all
 * traced; they see the environment they were given, and the library beside it.
 * guest: traces 6
 */
#include "guest.h"
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int child(void)
{
	for (int i = 0; i < 3; i++)
		keep(malloc(444)); // live 15 x 444 @others
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "WORD=", 5) == 0)
			return 9;
	return 8;
}

static void expect(pid_t pid, int want)
{
	int status;

	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == want);
}

int main(int argc, char **argv)
{
	char *args[] = {argv[0], "child", NULL};
	char *empty[] = {NULL}, *word[] = {"WORD=x", NULL};
	pid_t pid;

	if (argc > 1)
		return child();
	unsetenv("WORD");

	if ((pid = fork()) == 0) {
		execve(argv[0], args, empty);
		_exit(127);
	}
	expect(pid, 8);
	if ((pid = fork()) == 0) {
		execle(argv[0], argv[0], "child", NULL, word);
		_exit(127);
	}
	expect(pid, 9);
	CHECK(!posix_spawn(&pid, argv[0], NULL, NULL, args, word));
	expect(pid, 9);
	CHECK(!posix_spawnp(&pid, argv[0], NULL, NULL, args, empty));
	expect(pid, 8);
	if ((pid = vfork()) == 0) {
		execv(argv[0], args);
		_exit(127);
	}
	expect(pid, 8);
	keep(malloc(33)); // live 1 x 33
	puts("done");
	return 0;
}
