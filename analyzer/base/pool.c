/*
 * pool.c - items of one size by index.  Floor: base.
 */
#include "analyzer/base/pool.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>

void hl_pool_init(struct hl_pool *p, size_t size)
{
	*p = (struct hl_pool){.size = size, .len = 1};
}

void hl_pool_release(struct hl_pool *p)
{
	free(p->items);
	*p = (struct hl_pool){0};
}

void hl_pool_grow(struct hl_pool *p)
{
	/* len would wrap: ask for what cannot be had, which ends the program in one place */
	size_t need = p->len == UINT32_MAX ? SIZE_MAX / p->size : (size_t)p->len + 1;

	p->items = hl_grow(p->items, &p->cap, need, p->size);
}
