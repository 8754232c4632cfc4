/*
 * unpacker.h - what columns_unpack.c and columns_facts.c share.  Floor: base.
 */
#ifndef HL_BASE_UNPACKER_H
#define HL_BASE_UNPACKER_H

#include "analyzer/base/columns.h"
#include "analyzer/base/model.h"
#include "analyzer/base/uv.h"
#include <zstd.h>

/* Of any record without the bytes that it only copies. */
#define HL_RECORD_ROOM 64u

struct hl_unpacker {
	struct hl_model model;
	ZSTD_DCtx *zstd;
	const uint8_t *at[HL_COLUMNS], *end[HL_COLUMNS];
	int flipped; /* the next stamp does not do what the model expects */
	uint8_t raw[2 * HL_SLOT_ROOM + 1];
	uint8_t records[HL_SLOT_ROOM + HL_RECORD_ROOM];
};

/* Each of these returns 0 when the column has no more. */

static inline int hl_unpacker_get(struct hl_unpacker *u, enum hl_column c, unsigned *byte)
{
	if (u->at[c] == u->end[c])
		return 0;
	*byte = *u->at[c]++;
	return 1;
}

static inline int hl_unpacker_get_uv(struct hl_unpacker *u, enum hl_column c, uint64_t *v)
{
	const uint8_t *p = hl_uv_get(u->at[c], u->end[c], v);

	if (!p)
		return 0;
	u->at[c] = p;
	return 1;
}

/* n bytes to out; the position behind them, or NULL when they do not fit before end. */
static inline uint8_t *hl_unpacker_copy(uint8_t *out, const uint8_t *end, const uint8_t *from, uint64_t n)
{
	if (out > end || n > (uint64_t)(end - out))
		return NULL;
	memcpy(out, from, n);
	return out + n;
}

/* The lengths at the front, and the wanted columns (bits, 1 << enum hl_column) decompressed; the others are empty.
 * bytes: of the records.  0: damaged. */
int hl_unpacker_open(struct hl_unpacker *u, const uint8_t *packed, size_t n, size_t bytes, unsigned wanted);
/* No column has more. */
int hl_unpacker_ended(const struct hl_unpacker *u);
/* Write a FACT record; the position behind it, or NULL: damaged.  end: of the claim's records; there is
 * HL_RECORD_ROOM behind it. */
uint8_t *hl_unpacker_fact(struct hl_unpacker *u, uint8_t *out, const uint8_t *end, unsigned tag);

#endif
