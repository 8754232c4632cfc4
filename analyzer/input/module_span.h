/*
 * module_span.h - which modules were ever mapped at an address: an interval tree.  Floor: input.
 */
#ifndef HL_INPUT_MODULE_SPAN_H
#define HL_INPUT_MODULE_SPAN_H

#include "analyzer/input/facts.h"

/* Sorted by start; the middle of a range is the root of the tree over it. */
struct hl_module_span {
	uint64_t start, end;
	uint64_t max_end; /* over the tree below it */
	uint32_t module;  /* index into the modules */
};

/* malloc'd, n of them; NULL for none. */
struct hl_module_span *hl_module_spans(const struct hl_module *modules, uint32_t n);

#endif
