/*
 * Threads of PTHREAD_STACK_MIN, which allocate from a handler on a MINSIGSTKSZ alternate stack too.
 * guest: flags -pthread
 */
#include "guest.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>

static void handler(int sig)
{
	(void)sig;
	keep(malloc(36)); // live 20 x 36
}

static void *run(void *arg)
{
	(void)arg;
	free(keep(malloc(100))); // total 20 x 100
	return keep(malloc(35)); // live 20 x 35
}

static void *run_on_altstack(void *arg)
{
	static char stack[2048 + 2048 /* AVX state of this CPU */ + 4096];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};

	CHECK(!sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	return arg;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	pthread_attr_t attr;
	pthread_t t;
	void *p;

	sigaction(SIGUSR1, &sa, NULL);
	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
	for (int i = 0; i < 20; i++) {
		CHECK(!pthread_create(&t, &attr, run, NULL));
		pthread_join(t, &p);
		CHECK(p);
		CHECK(!pthread_create(&t, NULL, run_on_altstack, NULL));
		pthread_join(t, NULL);
	}
	pthread_attr_destroy(&attr);
	puts("done");
	return 0;
}
