/*
 * buf.c - growing arrays.  Floor: base.
 */
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

void *hl_grow(void *items, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap + *cap / 2, bytes;

	if (need <= *cap)
		return items;
	if (n < need)
		n = need;
	if (n < 8)
		n = 8;
	/* cannot be had: let the allocation fail instead of wrapping */
	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	items = hl_xrealloc(items, bytes);
	*cap = n;
	return items;
}

uint8_t *hl_buf_reserve(struct hl_buf *b, size_t n)
{
	b->data = hl_grow(b->data, &b->cap, b->len + n, 1);
	return b->data + b->len;
}

void hl_buf_append(struct hl_buf *b, const void *p, size_t n)
{
	if (n) {
		memcpy(hl_buf_reserve(b, n), p, n);
		b->len += n;
	}
}

char *hl_buf_string(struct hl_buf *b)
{
	*hl_buf_reserve(b, 1) = 0;
	return (char *)b->data;
}

void hl_buf_release(struct hl_buf *b)
{
	free(b->data);
	*b = (struct hl_buf){0};
}
