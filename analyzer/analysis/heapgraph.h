/*
 * heapgraph.h - the blocks that live at a pointer image, and all that points to them.  Floor: analysis.
 *
 * Blocks of the domains HEAP and POOL are the graph's; mapped memory is a area (areas.h).  Kept whatever points to
 * them: blocks that the loader asked for (dynamic TLS, its own tables: found by ways that are not always pointers), and
 * those of which the program said so (told.h).
 */
#ifndef HL_ANALYSIS_HEAPGRAPH_H
#define HL_ANALYSIS_HEAPGRAPH_H

#include "analyzer/analysis/graph.h"
#include "analyzer/analysis/areas.h"
#include "analyzer/analysis/told.h"
#include "analyzer/model/replay.h"

/* What is known of a block beside its memory; hl_graph_block.user is its index. */
struct hl_owner {
	uint64_t stamp;         /* of its allocation */
	uint32_t stack, thread; /* node id, serial */
	uint8_t entry, domain, inherited;
};

/* Why something is kept: a word outside the blocks, or a block for its own sake. */
struct hl_root {
	const struct hl_area *area; /* NULL: blocks that are kept */
	union {
		uint64_t slot;   /* of the word; 0: a register */
		const char *why; /* blocks are kept: "the dynamic loader"; constant */
	};
};

struct hl_heapgraph {
	struct hl_graph *graph;
	struct hl_areas areas;
	struct hl_area *registers; /* one a thread of the image */
	struct hl_area told;       /* what the program registered as a root, wherever it lies */
	struct hl_owner *owner;
	size_t nowners, owners_room;
	struct hl_root *root; /* by the root ids of the graph */
	size_t nroots, roots_room;
	struct hl_replay_counts counts;
};

/* Load and solve.  image and t must outlive it.  heuristics: see graph.h.  sink, if not NULL, is told all that happened
 * until the image.  Errors as of hl_replay_live and of reading the image. */
int hl_heapgraph_load(struct hl_heapgraph *h, struct hl_trace *t, const struct hl_image_at *image,
		      unsigned heuristics, const struct hl_sink *sink, void *ctx, struct hl_diag *d);
/* Keep n blocks (ids of the graph) whatever points to them, and solve again.  why: as in hl_root.  Errors as of
 * hl_graph_solve. */
int hl_heapgraph_keep(struct hl_heapgraph *h, const uint32_t *block, size_t n, const char *why,
		      struct hl_diag *d);
void hl_heapgraph_release(struct hl_heapgraph *h);

#endif
