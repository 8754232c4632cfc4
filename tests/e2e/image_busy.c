/*
 * image_busy.c [deaf] - five threads at work when main returns; deaf: one of them has all signals blocked.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *work(void *arg)
{
	unsigned seed = (unsigned)(unsigned long)arg;
	void *p[64] = {0}, *m;

	for (;;) {
		int i = rand_r(&seed) % 64;

		free(p[i]);
		p[i] = malloc((size_t)rand_r(&seed) % 500);
		if (rand_r(&seed) % 50 == 0) {
			m = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			memset(m, 1, 65536);
			munmap(m, 65536);
		}
		if (rand_r(&seed) % 500 == 0)
			dlsym(RTLD_DEFAULT, "nothing");
	}
	return NULL;
}

static void *work_deaf(void *arg)
{
	unsigned long all = ~0ul;

	/* also what glibc does not let a program block */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	return work(arg);
}

int main(int argc, char **argv)
{
	pthread_t t;

	(void)argv;
	for (unsigned long i = 1; i <= 5; i++)
		if (pthread_create(&t, NULL, i == 5 && argc > 1 ? work_deaf : work, (void *)i))
			return 1;
	usleep(5000);
	return 0;
}
