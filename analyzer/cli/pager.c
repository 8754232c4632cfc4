/*
 * pager.c - stdout through a pager.  Floor: cli.
 */
#include "analyzer/cli/pager.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A shell, because PAGER may hold options.  FRX: leave at once when it fits, keep colours. */
static _Noreturn void run(const char *command, const int ends[2])
{
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	setenv("LESS", "FRX", 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void hl_pager_start(struct hl_pager *p, int allowed)
{
	const char *command = getenv("PAGER");
	int ends[2];

	*p = (struct hl_pager){.saved = -1};
	if (!command)
		command = "less -R";
	if (!allowed || !*command || !strcmp(command, "cat") || !isatty(STDOUT_FILENO))
		return;
	p->saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (p->saved < 0 || pipe2(ends, O_CLOEXEC))
		return;
	fflush(stdout);
	p->pid = fork();
	if (!p->pid)
		run(command, ends);
	if (p->pid > 0)
		dup2(ends[1], STDOUT_FILENO);
	else
		p->pid = 0;
	close(ends[0]);
	close(ends[1]);
	/* who leaves the pager early must not end us before the notes on stderr */
	signal(SIGPIPE, SIG_IGN);
}

void hl_pager_end(struct hl_pager *p)
{
	if (p->pid) {
		fflush(stdout);
		clearerr(stdout);
		dup2(p->saved, STDOUT_FILENO);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (p->saved >= 0)
		close(p->saved);
	*p = (struct hl_pager){.saved = -1};
}
