/*
 * source.h - one file that holds records: its header, its index of chunks, its bytes.
 * Floor: input.  One thread.
 *
 * Two kinds: a trace file (source_trace.c) and a region file (source_region.c).  Reads by pread, never
 * by mapping: the file may be cut by somebody else while we read.
 */
#ifndef HL_INPUT_SOURCE_H
#define HL_INPUT_SOURCE_H

#include "analyzer/input/trace.h"
#include "heapledger/tracefile.h"
#include <sys/types.h>

/* Committed bytes of one claim that lie together. */
struct hl_piece {
	uint64_t position; /* in the file: of the block header; of the data in a region file */
	uint64_t base_stamp;
	uint32_t stream, claim;
	uint32_t offset; /* of its first byte within the claim */
	uint32_t facts;  /* 0: holds none */
	uint32_t tid;
	uint16_t bytes; /* at most HL_SLOT_ROOM */
	uint8_t bad;    /* damage was found and counted */
};

/* The pieces of one stream: [first, first + count). */
struct hl_stream {
	uint32_t stream, first, count;
};

struct hl_source {
	char *path;
	int fd;
	dev_t device;
	ino_t inode;
	uint64_t file_bytes; /* at open; what came later is not read */
	int bare;
	struct hl_file_header header;
	struct hl_piece *pieces; /* sorted by stream, claim, offset; without gaps within a claim */
	size_t npieces, pieces_cap;
	struct hl_stream *streams; /* sorted by stream */
	size_t nstreams;
	uint64_t lost[HL_LOST_KINDS];  /* region file: from the image table */
	struct hl_trace_health health; /* of this file alone; chunks, raw_bytes of the kept pieces */
};

/* Open and index.  HL_ERR_IO, HL_ERR_FORMAT as of hl_trace_open. */
int hl_source_open(struct hl_source **out, const char *path, struct hl_diag *d);
void hl_source_close(struct hl_source *s);

/* What reading needs beside the file; one per reader. */
struct hl_loader {
	void *zstd;
	struct hl_unpacker *unpacker; /* from the first block on that needs it */
	uint8_t *block;
};
void hl_loader_init(struct hl_loader *l);
void hl_loader_release(struct hl_loader *l);
/* The records of piece i to out, pieces[i].bytes of them.  1, or 0: damaged, told to the health. */
int hl_source_load(struct hl_source *s, struct hl_loader *l, size_t i, uint8_t *out);
/* The same, but without the events where leaving them out saves work; *bytes: how many there are. */
int hl_source_load_facts(struct hl_source *s, struct hl_loader *l, size_t i, uint8_t *out, size_t *bytes);

/* Damage at piece i, or at a position of the file; counted once per piece. */
void hl_source_bad_piece(struct hl_source *s, size_t i, const char *what);
void hl_source_bad_block(struct hl_source *s, uint64_t position, const char *what);
/* The first problem is the one that is kept. */
void hl_source_problem(struct hl_source *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- for the two kinds ---- */

/* Read up to n bytes; how many, less only at the end of the file; -1: errno. */
ssize_t hl_source_read(const struct hl_source *s, void *buf, size_t n, uint64_t position);
/* The next position at or after this one that is no hole; file_bytes: none. */
uint64_t hl_source_data(const struct hl_source *s, uint64_t position);
void hl_source_add(struct hl_source *s, const struct hl_piece *p);
int hl_source_index_trace(struct hl_source *s, struct hl_diag *d);
int hl_source_index_region(struct hl_source *s, struct hl_diag *d);
/* facts NULL: all records; else how many bytes of them are at out, which may be without the events. */
int hl_source_load_block(struct hl_source *s, struct hl_loader *l, const struct hl_piece *p, uint8_t *out,
			 size_t *facts, const char **what);

#endif
