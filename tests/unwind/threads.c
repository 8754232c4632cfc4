/*
 * Where threads and processes begin and end: a thread's first function, key destructors, cleanup after pthread_cancel,
 * constructors, atexit handlers, fork's child, vfork's child.
 */
#include "edge.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_key_t key;
static pthread_barrier_t barrier;

__attribute__((constructor)) FRAME static void before(void)
{
	TAKE(91); // 1 from before < ?
}

__attribute__((destructor)) FRAME static void after(void)
{
	TAKE(92); // 1 from after < ?; 1 in the child from after < ? < forked*3 < main; 1 in the child from after < ? < forked*3 < forker < ?
}

FRAME static void at_exit(void)
{
	TAKE(93); // 1 from at_exit < ?; 1 in the child from at_exit < ? < forked*3 < main; 1 in the child from at_exit < ? < forked*3 < forker < ?
}

FRAME static void destroyed(void *p)
{
	(void)p;
	TAKE(94); // 8 from destroyed < ?
}

FRAME static void cleanup(void *p)
{
	(void)p;
	TAKE(95); // 8 from cleanup < ? < cancelled < ?
}

FRAME static void *cancelled(void *p)
{
	pthread_setspecific(key, p);
	pthread_cleanup_push(cleanup, NULL);
	TAKE(96); // 8 from cancelled < ?
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	pthread_cleanup_pop(1);
	return p;
}

FRAME static void forked(int depth)
{
	if (depth) {
		forked(depth - 1);
		STAY;
		return;
	}

	pid_t pid = fork();

	if (pid == 0)
		TAKE(97); // 1 in the child from forked < forked < forked < main; 1 in the child from forked < forked < forked < forker < ?
	else
		TAKE(98); // 1 from forked < forked < forked < main; 1 from forked < forked < forked < forker < ?
	if (pid == 0)
		exit(0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

FRAME static void *forker(void *p)
{
	forked(2);
	return p;
}

FRAME static void vforked(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		TAKE(99); // 10 from vforked < main
		_exit(3);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	TAKE(100); // 10 from vforked < main
}

int main(void)
{
	pthread_t t;

	TAKE(101); // 1 from main
	atexit(at_exit);
	pthread_key_create(&key, destroyed);
	pthread_barrier_init(&barrier, NULL, 2);
	for (int i = 0; i < 8; i++) {
		CHECK(pthread_create(&t, NULL, cancelled, &key) == 0);
		pthread_barrier_wait(&barrier);
		pthread_cancel(t);
		pthread_join(t, NULL);
	}
	forked(2);
	CHECK(pthread_create(&t, NULL, forker, NULL) == 0);
	pthread_join(t, NULL);
	for (int i = 0; i < 10; i++)
		vforked();
	return 0;
}
