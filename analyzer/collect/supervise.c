/*
 * supervise.c - waiting for the command.  Floor: collect.
 *
 * Every signal is blocked and read from a signalfd, so nothing here runs asynchronously.
 */
#include "analyzer/collect/supervise.h"
#include "analyzer/collect/process.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(struct hl_supervisor *s, uint32_t type, int status)
{
	struct hl_message m = {.type = type, .status = status};

	if (s->control < 0)
		return;
	hl_control_send(s->control, &m);
	s->nudge(s->ctx);
}

/* The command was stopped: stop with it, so that the shell gets its terminal back. */
static void stop_too(struct hl_supervisor *s, int sig)
{
	sigset_t one, old;

	tell(s, HL_MSG_STOPPED, 0);
	sigemptyset(&one);
	sigaddset(&one, sig);
	raise(sig);
	/* stops here, until SIGCONT */
	sigprocmask(SIG_UNBLOCK, &one, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	tell(s, HL_MSG_RESUMED, 0);
}

static void pass_on(struct hl_supervisor *s, const struct signalfd_siginfo *i)
{
	union sigval v = {.sival_ptr = (void *)(uintptr_t)i->ssi_ptr};
	char state;

	if (i->ssi_code > 0 || (pid_t)i->ssi_pid == getpid())
		return;
	switch (i->ssi_signo) {
	case SIGCONT:
		/* sent to the group by a shell, as a rule: then the command goes on already */
		state = hl_process_state(s->command);
		if (state != 'T')
			return;
		break;
	case SIGCHLD:
		return;
	}
	if (i->ssi_code == SI_QUEUE)
		sigqueue(s->command, (int)i->ssi_signo, v);
	else
		kill(s->command, (int)i->ssi_signo);
}

/* 1: the command ended. */
static int look_at_command(struct hl_supervisor *s, int *status)
{
	int st;

	while (waitpid(s->command, &st, WNOHANG | WUNTRACED) == s->command) {
		if (!WIFSTOPPED(st)) {
			*status = st;
			return 1;
		}
		stop_too(s, WSTOPSIG(st));
	}
	return 0;
}

static int hear(struct hl_supervisor *s)
{
	struct hl_message m;
	int got = hl_control_receive(s->control, &m, 0);

	if (got > 0) {
		s->message(s->ctx, &m);
		return m.type == HL_MSG_SUMMARY;
	}
	if (got < 0) {
		close(s->control);
		s->control = -1;
	}
	return 0;
}

static int is_impatience(uint32_t sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT;
}

int hl_supervise(struct hl_supervisor *s, int *status)
{
	struct signalfd_siginfo info;
	int ended = 0, reported = 0, given_up = 0, fd;
	sigset_t all;

	sigfillset(&all);
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		/* no descriptor left: wait plainly */
		while (waitpid(s->command, status, 0) < 0 && errno == EINTR)
			;
		ended = 1;
		tell(s, HL_MSG_ENDED, *status);
	}
	/* it may have ended before the descriptor was there */
	while (!ended || (s->control >= 0 && !reported && !given_up)) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->control, .events = POLLIN}};

		if (!ended && look_at_command(s, status)) {
			ended = 1;
			tell(s, HL_MSG_ENDED, *status);
			continue;
		}
		poll(p, 2, -1);
		while (fd >= 0 && read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			if (ended)
				given_up |= is_impatience(info.ssi_signo);
			else
				pass_on(s, &info);
		}
		if (p[1].revents) {
			reported = hear(s);
			if (s->control < 0 && !reported)
				s->lost(s->ctx);
		}
	}
	if (fd >= 0)
		close(fd);
	return reported;
}

void hl_end_as(int status)
{
	struct rlimit none = {0, 0};
	sigset_t one;

	fflush(NULL);
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);

		/* the command's core is the one that counts; a piped core_pattern does not ask the limit */
		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		signal(sig, SIG_DFL);
		sigemptyset(&one);
		sigaddset(&one, sig);
		raise(sig);
		sigprocmask(SIG_UNBLOCK, &one, NULL);
		exit(128 + sig);
	}
	exit(WEXITSTATUS(status));
}
