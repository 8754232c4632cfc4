/*
 * outlived.c parent|other - what outlived.sh runs: a process whose child shares its memory and goes on without it, and one that
 * allocates for three seconds.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char stack[1 << 20] __attribute__((aligned(16)));

static void work(int rounds, unsigned pause_us)
{
	while (rounds--) {
		for (size_t i = 0; i < 1000; i++) {
			void *p = malloc(100 + i % 777);

			__asm__ volatile("" : "+r"(p));
			free(p);
		}
		usleep(pause_us);
	}
}

static int child(void *unused)
{
	(void)unused;
	usleep(1500000);
	work(300, 5000);
	syscall(SYS_exit, 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && *argv[1] == 'o') {
		work(400, 8000);
		return 0;
	}
	work(1, 0);
	if (clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL) < 0)
		return 1;
	_exit(0);
}
