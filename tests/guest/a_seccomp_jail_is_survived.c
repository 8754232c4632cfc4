/*
 * After start the library needs no call that a strict sandbox kills: only memory and futex calls,
 * the clock, and what malloc itself uses; also where more stacks come than its first tables hold.
 */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOW(nr)                                                                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static __attribute__((noinline)) void branch(unsigned path, unsigned n)
{
	if (n == 0)
		free(keep(malloc(79))); // total 4096 x 79
	else if (path & 1) {
		branch(path >> 1, n - 1);
		__asm__ volatile("nop");
	} else {
		branch(path >> 1, n - 1);
	}
	__asm__ volatile("" : : "r"(path) : "memory");
}

int main(void)
{
	struct sock_filter rule[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_write),
		ALLOW(SYS_brk),
		ALLOW(SYS_mmap),
		ALLOW(SYS_munmap),
		ALLOW(SYS_mremap),
		ALLOW(SYS_madvise),
		ALLOW(SYS_futex),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_clock_gettime),
		ALLOW(SYS_rt_sigprocmask),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = {sizeof rule / sizeof *rule, rule};

	puts("jailed");
	fflush(stdout);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	for (int i = 0; i < 100000; i++)
		free(keep(malloc(77))); // total 100000 x 77
	for (unsigned path = 0; path < 4096; path++)
		branch(path, 12);
	for (int i = 0; i < 10; i++)
		keep(malloc(78)); // live 10 x 78
	return 0;
}
