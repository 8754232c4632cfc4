/* An allocator that may be left by longjmp at any instruction and never gives an address out twice. */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define POOL (1ul << 30)

static _Alignas(16) char pool[POOL];
static _Atomic size_t used;

void *malloc(size_t n)
{
	size_t at = atomic_fetch_add(&used, ((n + 15) & ~15ul) + 16);

	if (n > POOL || at + n + 16 > POOL)
		return NULL;
	*(size_t *)(void *)(pool + at) = n;
	return pool + at + 16;
}

void free(void *p)
{
	(void)p;
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : malloc(bytes);
}

void *realloc(void *p, size_t n)
{
	size_t old = p ? ((size_t *)p)[-2] : 0;
	char *q = malloc(n);

	if (q && old)
		memcpy(q, p, old < n ? old : n);
	return q;
}

/* Take and give until *ticks reaches enough; may be left by longjmp and called again.  The lines are of this file, so
 * nobody promised what becomes of a block whose malloc did not return. */
void bump_turns(const volatile int *ticks, int enough);
void bump_turns(const volatile int *ticks, int enough)
{
	static void *volatile ring[64];
	static volatile unsigned turn;

	while (*ticks < enough) {
		unsigned i = turn % 64;
		void *old = ring[i];

		/* A block whose malloc did not return is never freed, one whose free did not never again. */
		ring[i] = NULL;
		free(old);
		ring[i] = malloc(40 + turn % 7 * 16);
		turn++;
	}
}
