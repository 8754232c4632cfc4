/*
 * The program limits its address space to what it has plus 24 MiB and allocates.
 * guest: broken yes
 * guest: flags -pthread
 */
#include "guest.h"
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

static void *run(void *arg)
{
	for (int i = 0; i < 2000; i++)
		free(keep(malloc(100)));
	return arg;
}

int main(void)
{
	struct rlimit r;
	char line[256];
	unsigned long pages = 0;
	pthread_attr_t attr;
	pthread_t t;
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK(f && fgets(line, sizeof line, f));
	fclose(f);
	pages = strtoul(line, NULL, 10);
	r.rlim_cur = r.rlim_max = pages * 4096 + (24 << 20);
	CHECK(!setrlimit(RLIMIT_AS, &r));
	CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, 256 << 10));
	for (int i = 0; i < 8; i++) {
		CHECK(!pthread_create(&t, &attr, run, NULL));
		pthread_join(t, NULL);
	}
	puts("done");
	return 0;
}
