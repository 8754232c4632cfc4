/*
 * The processor traps after every instruction of a call, and the handler allocates: prologues, epilogues, PLT
 * entries, the lazy binder and an IFUNC resolver, each at every instruction.
 *
 * unwind: flags -Wl,-z,lazy
 * unwind: lib libstep lib_step.c
 * unwind: link @/libstep.so -Wl,-rpath,@
 */
#include "edge.h"
#include "lib_step.h"
#include <signal.h>

int step_plain(int a), step_ifunc(int a), step_allocates(int a);

static volatile int steps;

FRAME static void trap(int sig)
{
	(void)sig;
	steps++;
	TAKE(21); // all from trap < ? < walk < main; all from trap < ? < leaf < walk < main; all from trap < ? < framed < walk < main; all from trap < ? < leaf < framed < walk < main
}

FRAME static int leaf(int a)
{
	return a * 3;
}

FRAME static int framed(int a)
{
	volatile int array[100];

	array[a] = leaf(a) + leaf(a + 1);
	return array[a];
}

FRAME static int walk(void)
{
	int sum;

	step_on();
	sum = leaf(1) + framed(2);
	sum += step_plain(3) + step_ifunc(4) + step_allocates(5);
	sum += step_plain(3) + step_ifunc(4) + step_allocates(5);
	step_off();
	return sum;
}

int main(void)
{
	signal(SIGTRAP, trap);
	TAKE(22); // 1 from main
	CHECK(walk() == 3 + 15 + 2 * (4 + 8 + 6));
	CHECK(steps > 1000);
	TAKE(23); // 1 from main
	return 0;
}
