/*
 * graph_index.h - which is the last block that starts at or before an address?  Floor: analysis.
 *
 * Millions of look-ups of addresses all over the heap: a binary search over all starts would miss the
 * cache some ten times each.  So the address space is cut into chunks of 64 KiB, found by a hash map; a chunk
 * with many starts has a table with a bit for each 16 bytes and the number of the first block for
 * each KiB, and the look-up is a count of bits.  That is 16 bytes a KiB of heap, a table that caches hold
 * most of.  Blocks that do not start at a multiple of 16, or share a start, are searched within their KiB.
 *
 * Memory is bounded by the blocks, not by the addresses: a chunk with fewer than 16 starts has no
 * table, and one with none is remembered only when it was asked for, as long as there are not too many.
 */
#ifndef HL_ANALYSIS_GRAPH_INDEX_H
#define HL_ANALYSIS_GRAPH_INDEX_H

#include "analyzer/base/map.h"

struct hl_graph_span {
	uint64_t address, size;
};

struct hl_index_kib {
	uint64_t starts; /* bit i: a block starts at i * 16 */
	uint32_t first;  /* of the blocks at or after this KiB */
	uint32_t odd;    /* 0, or the number of blocks, when the bits do not tell */
};

struct hl_index_chunk {
	uint32_t first, n; /* of the blocks at or after its start; how many are in it */
	uint32_t table;    /* of its first KiB, UINT32_MAX: none */
};

struct hl_index {
	const struct hl_graph_span *spans; /* sorted by address; not owned */
	uint32_t n;
	struct hl_map map; /* address >> 16 to chunk + 1 */
	struct hl_index_chunk *chunks;
	struct hl_index_kib *kibs;
	size_t nchunks, chunks_room, nkibs, kibs_room, max_chunks;
};

void hl_index_init(struct hl_index *x, const struct hl_graph_span *spans, uint32_t n);
void hl_index_release(struct hl_index *x);
/* The answer for an address in a chunk that is not known: no block starts there. */
uint32_t hl_index_miss(struct hl_index *x, uint64_t address);
/* The last of the blocks first..first+n that starts at or before address; first - 1: none of them. */
uint32_t hl_index_search(const struct hl_index *x, uint32_t first, uint32_t n, uint64_t address);

/* The first half of a look-up, which need not wait for memory: what hl_index_find_in shall be given later. */
static inline uint32_t hl_index_begin(const struct hl_index *x, uint64_t address)
{
	uint32_t c = hl_map_get(&x->map, address >> 16);

	if (c && x->chunks[c - 1].table != UINT32_MAX)
		__builtin_prefetch(&x->kibs[x->chunks[c - 1].table + (address >> 10 & 63)]);
	return c;
}

/* The last block in order that starts at or before address; UINT32_MAX: none.  *starts is set to 1 when
 * it is certain that it starts there, so that its span need not be looked at; else it is left alone. */
static inline uint32_t hl_index_find_in(struct hl_index *x, uint32_t begun, uint64_t address, int *starts)
{
	const struct hl_index_chunk *chunk;
	const struct hl_index_kib *kib;
	uint64_t to_here;

	if (!begun)
		return hl_index_miss(x, address);
	chunk = &x->chunks[begun - 1];
	if (chunk->table == UINT32_MAX)
		return hl_index_search(x, chunk->first, chunk->n, address);
	kib = &x->kibs[chunk->table + (address >> 10 & 63)];
	if (kib->odd)
		return hl_index_search(x, kib->first, kib->odd, address);
	/* the last of these bits, the uppermost, is the address's own */
	to_here = kib->starts << (63 - (address >> 4 & 63));
	if (to_here >> 63 && (address & 15) == 0)
		*starts = 1;
	/* none of them: the one before the first; before block 0 that wraps to none */
	return kib->first + (uint32_t)__builtin_popcountll(to_here) - 1;
}

static inline uint32_t hl_index_find(struct hl_index *x, uint64_t address)
{
	int starts;

	return hl_index_find_in(x, hl_index_begin(x, address), address, &starts);
}

#endif
