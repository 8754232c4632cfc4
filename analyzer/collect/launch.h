/*
 * launch.h - starting the command exactly as a shell would, but for three variables.  Floor: collect.
 *
 * The command gets what `run` got: descriptors, signal mask, ignored signals, process group, limits,
 * working directory.  Added to its environment: LD_PRELOAD (in front of what is there),
 * HEAPLEDGER_REGION, HEAPLEDGER_OPTIONS (behind what is there).
 *
 * It is forked first and executed later, so that its pid can be part of the trace's name and a refusal
 * in between starts nothing.
 */
#ifndef HL_COLLECT_LAUNCH_H
#define HL_COLLECT_LAUNCH_H

#include "analyzer/base/diag.h"
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

/* The state of signals as it was found; hl_launch_guard takes it over for the life of `run`. */
struct hl_signals {
	sigset_t mask;
	struct sigaction child; /* of SIGCHLD: an ignored one would eat the command's status */
};

struct hl_launch {
	const char *path; /* of the program */
	int by_shell;     /* /bin/sh runs it */
	char **argv;
	const char *library; /* absolute */
	const char *options; /* "depth=64,..." */
	int region_fd;
	const struct hl_signals *signals;
	pid_t pid;   /* set by hl_launch_fork */
	int control; /* ditto */
};

/* Block every signal, and see that descriptors 0, 1 and 2 are not free to be ours (closed for the command). */
void hl_launch_guard(struct hl_signals *s);
/* Fork the process of the command; it waits.  HL_ERR_REFUSED. */
int hl_launch_fork(struct hl_launch *l, struct hl_diag *d);
/* Let it execute.  collector: whose descriptor region_fd is.  Returns 0, or the errno of exec: then the process
 * is gone and reaped. */
int hl_launch_go(struct hl_launch *l, pid_t collector);
/* Give it up before it executed anything. */
void hl_launch_cancel(struct hl_launch *l);

#endif
