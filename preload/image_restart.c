/*
 * image_restart.c - which call it was, and whether it may be made again.
 */
#include "preload/image_restart.h"
#include "preload/object.h"
#include "preload/sys.h"
#include <signal.h>
#include <ucontext.h>

#define EINTR_ (-4)

static int may_be_made_again(uint32_t number)
{
	switch (number) {
#ifdef SYS_pause
	case SYS_pause:
	case SYS_poll:
	case SYS_select:
	case SYS_epoll_wait:
#endif
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_epoll_pwait:
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_futex:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_msgsnd:
	case SYS_msgrcv:
	case SYS_io_getevents:
		return 1;
	}
	return 0;
}

/* What is ignored waits all the same while it is blocked. */
static int is_ignored(int sig)
{
	struct {
		uint64_t handler, rest[3];
	} now; /* as the kernel has it */

	if (hl_sys4(SYS_rt_sigaction, sig, 0, (long)(uintptr_t)&now, 8) < 0)
		return 0;
	return now.handler == (uint64_t)(uintptr_t)SIG_IGN ||
	       (now.handler == (uint64_t)(uintptr_t)SIG_DFL &&
		(sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH));
}

/* A signal that the thread would take as soon as it is back. */
static int signal_is_due(const ucontext_t *u)
{
	uint64_t pending = 0, blocked;

	__builtin_memcpy(&blocked, &u->uc_sigmask, sizeof blocked);
	if (hl_sys4(SYS_rt_sigpending, (long)(uintptr_t)&pending, 8, 0, 0) < 0)
		return 1;
	for (pending &= ~blocked; pending; pending &= pending - 1)
		if (!is_ignored(__builtin_ctzll(pending) + 1))
			return 1;
	return 0;
}

#if defined(__x86_64__)
void hl_call_restart(void *context, const struct hl_call *before)
{
	ucontext_t *u = context;
	greg_t *r = u->uc_mcontext.gregs;
	const uint8_t *p = (const uint8_t *)(uintptr_t)r[REG_RIP];
	uint32_t number = before->number;
	struct hl_object o;

	if (r[REG_RAX] != EINTR_ || !hl_object_bounds((uint64_t)r[REG_RIP] - 1, &o) ||
	    (uint64_t)(uintptr_t)p - o.start < 8 || p[-2] != 0x0f || p[-1] != 0x05)
		return;
	/* the number was in rax: mov $number, %eax stands before the call; else what the kernel said */
	if (p[-7] == 0xb8)
		__builtin_memcpy(&number, p - 6, sizeof number);
	else if (!before->known)
		return;
	if (!may_be_made_again(number) || signal_is_due(u))
		return;
	r[REG_RAX] = number;
	r[REG_RIP] -= 2;
}
#elif defined(__aarch64__)
void hl_call_restart(void *context, const struct hl_call *before)
{
	ucontext_t *u = context;
	mcontext_t *m = &u->uc_mcontext;
	struct hl_object o;

	if ((int64_t)m->regs[0] != EINTR_ || !before->known || m->regs[8] != before->number ||
	    !hl_object_bounds(m->pc - 4, &o) || *(const uint32_t *)(uintptr_t)(m->pc - 4) != 0xd4000001 ||
	    !may_be_made_again(before->number) || signal_is_due(u))
		return;
	m->regs[0] = before->first;
	m->pc -= 4;
}
#endif
