/*
 * launch.c - fork, wait for the word, exec.  Floor: collect.
 *
 * Invariant: every descriptor that is opened here or by the rest of `run` is close-on-exec, so the
 * command inherits what `run` inherited and nothing else.
 */
#include "analyzer/collect/launch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void hl_launch_guard(struct hl_signals *s)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t all;
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
	sigaction(SIGCHLD, &dfl, &s->child);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &s->mask);
}

/* "NAME=value" with before or after what the user has there, joined by sep. */
static char *variable(const char *name, const char *first, const char *second, char sep)
{
	size_t n = strlen(name) + strlen(first) + strlen(second) + 3;
	char *s = hl_xmalloc(n);

	snprintf(s, n, *first && *second ? "%s=%s%c%s" : "%s=%s", name, *first ? first : second, sep, second);
	return s;
}

static int is_ours(const char *entry)
{
	static const char *const names[] = {"LD_PRELOAD=", "HEAPLEDGER_REGION=", "HEAPLEDGER_OPTIONS="};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(entry, names[i], strlen(names[i])))
			return 1;
	return 0;
}

static char **make_environment(const struct hl_launch *l, pid_t collector)
{
	const char *preload = getenv("LD_PRELOAD"), *options = getenv("HEAPLEDGER_OPTIONS");
	char region[64], **env;
	size_t n = 0, k = 0;

	while (environ[n])
		n++;
	env = hl_xmalloc((n + 4) * sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (!is_ours(environ[i]))
			env[k++] = environ[i];
	snprintf(region, sizeof(region), "/proc/%ld/fd/%d", (long)collector, l->region_fd);
	env[k++] = variable("LD_PRELOAD", l->library, preload ? preload : "", ':');
	env[k++] = variable("HEAPLEDGER_REGION", region, "", ':');
	env[k++] = variable("HEAPLEDGER_OPTIONS", options ? options : "", l->options, ',');
	env[k] = NULL;
	return env;
}

/* In the forked process. */
static void __attribute__((noreturn)) become_command(struct hl_launch *l)
{
	pid_t collector = 0;
	char **env, **argv = l->argv;
	int err;

	/* run is gone or gave up: nobody waits for a status */
	if (recv(l->control, &collector, sizeof(collector), 0) != (ssize_t)sizeof(collector))
		_exit(125);
	env = make_environment(l, collector);
	if (l->by_shell) {
		size_t n = 0;

		while (argv[n])
			n++;
		argv = hl_xmalloc((n + 2) * sizeof(*argv));
		argv[0] = (char *)"/bin/sh";
		argv[1] = (char *)l->path;
		memcpy(argv + 2, l->argv + 1, n * sizeof(*argv));
	}
	sigaction(SIGCHLD, &l->signals->child, NULL);
	sigprocmask(SIG_SETMASK, &l->signals->mask, NULL);
	execve(l->by_shell ? "/bin/sh" : l->path, argv, env);
	err = errno;
	send(l->control, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(err == ENOENT ? 127 : 126);
}

int hl_launch_fork(struct hl_launch *l, struct hl_diag *d)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot start the command: %s", strerror(errno));
	fflush(NULL);
	l->pid = fork();
	if (l->pid == 0) {
		close(ends[0]);
		l->control = ends[1];
		become_command(l);
	}
	close(ends[1]);
	if (l->pid < 0) {
		close(ends[0]);
		return hl_fail(d, HL_ERR_REFUSED, "cannot start the command: %s", strerror(errno));
	}
	l->control = ends[0];
	return HL_OK;
}

static void reap(struct hl_launch *l)
{
	close(l->control);
	l->control = -1;
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int hl_launch_go(struct hl_launch *l, pid_t collector)
{
	int err = 0;

	if (send(l->control, &collector, sizeof(collector), MSG_NOSIGNAL) != (ssize_t)sizeof(collector) &&
	    errno != EPIPE && errno != ECONNRESET) {
		err = errno;
		reap(l);
		return err;
	}
	/* killed before it began: that is its end, and told as any other */
	/* the end of the stream: exec closed the other side */
	if (recv(l->control, &err, sizeof(err), 0) == (ssize_t)sizeof(err)) {
		reap(l);
		return err;
	}
	close(l->control);
	l->control = -1;
	return 0;
}

void hl_launch_cancel(struct hl_launch *l)
{
	if (l->control >= 0)
		reap(l);
}
