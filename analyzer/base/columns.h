/*
 * columns.h - the records of a claim taken apart into columns, and put together again: HL_CODEC_COLUMNS.
 * Floor: base.  One thread per object.
 *
 * A general compressor sees bytes of many meanings in turn and finds little to share between them.  Here
 * fields of one meaning stand together, and what the model guesses leaves nothing at all in its column.
 *
 * Payload: HL_COLUMNS times (uv raw bytes, uv stored bytes), then what is stored of each.  A column is a
 * zstd frame, or as it is when stored bytes = raw bytes.  Raw bytes of all are at most twice those of the
 * claim.
 *
 * Columns, in this order:
 *   OP     a byte for each record: its class in bits 0-1, then
 *          ALLOC: hl_alloc_how * HL_SITE_HOWS + hl_site_how; FREE: hl_free_how << 1 | by operator delete;
 *          EVENT, FACT: as in the tag.  EVENT with op 0 before a record: its stamp does not do what
 *          the model expects.  RELEASE, and FREE of the domain HEAP: a byte hl_free_how follows.
 *   STAMP  uv (delta - 1) of the stamps that advance
 *   AGE    of OLD addresses and sites: n below 192, else 192 + the high byte of n - 192
 *   LOW    the low byte for each of those from 192 on; the index of each HIT
 *   FAR    uv (zigzag(d / 16) << 1), or uv (zigzag(d) << 1 | 1) for a d that is no multiple of 16
 *   STACK  uv zigzag(stack_entry - that of the last alloc); NEW_SIZE: the entry
 *   SIZE   uv
 *   CHAIN  sites of CHAIN records
 *   REST   everything else as in the record; of a CHAIN uv id, uv up, uv (number of sites << 1 | its length
 *          takes two bytes and needs one), of another fact its length first
 *
 * What is packed is only what this describes to the bit: the first piece of a claim, every varint in its
 * shortest form, every hit taken, no record of an unknown kind.  So packing is refused or loses nothing,
 * and a claim that is refused is stored by another codec.
 */
#ifndef HL_BASE_COLUMNS_H
#define HL_BASE_COLUMNS_H

#include "heapledger/format.h"
#include "heapledger/tracefile.h"
#include <stddef.h>

enum hl_column {
	HL_COLUMN_OP,
	HL_COLUMN_STAMP,
	HL_COLUMN_AGE,
	HL_COLUMN_LOW,
	HL_COLUMN_FAR,
	HL_COLUMN_STACK,
	HL_COLUMN_SIZE,
	HL_COLUMN_CHAIN,
	HL_COLUMN_REST,
	HL_COLUMNS
};

/* Fields of an EVENT record that are plain uv, by op; of MARK those before its string's bytes; of RELEASE
 * and of what is no op: HL_FIELDS_NONE. */
#define HL_FIELDS_NONE 255u
unsigned hl_columns_fields(unsigned op);

struct hl_packer;
struct hl_packer *hl_packer_new(void);
void hl_packer_free(struct hl_packer *p);
/* The n bytes (at most HL_SLOT_ROOM) of a claim's beginning to out; how many, at most room; 0: refused,
 * or it does not fit. */
size_t hl_packer_pack(struct hl_packer *p, const uint8_t *records, size_t n, uint8_t *out, size_t room);

struct hl_unpacker;
struct hl_unpacker *hl_unpacker_new(void);
void hl_unpacker_free(struct hl_unpacker *u);
/* Any n bytes to the `bytes` (at most HL_SLOT_ROOM) at records.  1, or 0: they are damaged. */
int hl_unpacker_unpack(struct hl_unpacker *u, const uint8_t *packed, size_t n, uint8_t *records,
		       size_t bytes);
/* Only the claim's FACT records, one after the other, for a sixth of the work.  1: *got bytes of them, at most
 * `bytes`; 0: damaged. */
int hl_unpacker_facts(struct hl_unpacker *u, const uint8_t *packed, size_t n, uint8_t *records, size_t bytes,
		      size_t *got);

#endif
