/*
 * A small RLIMIT_FSIZE, set by the program itself: no SIGXFSZ, no SIGBUS, its own writes as ever.
 * What does not fit is lost and counted, so the trace is only required to be readable.
 * guest: broken yes
 */
#include "guest.h"
#include <signal.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit r = {64 << 10, 64 << 10};

	CHECK(!setrlimit(RLIMIT_FSIZE, &r));
	for (int i = 0; i < 200000; i++)
		free(keep(malloc((size_t)i % 5000)));
	puts("done");
	return 0;
}
