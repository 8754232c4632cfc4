/*
 * supervise.h - `run` while the command runs: signals, job control, its end.  Floor: collect.
 *
 * Each signal reaches the command once.  What the kernel sends for the terminal (SI_KERNEL: Ctrl-C, Ctrl-\,
 * Ctrl-Z, a new window size, hang-up) went to the whole process group, the command included, and is not
 * sent on; what a process sent to `run` is.  A signal that somebody sent to the whole group looks the
 * same as one sent to `run` alone, so of those the command sees two.
 */
#ifndef HL_COLLECT_SUPERVISE_H
#define HL_COLLECT_SUPERVISE_H

#include "analyzer/collect/control.h"
#include "analyzer/collect/launch.h"

struct hl_supervisor {
	pid_t command;
	int control;              /* to the collector; -1 after it is gone */
	void (*nudge)(void *ctx); /* make the collector look at its messages */
	/* A message of the collector: warnings while the command runs, its report at the end. */
	void (*message)(void *ctx, const struct hl_message *m);
	/* The collector is gone before its time. */
	void (*lost)(void *ctx);
	void *ctx;
};

/* Wait for the command to end; *status as of wait.  Signals are blocked (hl_launch_guard).  Returns 1 when the
 * collector reported after it, 0 when it could not or the user did not want to wait for it. */
int hl_supervise(struct hl_supervisor *s, int *status);

/* End this process as the command ended: its status, or its signal (without a core of our own). */
void hl_end_as(int status) __attribute__((noreturn));

#endif
