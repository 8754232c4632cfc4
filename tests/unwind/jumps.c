/*
 * longjmp out of deep frames; recursion beyond the depth limit with returns to shallower levels; two functions
 * in turn at one stack depth; one function reached with different rbp; tail calls.
 *
 * unwind: options |depth=64|depth=5|depth=2
 */
#include "edge.h"
#include <setjmp.h>

static jmp_buf back;

FRAME static void jumper(int n)
{
	TAKE(41); // 100 from jumper*1 < catcher < main; 100 from jumper*2 < catcher < main; 100 from jumper*3 < catcher < main; 100 from jumper*4 < catcher < main
	if (n > 0)
		jumper(n - 1);
	if (n == 0)
		longjmp(back, 1);
}

FRAME static void catcher(void)
{
	if (!setjmp(back))
		jumper(3);
	TAKE(42); // 100 from catcher < main
}

FRAME static void deep(int n)
{
	if (n)
		deep(n - 1);
	/* on the way back, at every level */
	TAKE(43); // 1500 from deep+ < main
}

static void even(int n);

FRAME static void odd(int n)
{
	TAKE(44); // 100 from odd < even < odd < main; 100 from odd < main; 100 from odd < even < main
	if (n)
		even(n - 1);
	STAY;
}

FRAME static void even(int n)
{
	TAKE(45); // 100 from even < odd < even < main; 100 from even < main; 100 from even < odd < main
	if (n)
		odd(n - 1);
	STAY;
}

FRAME static void last(void)
{
	TAKE(46); // 300 from last < caller_a < main; 300 from last < caller_b < main
}

/* The same frame size, the same depth, another return address; another rbp where there is one. */
FRAME static void caller_a(int n)
{
	volatile long a[4] = {n, n, n, n};

	last();
	a[0] = a[1];
}

FRAME static void caller_b(int n)
{
	volatile long a[4] = {n, n, n, n};

	last();
	a[0] = a[1];
}

FRAME static void tail_end(int n)
{
	volatile int v = n;

	TAKE(47); // 100 from tail_end < main
	v++;
}

#ifdef __OPTIMIZE__
__attribute__((noipa, noinline)) static void tail(int n)
{
	tail_end(n + 1);
}
#else
#define tail tail_end
#endif

int main(void)
{
	for (volatile int i = 0; i < 100; i++) {
		catcher();
		if (i % 10 == 0)
			deep(149);
		odd(2);
		even(2);
		for (int k = 0; k < 3; k++) {
			caller_a(k);
			caller_b(k);
		}
		tail(i);
	}
	return 0;
}
