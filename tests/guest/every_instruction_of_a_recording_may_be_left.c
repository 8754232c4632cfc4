/*
 * A handler that interrupts a recording forks, or leaves it by a jump, or ends the thread: at each instruction of
 * ours in turn.  What was being recorded may be lost; nothing else is, and nobody crashes.
 * guest: lib lib_steps.c
 * guest: flags -pthread
 * guest: runs fork jump end
 * guest: broken yes
 */
#include "steps.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

void steps_take(unsigned turn);

static unsigned fired;
static enum { FORK, JUMP, END } act;
static pid_t child;
static sigjmp_buf back;

static void trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (!step_is_due(context))
		return;
	fired = 1;
	if (act == JUMP)
		siglongjmp(back, 1);
	if (act == END)
		pthread_exit(NULL);
	child = fork();
	if (child == 0)
		keep(malloc(61));
}

static void *one_turn(void *turn)
{
	seen = fired = 0;
	child = -1;
	if (sigsetjmp(back, 1) == 0)
		steps_take((unsigned)(unsigned long)turn);
	if (child == 0) {
		for (int i = 0; i < 10; i++)
			keep(malloc(62));
		_exit(0);
	}
	return NULL;
}

/* A trap takes microseconds, and every child is a trace that somebody has to read.  The way into a hook after a jump
 * is taken at each instruction, from a deep and from a shallow stack. */
static unsigned stride(unsigned turn)
{
	return act == FORK ? 23 : act == JUMP && at < 200 ? turn % 2 : 47;
}

int main(int argc, char **argv)
{
	unsigned last = 0, turn = 0;

	CHECK(argc == 2);
	act = *argv[1] == 'f' ? FORK : *argv[1] == 'j' ? JUMP : END;
	steps_begin(trap);
	for (at = 1; at < last + 50; at += stride(turn), turn++) {
		pthread_t t;

		if (act == END) {
			CHECK(pthread_create(&t, NULL, one_turn, (void *)(unsigned long)turn) == 0);
			CHECK(pthread_join(t, NULL) == 0);
		} else {
			one_turn((void *)(unsigned long)turn);
		}
		/* from further out than what was left, which is known to be dead then; after the odd turns, whose
		 * stacks are deep, the next one finds that out at some instruction of its own */
		if (turn % 2 == 0)
			free(keep(malloc(63)));
		if (fired)
			last = at;
		if (fired && act == FORK) {
			int status;

			CHECK(waitpid(child, &status, 0) == child);
			if (status)
				printf("the child of turn %u: status %d\n", turn, status);
		}
	}
	for (int i = 0; i < 10; i++)
		keep(malloc(64)); // live 10 x 64
#if defined(__x86_64__)
	CHECK(low == 0 || last > 300);
#endif

	puts("done");
	return 0;
}
