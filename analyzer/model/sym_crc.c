/*
 * sym_crc.c - CRC-32, four bytes a step: debug files are hundreds of megabytes.
 *
 * The tables (4 KiB) are made anew for each file; that is nothing beside reading it, and needs no state.
 * Floor: model.
 */
#include "analyzer/model/sym_crc.h"
#include "analyzer/base/diag.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLYNOMIAL 0xedb88320u
#define BUFFER     (256u * 1024)

static void make_tables(uint32_t t[4][256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? POLYNOMIAL : 0);
		t[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 4; k++)
			t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255];
}

static uint32_t update(uint32_t t[4][256], uint32_t c, const uint8_t *p, size_t n)
{
	for (; n >= 4; p += 4, n -= 4) {
		uint32_t w;

		memcpy(&w, p, 4); /* little endian, as format.h asserts */
		c ^= w;
		c = t[3][c & 255] ^ t[2][c >> 8 & 255] ^ t[1][c >> 16 & 255] ^ t[0][c >> 24];
	}
	for (; n; p++, n--)
		c = c >> 8 ^ t[0][(c ^ *p) & 255];
	return c;
}

int hl_crc32_fd(int fd, uint32_t *crc)
{
	uint8_t *buffer = hl_xmalloc(BUFFER);
	uint32_t tables[4][256], c = ~0u;
	off_t at = 0;
	ssize_t n;

	make_tables(tables);
	for (;;) {
		n = pread(fd, buffer, BUFFER, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		c = update(tables, c, buffer, (size_t)n);
		at += n;
	}
	free(buffer);
	*crc = ~c;
	return n < 0 ? -1 : 0;
}
