/* RLIMIT_NOFILE of 0 after start: recording needs no descriptor. */
#include "guest.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit r = {0, 0};

	CHECK(!setrlimit(RLIMIT_NOFILE, &r));
	for (int i = 0; i < 200000; i++)
		free(keep(malloc(90))); // total 200000 x 90
	for (int i = 0; i < 10; i++)
		keep(malloc(91)); // live 10 x 91
	puts("done");
	return 0;
}
