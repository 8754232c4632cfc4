/*
 * A program that locks all its memory, present and future, has every page that the library maps in its memory too: that must
 * not be the whole region.
 */
#include "guest.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static long status_kib(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name));
	fclose(f);
	return kib;
}

int main(void)
{
	int r = mlockall(MCL_CURRENT | MCL_FUTURE);

	CHECK(r == 0 || errno == ENOMEM || errno == EPERM);
	for (int i = 0; i < 300000; i++)
		free(keep(malloc(100))); // total 300000 x 100
	CHECK(status_kib("VmRSS:") < 128 * 1024);
	keep(malloc(10)); // live 1 x 10
	puts("done");
	return 0;
}
