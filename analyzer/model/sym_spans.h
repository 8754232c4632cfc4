/*
 * sym_spans.h - address ranges with a value each: which one holds this address?  Floor: model.
 *
 * Ranges come from untrusted files: they may overlap, nest or repeat.  Of several that hold an address
 * the one that begins last is found (of functions and units: the innermost).
 */
#ifndef HL_MODEL_SYM_SPANS_H
#define HL_MODEL_SYM_SPANS_H

#include <stddef.h>
#include <stdint.h>

struct hl_span {
	uint64_t low, high; /* [low, high) */
	uint64_t reach;     /* after sort: the greatest high of this one and all before it */
	uint64_t value;
};

struct hl_spans {
	struct hl_span *v;
	size_t n, room;
};

/* Ignored when empty or when there are too many already (a hostile file). */
void hl_spans_add(struct hl_spans *s, uint64_t low, uint64_t high, uint64_t value);
/* Once, after the last add and before the first find. */
void hl_spans_sort(struct hl_spans *s);
/* NULL: no range holds addr.  O(log n) when ranges overlap little. */
const struct hl_span *hl_spans_find(const struct hl_spans *s, uint64_t addr);
void hl_spans_release(struct hl_spans *s);

#endif
