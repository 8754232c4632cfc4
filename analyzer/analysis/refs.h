/*
 * refs.h - who points at a block, what it points at, and how a root leads to it.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_REFS_H
#define HL_ANALYSIS_REFS_H

#include "analyzer/analysis/call.h"
#include "analyzer/analysis/heapgraph.h"

/* One end of a pointer: a root, or a area in a block. */
struct hl_ref {
	/* What the root is: "app!g_cache+0x18", "stack of thread 12", "register of thread 12", "mapped memory
	 * 0x7f0010000008"; NULL: it is a block. */
	const char *root;
	uint64_t address, size; /* of the block */
	uint32_t traceback;     /* of its allocation, 0: not recorded */
	uint64_t offset;        /* in the block: of the pointer */
	enum hl_point how;      /* the pointer points; of a step of a path: the one that leads on */
};

struct hl_refs {
	const struct hl_names *names;
	const char *trace; /* as given */
	uint64_t asked;    /* the address that was asked about, in the block */
	uint64_t address, size, retained;
	enum hl_leak_kind kind;
	struct hl_call allocated;
	struct hl_ref *path; /* a root, blocks, at last the block itself; none: nothing leads to it */
	size_t npath;
	struct hl_ref *from, *to; /* pointers at the block and in it, in order of address, roots first */
	size_t nfrom, from_room, nto, to_room;
};

/* names of calls keep the texts.  symbols: made with `variables`.  HL_ERR_NOTFOUND: no block lives at that address. */
int hl_refs_find(struct hl_refs *r, struct hl_heapgraph *h, const struct hl_calls *calls,
		 struct hl_symbols *symbols, uint64_t address, struct hl_diag *d);
void hl_refs_release(struct hl_refs *r);

#endif
