/*
 * pool.h - items of one size, named by a 32-bit index from 1.  Floor: base.  Not thread-safe.
 *
 * An index stays valid until it is given back; a pointer only until the next hl_pool_take.
 */
#ifndef HL_BASE_POOL_H
#define HL_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct hl_pool {
	char *items;
	size_t size, cap;
	uint32_t len;  /* indices below len were given out at some time */
	uint32_t free; /* first of the given back, linked through their first 4 bytes; 0: none */
};

/* size: of an item, at least 4. */
void hl_pool_init(struct hl_pool *p, size_t size);
void hl_pool_release(struct hl_pool *p);
void hl_pool_grow(struct hl_pool *p);

static inline void *hl_pool_at(const struct hl_pool *p, uint32_t i)
{
	return p->items + (size_t)i * p->size;
}

/* An index whose item is not initialised. */
static inline uint32_t hl_pool_take(struct hl_pool *p)
{
	uint32_t i = p->free;

	if (i) {
		p->free = *(uint32_t *)hl_pool_at(p, i);
		return i;
	}
	if (p->len >= p->cap)
		hl_pool_grow(p);
	return p->len++;
}

/* The first 4 bytes of the item are overwritten, the others kept. */
static inline void hl_pool_give(struct hl_pool *p, uint32_t i)
{
	*(uint32_t *)hl_pool_at(p, i) = p->free;
	p->free = i;
}

#endif
