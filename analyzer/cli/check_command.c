/*
 * check_command.c - a command under trace, for a check: `heapledger run` in a process of its own, its traces in a
 * directory of their own unless they are to be kept.  Floor: cli.
 *
 * Signals of the terminal go to all of us; this process waits for the others to make of them what they do.
 */
#include "analyzer/cli/check.h"
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(const struct hl_check_job *j, const char *trace, char **argv, const sigset_t *mask)
{
	size_t n = 0, argc = 0;
	char **run, follow[300];
	pid_t child;

	while (argv[argc])
		argc++;
	run = hl_xcalloc(argc + 10, sizeof(*run));
	run[n++] = (char *)"heapledger";
	run[n++] = (char *)"run";
	run[n++] = (char *)"-q";
	run[n++] = (char *)"-o";
	run[n++] = (char *)trace;
	run[n++] = (char *)"--force";
	if (j->follow) {
		snprintf(follow, sizeof(follow), "--follow=%s", j->follow);
		run[n++] = follow;
	}
	run[n++] = (char *)"--";
	for (size_t i = 0; i < argc; i++)
		run[n++] = argv[i];
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execv("/proc/self/exe", run);
		_exit(125);
	}
	free(run);
	return child;
}

/* Until it ends.  What a process sends us is for it; what the terminal sends it got itself. */
static int wait_for(pid_t child, const sigset_t *ours)
{
	int status = 0;
	siginfo_t info;

	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
		if (sigwaitinfo(ours, &info) > 0 && info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(child, info.si_signo);
	}
}

/* The first trace is the command's; the others' names begin with its. */
static int add_all(struct hl_check_job *j, const char *trace, struct hl_diag *d)
{
	char pattern[2 * PATH_MAX];
	glob_t found = {0};
	size_t n = 0;
	int err = hl_check_add(j, trace, 1, d);

	for (const char *s = trace; *s && n < sizeof(pattern) - 4; s++) {
		if (strchr("*?[\\", *s))
			pattern[n++] = '\\';
		pattern[n++] = *s;
	}
	memcpy(pattern + n, ".*", 3);
	if (!err && glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; !err && i < found.gl_pathc; i++)
			err = hl_check_add(j, found.gl_pathv[i], 0, d);
	globfree(&found);
	return err;
}

static void remove_all(const char *dir)
{
	char pattern[PATH_MAX + 4];
	glob_t found = {0};

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
	globfree(&found);
	rmdir(dir);
}

int hl_check_command(struct hl_check_job *j, char **argv, int *status, struct hl_diag *d)
{
	static const int signals[] = {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX] = "", trace[PATH_MAX + 16];
	sigset_t ours, before;
	pid_t child;
	int err = HL_OK;

	if (j->output) {
		snprintf(trace, sizeof(trace), "%s", j->output);
	} else {
		snprintf(dir, sizeof(dir), "%s/heapledger.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
		if (!mkdtemp(dir))
			return hl_fail(d, HL_ERR_REFUSED, "check: cannot make %s: %s", dir, strerror(errno));
		snprintf(trace, sizeof(trace), "%s/trace.hl", dir);
	}
	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&ours, signals[i]);
	sigprocmask(SIG_BLOCK, &ours, &before);
	child = start(j, trace, argv, &before);
	if (child < 0)
		err = hl_fail(d, HL_ERR_REFUSED, "check: cannot start a process: %s", strerror(errno));
	else
		*status = wait_for(child, &ours);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!err && access(trace, F_OK) == 0)
		err = add_all(j, trace, d);
	if (!err)
		err = hl_check_settle(j, d);
	if (*dir)
		remove_all(dir);
	return err;
}
