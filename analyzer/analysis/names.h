/*
 * names.h - strings, frames and tracebacks as small ids: equal things have equal ids, so rows of two
 * traces that share one hl_names are compared by comparing numbers.  Floor: analysis.
 *
 * A traceback is its newest frame and the traceback of the older ones (0: none), a trie: memory is
 * proportional to distinct frames in distinct contexts, whatever the depth.
 * Ownership: hl_names copies strings; they live as long as it does.  Not thread-safe.
 */
#ifndef HL_ANALYSIS_NAMES_H
#define HL_ANALYSIS_NAMES_H

#include "analyzer/analysis/idset.h"

/* All four strings are ids.  function is a name, module a path; line 0: none is known. */
struct hl_name_frame {
	uint32_t file, line, function, module;
	uint8_t kind; /* enum hl_name_kind */
};

/* How much is known of a frame; file is then FILE, MODULE!FUNCTION, MODULE+0xOFF, <unknown>. */
enum hl_name_kind { HL_NAME_LINE, HL_NAME_FUNCTION, HL_NAME_OFFSET, HL_NAME_UNKNOWN };

struct hl_names;
struct hl_names *hl_names_new(void);
void hl_names_free(struct hl_names *n);

uint32_t hl_names_intern(struct hl_names *n, const char *s);
const char *hl_names_string(const struct hl_names *n, uint32_t id);
/* Order of two strings, by bytes: for UTF-8 that is by code points, as Python's. */
int hl_names_compare(const struct hl_names *n, uint32_t a, uint32_t b);

uint32_t hl_names_frame(struct hl_names *n, const struct hl_name_frame *f);
const struct hl_name_frame *hl_names_frame_at(const struct hl_names *n, uint32_t frame);
/* <unknown>:0 */
uint32_t hl_names_unknown_frame(struct hl_names *n);
uint32_t hl_names_nframes(const struct hl_names *n);

/* The traceback whose newest frame was called from `older` (0: it is the oldest).  Never 0.
 * An id is above the id of its older one. */
uint32_t hl_names_traceback(struct hl_names *n, uint32_t older, uint32_t frame);
uint32_t hl_names_newest(const struct hl_names *n, uint32_t traceback);
uint32_t hl_names_older(const struct hl_names *n, uint32_t traceback);
uint32_t hl_names_depth(const struct hl_names *n, uint32_t traceback);
uint32_t hl_names_ntracebacks(const struct hl_names *n); /* 0 included */
/* The recorder cut it: there were older frames. */
void hl_names_set_truncated(struct hl_names *n, uint32_t traceback);
int hl_names_truncated(const struct hl_names *n, uint32_t traceback);
/* The same by file and line only: frames that differ just in function or module (two instances of one
 * template) are one.  This is a traceback's identity in tracemalloc. */
uint32_t hl_names_canonical(struct hl_names *n, uint32_t traceback);
/* Order of two canonical tracebacks: (file, line) from the oldest frame on, as tracemalloc's. */
int hl_names_compare_tracebacks(const struct hl_names *n, uint32_t a, uint32_t b);

#endif
