/*
 * A timer interrupts functions anywhere, also before they saved the return address and after they took it back, and
 * the handler allocates.  Under an emulator that runs one instruction at a time each of them can be the one.
 *
 * unwind: builds -O2 -fomit-frame-pointer|-O2 -mbranch-protection=standard|-O0
 */
#include "../unwind/edge.h"
#include <signal.h>
#include <sys/time.h>

static volatile int ticks, on;
static volatile unsigned sum;

FRAME static void tick(int sig)
{
	(void)sig;
	/* not in a stub of the linker's on the way to setitimer: those have no frame information */
	if (!on)
		return;
	ticks++;
	TAKE(21); // any from tick < ? < main; all from tick < ? < work < main; any from tick < ? < leaf < work < main; all from tick < ? < framed < work < main; any from tick < ? < leaf < framed < work < main; all from tick < ? < growing < work < main; any from tick < ? < leaf < growing < work < main
}

FRAME static unsigned leaf(unsigned a)
{
	return a * 3 + 1;
}

FRAME static unsigned framed(unsigned a)
{
	volatile unsigned array[100];

	array[a % 100] = leaf(a) + leaf(a + 1);
	return array[a % 100];
}

FRAME static unsigned growing(unsigned a)
{
	volatile unsigned *p = __builtin_alloca(a % 500 + 4);

	p[0] = leaf(a);
	return p[0] + leaf(a + 2);
}

FRAME static void work(void)
{
	for (unsigned i = 0; i < 50; i++)
		sum += leaf(i) + framed(i) + growing(i);
}

int main(void)
{
	struct itimerval it = {{0, 100}, {0, 100}};

	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &it, NULL);
	on = 1;
	while (ticks < 2000)
		work();
	on = 0;
	it.it_value.tv_usec = it.it_interval.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK(sum);
	return 0;
}
