/*
 * trace.h - a trace opened for reading: a finished or cut trace file, or a region file written
 * by bare LD_PRELOAD.  Floor: input.
 *
 * Distrusts every byte: lengths, counts and indices are checked here and in decode.c, once.
 * Memory: the index (40 bytes a chunk), the facts, and one decoded chunk per active stream.
 * A trace may still be growing; what is there at open is what is read.
 */
#ifndef HL_INPUT_TRACE_H
#define HL_INPUT_TRACE_H

#include "analyzer/input/facts.h"
#include "heapledger/tracefile.h"

struct hl_trace;

/* Health of the file, for `info` and for the warning on every report. */
struct hl_trace_health {
	int finished; /* its index and trailer are there (trace file only) */
	int bare;     /* a region file */
	uint64_t file_bytes;
	uint64_t disk_bytes;        /* what it takes; a region file is mostly holes */
	uint64_t chunks, raw_bytes; /* of records */
	uint64_t bad_blocks;        /* failed their CRC or their decoding, skipped */
	uint64_t bad_offset;        /* file offset of the first of them */
	uint64_t cut_offset;        /* file offset where reading had to stop, 0: none */
	uint64_t missing_claims;    /* gaps in the numbering of a stream's claims */
	uint64_t unverified_bytes;  /* in open slots of a region file: no CRC */
	uint64_t unknown_facts;     /* records of kinds this reader does not know, skipped */
	char first_problem[256];    /* one line, "" none */
};

/* Open and load facts.  A file forked from another opens that one too (its facts, and the
 * inherited prefix of its events); when it is not found that is told in health.first_problem
 * and inherited blocks are unknown.
 * HL_ERR_IO missing or unreadable, HL_ERR_FORMAT empty, foreign, newer version, or nothing valid
 * in it; d->text is one line with path and offset. */
int hl_trace_open(struct hl_trace **out, const char *path, struct hl_diag *d);
void hl_trace_close(struct hl_trace *t);

const char *hl_trace_path(const struct hl_trace *t);
const struct hl_facts *hl_trace_facts(const struct hl_trace *t);
const struct hl_trace_health *hl_trace_health(const struct hl_trace *t);
const struct hl_file_header *hl_trace_header(const struct hl_trace *t); /* for a region file: made up */
/* Seconds between two stamps. */
double hl_trace_seconds(const struct hl_trace *t, uint64_t from, uint64_t to);

/* ---- events in stamp order ---- */

enum hl_event_type {
	HL_EV_ALLOC,
	HL_EV_FREE,
	HL_EV_RELEASE, /* realloc begins on address */
	HL_EV_REALLOC, /* ... ended: address, size, stack of the new block; old_address the released one */
	HL_EV_RESTORE, /* ... failed, the block at address is as it was */
	HL_EV_DROP,    /* ... freed the block at address */
	HL_EV_MAP_RANGE,
	HL_EV_FREE_RANGE,
	HL_EV_MARK
};

struct hl_event {
	uint64_t stamp;
	uint64_t address;
	uint64_t size;
	uint64_t old_address; /* REALLOC; the released block was `address` for RELEASE, RESTORE, DROP */
	uint32_t stack;       /* node id; of what ends a block: where that was called, 0 when not recorded */
	uint32_t thread;      /* serial */
	uint32_t stream;
	uint8_t type, entry, domain;
	uint8_t inherited; /* 1: from the prefix inherited through fork */
	uint8_t temporary; /* FREE, DROP: it was said to be temporary; means something only in a sample */
	/* MARK: */
	uint8_t mark;      /* enum hl_mark */
	const char *label; /* valid until the next call */
};

struct hl_merge;
/* Start reading all events of t from the beginning, sorted by (stamp, stream); within a stream the
 * recorded order is kept.  Several merges of one trace may be open. */
struct hl_merge *hl_merge_new(struct hl_trace *t);
/* 1: *e filled; 0: the end.  Damage met on the way is skipped and counted in the health. */
int hl_merge_next(struct hl_merge *m, struct hl_event *e);
void hl_merge_free(struct hl_merge *m);

#endif
