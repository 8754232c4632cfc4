/*
 * image_copy.c - making the copy, and getting rid of it.
 */
#include "preload/image_copy.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define DESCRIPTORS_MAX 65536u /* looked at where the kernel cannot close them all at once (before 5.9) */

static _Atomic uint32_t copy; /* its pid; 0: none */

/* Nobody may wait for the end of what the program closes, because of us. */
static void close_from(uint32_t first)
{
	struct rlimit lim;
	uint64_t n = DESCRIPTORS_MAX;

	if (hl_sys4(SYS_close_range, first, UINT32_MAX, 0, 0) >= 0)
		return;
	if (hl_sys4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)(uintptr_t)&lim) >= 0 && lim.rlim_cur < n)
		n = lim.rlim_cur;
	for (uint64_t fd = first; fd < n; fd++)
		hl_sys_close((int)fd);
}

long hl_copy_start(uint32_t keep)
{
	struct rlimit none = {0, 0};
	uint32_t state = hl_state();
	long pid = hl_sys6(SYS_clone, 0, 0, 0, 0, 0, 0);

	if (pid) {
		if (pid > 0)
			atomic_store_explicit(&copy, (uint32_t)pid, memory_order_relaxed);
		return pid;
	}
	/* the page was wiped, as in any child; this one is no process of the program's */
	atomic_store_explicit(&hl_hot.state, state, memory_order_relaxed);
	hl_sys4(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	hl_sys4(SYS_prctl, PR_SET_NAME, (long)(uintptr_t) "hl-image", 0, 0);
	hl_sys4(SYS_prlimit64, 0, RLIMIT_CORE, (long)(uintptr_t)&none, 0);
	close_from(keep);
	return 0;
}

void hl_copy_end(int status)
{
	for (;;)
		hl_sys4(SYS_exit_group, status, 0, 0, 0);
}

int hl_copy_runs(void)
{
	return atomic_load_explicit(&copy, memory_order_relaxed) != 0;
}

int hl_copy_reap(int wait, int *status)
{
	uint32_t pid = atomic_load_explicit(&copy, memory_order_relaxed);
	int how = 0;
	long r;

	if (status)
		*status = -1;
	/* a vfork child shares our memory, but has no such child */
	if (!pid || hl_is_vfork_child())
		return !pid;
	do
		r = hl_sys4(SYS_wait4, (long)pid, (long)(uintptr_t)&how,
			    (long)__WCLONE | (wait ? 0 : WNOHANG), 0);
	while (r == -4);
	if (r == 0)
		return 0;
	if (status && r > 0)
		*status = WIFEXITED(how) ? WEXITSTATUS(how) : HL_COPY_KILLED;
	/* or -ECHILD: somebody has waited for all there is */
	atomic_compare_exchange_strong_explicit(&copy, &pid, 0, memory_order_relaxed, memory_order_relaxed);
	return 1;
}

void hl_copy_kill(void)
{
	uint32_t pid = atomic_load_explicit(&copy, memory_order_relaxed);

	if (!pid || hl_is_vfork_child())
		return;
	hl_sys4(SYS_kill, (long)pid, SIGKILL, 0, 0);
	hl_copy_reap(1, NULL);
}

void hl_copy_forked(void)
{
	atomic_store_explicit(&copy, 0, memory_order_relaxed);
}
