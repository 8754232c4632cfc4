/*
 * fork.c - the fork that runs no atfork handler, and that a signal handler may call.
 */
#include "preload/enter.h"
#include "preload/boot.h"
#include "preload/real.h"
#include <unistd.h>

/* From glibc 2.34; not in our libc's headers before.  fork is what is nearest where there is none. */
HL_EXPORT pid_t _Fork(void);

HL_EXPORT pid_t _Fork(void)
{
	pid_t pid;

	if (!hl_real_ready() || !hl_real.fork_now)
		return fork();
	pid = hl_real.fork_now();
	if (pid == 0)
		hl_start_forked();
	return pid;
}
