/*
 * snapfile.h - an extracted snapshot (.hls): a heap that needs no trace, no binaries and no debug
 * information any more; tracemalloc's dump and load.  Floor: analysis: bytes in memory only.
 *
 * Format: the 8 bytes of HL_SNAPFILE_MAGIC, then one zstd frame with content size and checksum, of one
 * JSON object, all numbers non-negative integers but `seconds`:
 *   "schema"     1, of a sample 2; a reader refuses a larger one
 *   "provenance" {"version", "trace", "uuid", "image", "pid", "exe", "cmdline", "complete": 0|1}
 *   "snapshot"   {"at": "end"|"peak"|"mark", "number", "label", "seconds"}
 *   "totals"     {"size", "count", "peak", "total", "allocations", "frees", "temporary", "lost"}
 *   "strings"    [string...]; bytes that are not UTF-8 are written as \xNN
 *   "frames"     [[file, line, function, module, kind]...]: indices of strings; enum hl_name_kind
 *   "tracebacks" [[older, frame, truncated]...]: index + 1 of the traceback of the older frames, below
 *                its own, 0: none; index of the newest frame; 0 or 1
 *   "threads"    [[name, tid]...]: index of a string
 *   "sites"      [[traceback, thread, kind, size, count, total, allocations, temporary]...]: index + 1
 *                of a traceback, index of a thread, enum hl_kind
 * Of a sample there is more, and its numbers are not integers only:
 *   "sample"     {"bytes", "recorded", "errors": {"size", "count", "peak", "total", "allocations",
 *                "temporary"}}: of one in so many bytes, blocks that were recorded, the standard errors of
 *                the members of "totals"
 *   "sites"      their numbers are in units of 2^-8 bytes and 2^-16 blocks (model/sample.h), and behind
 *                them are the variances of size, count, total, allocations, temporary, in bytes and blocks
 * Unknown members are ignored, further elements of the inner arrays too.  Numbers above 2^63 - 1 are
 * written as that.
 */
#ifndef HL_ANALYSIS_SNAPFILE_H
#define HL_ANALYSIS_SNAPFILE_H

#include "analyzer/analysis/heap.h"

#define HL_SNAPFILE_MAGIC       "HLSNAP1\n"
#define HL_SNAPFILE_MAGIC_BYTES 8
#define HL_SNAPFILE_BYTES_MAX   (1ull << 30) /* of its JSON: more is refused */

/* Where a heap comes from.  Strings are never NULL once filled in. */
struct hl_provenance {
	char *version, *trace, *exe, *cmdline;
	char *at, *label; /* as hl_snapshot_ref */
	char uuid[33];    /* hex */
	uint32_t image, pid;
	uint64_t number;
	double seconds;
	int complete; /* 1: sites without live blocks are in it too */
	struct hl_totals totals;
};
void hl_provenance_release(struct hl_provenance *p);

/* The bytes of a file, malloc'd.  Sites without live blocks are left out unless p->complete. */
int hl_snapfile_write(const struct hl_provenance *p, const struct hl_heap *h, uint8_t **bytes, size_t *n,
		      struct hl_diag *d);
/* The reverse: into heap (initialised over hl_stacks of ready tracebacks, empty).  name: of the file, for
 * messages.  HL_ERR_FORMAT; nothing in the bytes is believed. */
int hl_snapfile_read(const uint8_t *bytes, size_t n, const char *name, struct hl_provenance *p,
		     struct hl_heap *h, struct hl_diag *d);
int hl_snapfile_is(const uint8_t *bytes, size_t n);

#endif
