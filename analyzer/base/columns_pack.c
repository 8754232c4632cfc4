/*
 * columns_pack.c - columns to what is stored of them.  Floor: base.
 */
#include "analyzer/base/diag.h"
#include "analyzer/base/packer.h"
#include <stdlib.h>
#include <string.h>

/* zstd needs more than this for its own tables */
#define PLAIN_BYTES 24
#define LEVEL       1

struct hl_packer *hl_packer_new(void)
{
	struct hl_packer *p = hl_xmalloc(sizeof(*p));

	p->zstd = ZSTD_createCCtx();
	/* the columns are short: smaller tables than the level's own save a fifth of the time, a thousandth of
	 * the gain */
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_windowLog, 15);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_hashLog, 11);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_minMatch, 5);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_contentSizeFlag, 0);
	return p;
}

void hl_packer_free(struct hl_packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	free(p);
}

/* Column c to out; how many bytes, at most room; SIZE_MAX: it does not fit. */
static size_t store(struct hl_packer *p, enum hl_column c, uint8_t *out, size_t room)
{
	size_t n = (size_t)(p->at[c] - p->column[c]), stored;

	if (n > PLAIN_BYTES) {
		stored = ZSTD_compress2(p->zstd, out, n - 1 < room ? n - 1 : room, p->column[c], n);
		if (!ZSTD_isError(stored))
			return stored;
	}
	if (n > room)
		return SIZE_MAX;
	memcpy(out, p->column[c], n);
	return n;
}

size_t hl_packer_pack(struct hl_packer *p, const uint8_t *records, size_t n, uint8_t *out, size_t room)
{
	/* what is before the columns: two numbers of at most three bytes for each */
	uint8_t lengths[HL_COLUMNS * 6], *length = lengths;
	size_t sum = 0, at = sizeof(lengths), stored;

	if (room < at || n > HL_SLOT_ROOM)
		return 0;
	hl_model_start(&p->model);
	for (unsigned c = 0; c < HL_COLUMNS; c++)
		p->at[c] = p->column[c];
	if (!hl_packer_take(p, records, records + n))
		return 0;
	for (unsigned c = 0; c < HL_COLUMNS; c++)
		sum += (size_t)(p->at[c] - p->column[c]);
	if (sum > 2 * n)
		return 0;
	for (unsigned c = 0; c < HL_COLUMNS; c++) {
		stored = store(p, c, out + at, room - at);
		if (stored == SIZE_MAX)
			return 0;
		length = hl_put_uv(length, (uint64_t)(p->at[c] - p->column[c]));
		length = hl_put_uv(length, stored);
		at += stored;
	}
	n = (size_t)(length - lengths);
	memcpy(out, lengths, n);
	memmove(out + n, out + sizeof(lengths), at - sizeof(lengths));
	return at - sizeof(lengths) + n;
}
