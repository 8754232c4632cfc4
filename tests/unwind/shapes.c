/*
 * Frames of every shape: realigned ones (also for AVX), some larger than 32 KiB, alloca that grows and
 * shrinks between two calls, a variable length array, rbp as any register, several places in one frame.
 */
#include "edge.h"
#include <alloca.h>
#include <string.h>

FRAME static void aligned(int n)
{
	_Alignas(64) volatile char a[64];
	volatile char *b = alloca((size_t)n * 16 + 1);

	a[0] = b[0] = (char)n;
	b[0] = a[0];
	TAKE(31); // 200 from aligned < main
	STAY;
}

FRAME static void aligned_leaf(void)
{
	_Alignas(128) volatile char a[256];

	a[1] = 1;
	a[0] = a[1];
	TAKE(32); // 200 from aligned_leaf < wide < main
}

#if defined(__x86_64__)
#define AVX      __attribute__((target("avx")))
#define HAVE_AVX __builtin_cpu_supports("avx")
#else
#define AVX
#define HAVE_AVX 1
#endif
FRAME AVX static void wide(void)
{
	typedef double v4 __attribute__((vector_size(32)));
	volatile v4 v = {1, 2, 3, 4};

	v = v + v;
	aligned_leaf();
	v = v * v;
}

FRAME static void innermost(void)
{
	TAKE(33); // 400 from innermost < large < main; 200 from innermost < huge < large < main; 200 from innermost < huge < main
}

FRAME static void huge(void)
{
	volatile char a[70000];

	a[69999] = 1;
	innermost();
	a[0] = a[1];
}

FRAME static void large(int both)
{
	volatile char a[32768 + 8];

	a[32768] = 1;
	if (both)
		huge();
	innermost();
	a[0] = a[1];
}

FRAME static void variable(int n)
{
	char a[n];

	memset(a, n, (size_t)n);
	for (int i = 0; i < 4; i++) {
		volatile char *p = alloca((size_t)(n * (i + 1)) % 333 + 1);

		p[0] = 1;
		TAKE(34); // 800 from variable < main
	}
	keep(a);
}

/* A stale return address of the smaller frame lies inside the larger one. */
FRAME static void breathing(int n)
{
	{
		volatile char *p = alloca(n & 1 ? 16 : 4096);

		memset((void *)p, 0x41, 16);
		TAKE(35); // 200 from breathing < main
	}
innermost_of_breathing:
	TAKE(36); // 200 from breathing < main
	if (n < 0)
		goto innermost_of_breathing;
}

FRAME static int many_registers(int a, int b, int c, int d, int e, int f)
{
	int g = a * b, h = b * c, i = c * d, j = d * e, k = e * f, l = f * a;

	TAKE(37);                 // 200 from many_registers < main
	TAKE(38);                 // 200 from many_registers < main
	free(keep(calloc(1, 5))); // 200 from many_registers < main
	return a + b + c + d + e + f + g * h + i * j + k * l;
}

/* rbp is whatever it likes, also an address of the stack. */
FRAME static void rbp_is_data(unsigned long n)
{
	unsigned long here[4] = {n, n, n, n};

#if defined(__OPTIMIZE__) && defined(__x86_64__)
	__asm__ volatile("mov %0, %%rbp"
			 :
			 : "r"(n & 1 ? n : (unsigned long)(here + (n & 2)))
			 : "rbp", "memory");
#endif
	keep(here);
	TAKE(39); // 200 from rbp_is_data < main
	STAY;
}

int main(void)
{
	for (volatile int i = 0; i < 200; i++) {
		aligned(1);
		if (HAVE_AVX)
			wide();
		else
			aligned_leaf();
		large(0);
		large(1);
		huge();
		variable(i + 1);
		breathing(i);
		CHECK(many_registers(i, 1, 2, 3, 4, 5) == i + 15 + i * 2 + 72 + 20 * 5 * i);
		rbp_is_data((unsigned long)i * 0x1234567);
	}
	return 0;
}
