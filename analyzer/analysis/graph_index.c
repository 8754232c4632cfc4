/*
 * graph_index.c - chunks of 64 KiB, tables of a bit for 16 bytes.  Floor: analysis.
 */
#include "analyzer/analysis/graph_index.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>

#define FEW_STARTS 16

/* The table of the chunk whose blocks are first..first+n. */
static void fill_table(struct hl_index *x, uint32_t first, uint32_t n)
{
	struct hl_index_kib *kib;
	uint32_t b = first;

	x->kibs = hl_grow(x->kibs, &x->kibs_room, x->nkibs + 64, sizeof(*x->kibs));
	kib = x->kibs + x->nkibs;
	x->nkibs += 64;
	for (unsigned k = 0; k < 64; k++) {
		uint64_t bits = 0;
		uint32_t odd = 0, from = b;

		for (; b < first + n && (x->spans[b].address >> 10 & 63) == k; b++) {
			uint64_t bit = 1ull << (x->spans[b].address >> 4 & 63);

			odd |= (bits & bit) != 0 || (x->spans[b].address & 15) != 0;
			bits |= bit;
		}
		kib[k] = (struct hl_index_kib){bits, from, odd ? b - from : 0};
	}
}

static void add_chunk(struct hl_index *x, uint64_t address, uint32_t first, uint32_t n)
{
	struct hl_index_chunk c = {first, n, UINT32_MAX};

	/* 2^30 blocks are at most 2^26 chunks with a table, so its index fits */
	if (n >= FEW_STARTS) {
		c.table = (uint32_t)x->nkibs;
		fill_table(x, first, n);
	}
	x->chunks = hl_grow(x->chunks, &x->chunks_room, x->nchunks + 1, sizeof(*x->chunks));
	x->chunks[x->nchunks++] = c;
	hl_map_put(&x->map, address >> 16, (uint32_t)x->nchunks);
}

void hl_index_init(struct hl_index *x, const struct hl_graph_span *spans, uint32_t n)
{
	uint32_t i = 0;

	*x = (struct hl_index){.spans = spans, .n = n};
	hl_map_init(&x->map);
	while (i < n) {
		uint32_t first = i;

		while (i < n && spans[i].address >> 16 == spans[first].address >> 16)
			i++;
		add_chunk(x, spans[first].address, first, i - first);
	}
	x->max_chunks = x->nchunks + n / 8 + 4096;
}

void hl_index_release(struct hl_index *x)
{
	if (x->map.entries)
		hl_map_release(&x->map);
	free(x->chunks);
	free(x->kibs);
	*x = (struct hl_index){0};
}

uint32_t hl_index_search(const struct hl_index *x, uint32_t first, uint32_t n, uint64_t address)
{
	const struct hl_graph_span *s = x->spans + first;

	/* invariant: those before s start at or before address, those from s + n on after it */
	while (n) {
		uint32_t half = n / 2;

		if (s[half].address <= address) {
			s += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return (uint32_t)(s - x->spans) - 1;
}

/* Values in the same vtables and large blocks come again and again, so the answer is kept. */
uint32_t hl_index_miss(struct hl_index *x, uint64_t address)
{
	/* it may have been kept since the look-up began */
	uint32_t c = hl_map_get(&x->map, address >> 16), b;

	if (c)
		return x->chunks[c - 1].first - 1;
	b = hl_index_search(x, 0, x->n, address);
	if (x->nchunks < x->max_chunks)
		add_chunk(x, address, b + 1, 0);
	return b;
}
