/* Clocks that go back, stand still and leap, as when somebody sets them, or with libfaketime. */
#include <sys/time.h>
#include <time.h>

static _Atomic unsigned calls;

static long long wrong(void)
{
	static const long long at[] = {1000000, 500, 500, 90000000000ll, 3, 2000000000ll, 0};

	return at[calls++ % (sizeof at / sizeof at[0])];
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	long long ns = wrong();

	(void)clock;
	t->tv_sec = ns / 1000000000;
	t->tv_nsec = ns % 1000000000;
	return 0;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	(void)zone;
	t->tv_sec = wrong() / 1000000000;
	t->tv_usec = 0;
	return 0;
}

time_t time(time_t *t)
{
	time_t now = wrong() / 1000000000;

	if (t)
		*t = now;
	return now;
}
