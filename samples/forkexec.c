/*
 * forkexec.c - three programs in one: a parent, its forked child, and what the child executes.
 *
 * Each has a trace of its own.  The child's begins with what it inherited: it frees half of the
 * parent's blocks in its own copy, which changes nothing in the parent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile block[40];

static int executed(void)
{
	for (int i = 0; i < 7; i++)
		block[i] = malloc(700);
	return 0;
}

static void child(char *self)
{
	char *argv[] = {self, "executed", NULL};

	for (int i = 0; i < 20; i++)
		free(block[i]);
	for (int i = 0; i < 5; i++)
		block[i] = malloc(64);
	execv(self, argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc > 1 && strcmp(argv[1], "executed") == 0)
		return executed();
	for (int i = 0; i < 40; i++)
		block[i] = malloc(32);
	pid = fork();
	if (pid == 0)
		child(argv[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return 1;
	for (int i = 0; i < 30; i++)
		free(block[i]);
	printf("child done\n");
	return 0;
}
