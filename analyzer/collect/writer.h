/*
 * writer.h - one trace file being written: header, chunk blocks, index, trailer.  Floor: collect.
 * Owner: one thread.  The file is created 0600, O_EXCL | O_NOFOLLOW | O_CLOEXEC.
 */
#ifndef HL_COLLECT_WRITER_H
#define HL_COLLECT_WRITER_H

#include "analyzer/base/diag.h"
#include "heapledger/format.h"
#include "heapledger/tracefile.h"
#include <stddef.h>

struct hl_writer;

/* The writer fills in magic, versions, size and checksum of h.  force: an existing regular file that is ours is removed first.  Errors: HL_ERR_IO. */
int hl_writer_open(struct hl_writer **out, const char *path, const struct hl_file_header *h, int force,
		   struct hl_diag *d);

/* What a chunk's compression may cost: as much as is worth it; about 0.4 of that; 0.2; nothing. */
enum hl_hurry { HL_HURRY_NONE, HL_HURRY_SOME, HL_HURRY_MUCH, HL_HURRY_ASIDE };

struct hl_chunk {
	uint32_t stream, claim, offset, bytes, facts, tid;
	uint64_t base_stamp;
	const uint8_t *data;
	enum hl_hurry hurry;
};
/* Append; raw bytes <= HL_SLOT_ROOM.  In columns, or as zstd what these refuse and what is in a hurry; stored
 * raw when that is not smaller.
 * After an error (disk full) the file is cut back to its last whole block and every further add fails
 * at once with the same diag; what was refused is counted. */
int hl_writer_add(struct hl_writer *w, const struct hl_chunk *c, struct hl_diag *d);
/* The clock's rate is known better now than when the file was opened. */
void hl_writer_set_rate(struct hl_writer *w, uint64_t ticks_per_s);
/* Index, trailer, close.  Returns the first error of the life of the file.  Frees w. */
int hl_writer_finish(struct hl_writer *w, struct hl_diag *d);
uint64_t hl_writer_bytes(const struct hl_writer *w);
uint64_t hl_writer_refused(const struct hl_writer *w); /* raw bytes that could not be written */

#endif
