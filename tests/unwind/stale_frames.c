/*
 * Frames over the remains of others, so that all but one word look as before: the saved rbp tells two callers
 * apart whose return addresses both still lie there; an rbp that nobody needed before decides now.
 */
#include "edge.h"
#include <alloca.h>

/* One capture only: the next finds the trail of the one before at the same place. */
FRAME static void saves_rbp(void)
{
#if defined(__OPTIMIZE__) && defined(__x86_64__)
	__asm__ volatile("" : : : "rbp");
#endif
	TAKE(111); // 500 from saves_rbp < between < one < main; 500 from saves_rbp < between < two < main
}

FRAME static void between(size_t n)
{
	volatile char *p = alloca(n);

	p[0] = 1;
	saves_rbp();
	p[0] = 2;
}

FRAME static void one(size_t n, size_t m)
{
	volatile char *p = alloca(n);

	p[0] = 1;
	between(m);
	p[0] = 2;
}

FRAME static void two(size_t n, size_t m)
{
	volatile char *p = alloca(n);

	p[0] = 3;
	between(m);
	p[0] = 4;
}

FRAME static void middle(void)
{
	TAKE(114); // 2000 from middle < fixed < main; 2000 from middle < moving < main
}

FRAME static void fixed(void)
{
	volatile char a[200];

	a[0] = 1;
	middle();
	a[1] = a[0];
}

FRAME static void moving(size_t n)
{
	volatile char *p = alloca(n);

	p[0] = 1;
	middle();
	p[0] = 2;
}

int main(void)
{
	for (volatile int i = 0; i < 500; i++) {
		one(16, 512);
		two(512, 16);
	}
	for (volatile int i = 0; i < 2000; i++) {
		fixed();
		moving((size_t)(i % 25) * 16 + 1);
	}
	return 0;
}
