/*
 * packer.h - what columns_take.c and columns_pack.c share.  Floor: base.
 */
#ifndef HL_BASE_PACKER_H
#define HL_BASE_PACKER_H

#include "analyzer/base/columns.h"
#include "analyzer/base/model.h"
#include <zstd.h>

/* Every record puts at most 10 bytes, or its own, into any column. */
#define HL_COLUMN_ROOM (10 * HL_MODEL_EVENTS + HL_SLOT_ROOM)

struct hl_packer {
	struct hl_model model;
	ZSTD_CCtx *zstd;
	uint8_t *at[HL_COLUMNS];
	uint8_t column[HL_COLUMNS][HL_COLUMN_ROOM];
};

/* The records [at, end) to the columns, which are empty, from the model's start.  0: refused. */
int hl_packer_take(struct hl_packer *p, const uint8_t *at, const uint8_t *end);

#endif
