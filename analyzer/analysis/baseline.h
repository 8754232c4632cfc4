/*
 * baseline.h - the losses of an earlier run, to tell new ones from known ones.  Floor: analysis.  Not thread-safe.
 * Opens nothing: callers give texts.
 *
 * A loss is known again by its kind and the chain of functions that allocated it: without lines, addresses and
 * paths, so that it outlives edits and moves.  Where no function is known the module's base name stands for it, once
 * for a run of such frames; what a compiler appended to a function's name (".constprop.0", "[clone .isra.0]") is cut.
 *
 * A key file, text:
 *   heapledger baseline 1
 *   HASH KIND BYTES BLOCKS CHAIN         one line a key, sorted by hash and kind
 * HASH: 16 hexadecimal digits, FNV-1a (64 bits) of the names, each followed by a newline.  KIND: definite, indirect,
 * possible, reachable.  CHAIN: for people, the newest function first, " < " between; control bytes and
 * backslashes as \xHH; ends in " < ..." when older frames were not recorded or did not fit.  It
 * identifies nothing.  Blank lines and those that begin with `#` are passed by, never written.  When a merge left a key twice, the
 * larger numbers count.
 * Source: FNV-1a as in RFC 9923.
 */
#ifndef HL_ANALYSIS_BASELINE_H
#define HL_ANALYSIS_BASELINE_H

#include "analyzer/analysis/leak_kind.h"
#include "analyzer/analysis/names.h"
#include "analyzer/base/diag.h"

struct hl_baseline_entry {
	uint64_t hash, bytes, blocks;
	enum hl_leak_kind kind;
	char *chain;
	int gone; /* hl_baseline_mark_fixed */
};

/* Start with zeroes. */
struct hl_baseline {
	struct hl_baseline_entry *entry;
	size_t n, room;
	struct hl_idset keys;
};

/* Same order as hl_loss_state. */
enum hl_baseline_state { HL_BASELINE_NEW, HL_BASELINE_GROWN, HL_BASELINE_KNOWN };

uint64_t hl_baseline_hash(const struct hl_names *names, uint32_t traceback);

/* Add a loss: what has its key is summed. */
void hl_baseline_add(struct hl_baseline *b, enum hl_leak_kind kind, uint32_t traceback, uint64_t bytes,
		     uint64_t blocks, const struct hl_names *names);
/* Add the n bytes of a key file.  HL_ERR_FORMAT: text has FILE:LINE, nothing was added. */
int hl_baseline_parse(struct hl_baseline *b, const char *text, size_t n, const char *file, struct hl_diag *d);
/* Append a key file to out; sorts the entries.  Equal losses give equal bytes. */
void hl_baseline_write(struct hl_baseline *b, struct hl_buf *out);
void hl_baseline_release(struct hl_baseline *b);

/* NULL: there is none. */
const struct hl_baseline_entry *hl_baseline_find(const struct hl_baseline *b, enum hl_leak_kind kind,
						 uint64_t hash);
/* What became of a key: now (all losses of this run) against was.  Grown: more bytes or more blocks.  *old: its entry
 * in was, NULL when it is new. */
enum hl_baseline_state hl_baseline_compare(const struct hl_baseline *was, const struct hl_baseline *now,
					   enum hl_leak_kind kind, uint64_t hash,
					   const struct hl_baseline_entry **old);
/* Set `gone` of the entries of was that now does not have.  kinds: bit per kind that this run looked for, others
 * are not gone.  How many. */
size_t hl_baseline_mark_fixed(struct hl_baseline *was, const struct hl_baseline *now, unsigned kinds);

#endif
