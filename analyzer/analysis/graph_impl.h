/*
 * graph_impl.h - what the parts of the graph share; nobody else includes it.  Floor: analysis.
 *
 * Invariants after sort: spans ascend by address, at equal addresses outer blocks first; the blocks inside a
 * block are the ids right after it, without gaps.  After solve: the links of block b, in order of their slots, are
 * links[row[b]] to links[row[b + 1]]; so those of a block and all inside it are without gaps, too.
 */
#ifndef HL_ANALYSIS_GRAPH_IMPL_H
#define HL_ANALYSIS_GRAPH_IMPL_H

#include "analyzer/analysis/graph.h"
#include "analyzer/analysis/graph_csr.h"
#include "analyzer/analysis/graph_heuristic.h"
#include "analyzer/analysis/graph_index.h"
#include <stdlib.h>

/* A target: id << 2 | enum hl_point. */
struct hl_link {
	uint32_t target;
	uint32_t at; /* slot / 8 - address / 8; from HL_LINK_FAR on: HL_LINK_FAR + its place in far */
};
#define HL_LINK_FAR 0xf0000000u

/* A word whose target is looked up a little later, when the memory for that has arrived. */
struct hl_word {
	uint64_t slot, value;
	int64_t before8, before24;
	uint32_t source, begun;
};
#define HL_WORDS_WAITING 16

struct hl_root {
	uint32_t target;
	uint32_t root;
};

struct hl_graph {
	unsigned heuristics;
	int too_many_blocks, too_many_links;
	uint32_t n;
	struct hl_block_in *in; /* until sorted */
	size_t nin, in_room;
	struct hl_graph_span *spans;
	uint32_t *users;
	uint32_t *around; /* NULL: no block is inside another; else the block around each, or HL_GRAPH_NONE */
	struct hl_index index;
	struct hl_heuristics explain;

	struct hl_word words[HL_WORDS_WAITING]; /* a ring */
	size_t nwords; /* that ever came; the last HL_WORDS_WAITING are in the ring */
	struct hl_link *links;
	uint32_t *sources; /* of the links, until solved */
	size_t nlinks, links_room, sources_room;
	int unordered; /* sources do not ascend */
	uint32_t last; /* the last block that starts at or before the last word */
	uint64_t *far; /* slots further than HL_LINK_FAR inside their blocks */
	size_t nfar, far_room;
	struct hl_root *roots;
	size_t nroots, roots_room;
	size_t nfollowed; /* of the roots, by the last solve */

	uint32_t *row;      /* n + 1 */
	uint8_t *kinds;     /* enum hl_leak_kind */
	uint32_t *group_of; /* NULL: everything is reached */
	struct hl_graph_group *groups;
	size_t ngroups, groups_room;
	uint32_t *via;        /* scratch of searches, all HL_GRAPH_NONE between them; NULL until the first */
	uint32_t *dominators; /* NULL until hl_graph_retain */
	uint64_t *retained;
};

static inline uint64_t hl_graph_span_bytes(const struct hl_graph_span *s)
{
	return s->size ? s->size : 1;
}

static inline uint32_t hl_graph_around(const struct hl_graph *g, uint32_t b)
{
	return g->around ? g->around[b] : HL_GRAPH_NONE;
}

static inline int hl_graph_reached(const struct hl_graph *g, uint32_t b)
{
	return g->kinds[b] >= HL_LEAK_POSSIBLE;
}

/* The first id after b that is not inside b; after solve, for an unreached b: its place ends there. */
uint32_t hl_graph_end(const struct hl_graph *g, uint32_t b);
/* The outermost unreached block around an unreached one, or itself: its place. */
uint32_t hl_graph_place(const struct hl_graph *g, uint32_t b);
/* Where a link is; b: its block. */
uint64_t hl_graph_slot(const struct hl_graph *g, uint32_t b, const struct hl_link *l);

/* The steps of solve: */
void hl_graph_make_rows(struct hl_graph *g);
void hl_graph_mark(struct hl_graph *g); /* from the roots that are not followed yet */
void hl_graph_make_groups(struct hl_graph *g);

#endif
