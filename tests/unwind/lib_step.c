/* Functions to be bound lazily, one through a resolver that allocates. */
#include "edge.h"
#include "lib_step.h"

int step_plain(int a), step_ifunc(int a), step_allocates(int a);

int step_plain(int a)
{
	return a + 1;
}

int step_allocates(int a)
{
	step_off(); /* malloc is not re-entrant */
	TAKE(24);
	step_on();
	return a + 1;
}

static int chosen(int a)
{
	return a * 2;
}

static int (*choose(void))(int)
{
	step_off(); /* malloc is not re-entrant */
	TAKE(25);
	step_on();
	return chosen;
}

int step_ifunc(int a) __attribute__((ifunc("choose")));
