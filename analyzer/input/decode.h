/*
 * decode.h - the records of one stream, as format.h defines them, to events and to facts.
 * Floor: input.  No allocation, no file.
 *
 * A stream's chunks are given one after the other; a record never spans two of them.  Every length,
 * enum and index is checked here: what a decoder returns is trusted above, but for addresses, sizes
 * and stamps, which may have any value.
 */
#ifndef HL_INPUT_DECODE_H
#define HL_INPUT_DECODE_H

#include "analyzer/input/trace.h"

/* The events of one stream. */
struct hl_decoder {
	const uint8_t *at, *end;
	uint64_t stamp, address; /* previous ones */
	uint64_t released;       /* address of the open release */
	int open;                /* 1: a release is open */
	uint32_t call;           /* where the next end of a block was called, 0 unknown */
	uint32_t thread;         /* whose the events are now, when switched; else the stream's own thread's */
	int switched;
	uint32_t nnodes; /* stack ids from here on are named by the last node */
	uint64_t addresses[256];
	uint64_t sizes[256];
	uint32_t sites[256]; /* stack << 3 | entry */
};

/* nnodes: at least 1. */
void hl_decode_init(struct hl_decoder *d, uint32_t nnodes);
/* A new claim: forget the coding state.  follows: the claim before it was decoded to its end, so a
 * realloc that it left open goes on in this one. */
void hl_decode_claim(struct hl_decoder *d, uint64_t base_stamp, int follows);
/* The claim goes on with these n bytes, which must stay until they are decoded. */
void hl_decode_chunk(struct hl_decoder *d, const uint8_t *data, size_t n);
/* 1: *e has the next event: all but thread, stream, inherited, and label is not NUL-terminated: its
 * length is in size; 0: end of the chunk; -1: damaged, the claim cannot be decoded any further. */
int hl_decode_event(struct hl_decoder *d, struct hl_event *e);

/* The facts of one chunk.  Events are only measured, so a damaged one may go unnoticed. */
struct hl_fact_reader {
	const uint8_t *at, *end;
};

struct hl_fact_record {
	unsigned kind; /* enum hl_fact, or one of a later version */
	int must;
	const uint8_t *at, *end; /* payload */
};

/* 1: *f has the next fact; 0: end of the chunk; -1: damaged. */
int hl_decode_fact(struct hl_fact_reader *r, struct hl_fact_record *f);

/* Fields of a payload: 1 and advanced, or 0 when it is cut. */
int hl_fact_uv(struct hl_fact_record *f, uint64_t *v);
int hl_fact_u32(struct hl_fact_record *f, uint32_t *v); /* 0 also when it is larger */
int hl_fact_string(struct hl_fact_record *f, const uint8_t **s, size_t *n);

#endif
