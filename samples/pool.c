/*
 * pool.c - a custom allocator that reports its blocks through the public API.
 *
 * A pool takes one 64 KiB chunk from malloc and hands out pieces of it; malloc's view is a
 * single block.  HEAPLEDGER_ALLOC and HEAPLEDGER_FREE tell the ledger about the pieces, so that the
 * lines that use the pool appear.  A snapshot named "full" is taken when the pool is fullest.
 */
#include <heapledger.h>
#include <stdio.h>
#include <stdlib.h>

struct pool {
	char *base;
	size_t used, room;
};

static int pool_open(struct pool *p, size_t room)
{
	p->base = malloc(room);
	p->used = 0;
	p->room = room;
	return p->base ? 0 : -1;
}

/* A macro, so that the call site is the line that asks. */
#define POOL_ALLOC(p, n) pool_report(pool_take((p), (n)), (n))
#define POOL_FREE(q)     HEAPLEDGER_FREE(q)
#define pool_report(q, n)                                                                                    \
	({                                                                                                   \
		void *block_ = (q);                                                                          \
		HEAPLEDGER_ALLOC(block_, (n));                                                               \
		block_;                                                                                      \
	})

static void *pool_take(struct pool *p, size_t n)
{
	size_t rounded = (n + 15) & ~(size_t)15;
	char *q = p->base + p->used;

	if (p->room - p->used < rounded)
		return NULL;
	p->used += rounded;
	return q;
}

int main(void)
{
	static struct pool pool;
	void *keep[10], *give[30];

	if (pool_open(&pool, 64 << 10) != 0)
		return 1;
	for (int i = 0; i < 10; i++)
		keep[i] = POOL_ALLOC(&pool, 100);
	for (int i = 0; i < 30; i++)
		give[i] = POOL_ALLOC(&pool, 40);
	HEAPLEDGER_SNAPSHOT("full");
	for (int i = 0; i < 30; i++)
		POOL_FREE(give[i]);
	for (int i = 0; i < 4; i++)
		POOL_FREE(keep[i]);
	printf("pool: %zu of %zu bytes handed out\n", pool.used, pool.room);
	return 0;
}
