/*
 * buf.h - growing arrays: bytes, and items of one size.  Floor: base.  Not thread-safe.
 */
#ifndef HL_BASE_BUF_H
#define HL_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty.  data is NULL while cap is 0. */
struct hl_buf {
	uint8_t *data;
	size_t len, cap;
};

/* Room for n more bytes after len; the caller adds to len what it used. */
uint8_t *hl_buf_reserve(struct hl_buf *b, size_t n);
void hl_buf_append(struct hl_buf *b, const void *p, size_t n);
/* The bytes as a string: a NUL is kept after them, outside len. */
char *hl_buf_string(struct hl_buf *b);
void hl_buf_release(struct hl_buf *b);

/* items (of `size` bytes, *cap of them) with room for `need`; grows by half at least. */
void *hl_grow(void *items, size_t *cap, size_t need, size_t size);

#endif
