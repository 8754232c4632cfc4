/*
 * graph.h - blocks and the pointers between them: what a program still reaches, what it lost, what holds
 * the rest.  Numbers only, no trace.  Floor: analysis.  Not thread-safe, queries neither.
 *
 * Order of calls: new; add_block (any order), add_vtables; sort; add_word (fast when slots ascend),
 * add_root, keep; solve; then the queries; keep and solve again as often as liked.  Block ids are 0..n-1 by address; no
 * call recurses.
 *
 * Where a word points.  A value points into a block when start <= value < start + size: one past the end is
 * no pointer into it.  A block of size 0 acts as one byte, so its start points at it.  Of blocks around one
 * another the innermost is meant: the one that starts last, of equal starts the smallest, of equal sizes the
 * one added last (a pool's object that fills the whole of the pool's block).  A block counts as inside every
 * earlier one that holds its first byte, and inside what that is inside of, even when it ends after it, which only
 * a damaged trace can say.
 * A word belongs to the innermost block that holds all 8 bytes of it.
 *
 * Kinds.  A pointer is strong when it points at a start or a heuristic explains it, else weak.
 *   reachable  a chain of strong pointers from a root leads to it;
 *   possible   only chains with a weak pointer somewhere do, be it the first or the last;
 *   definite   no chain at all, and it is a head (below);
 *   indirect   no chain at all, and the rest.
 * A block around a reached one is reached by as much: the memory is one.  Not the other way round: a pool's
 * object that nothing points at is lost while its pool is not.  An unreached block takes everything inside
 * it along: it and what is inside count as one place below, pointers to any of them as pointers to it, and
 * those among them say nothing.  Between unreached blocks a weak pointer holds as well as a strong one.
 * Source: valgrind's manual, Memcheck, 4.2.8: these are its nine cases, 3 definite, 4 and 9 indirect, 5 to 8
 * possible.  Other than there, all blocks of a head that is a cycle are definite, not one of them, and
 * a lost cycle that something lost leads to never is a head; memcheck takes it for one when its address is lower.
 *
 * Groups.  Unreached places are condensed into strongly connected components; one that no other points
 * to is a head.  Each head is a group, in order of the lowest address in it; every other unreached block is
 * indirect in the first group, in this order, whose head leads to it.  A head is a cycle when it has several
 * places, or one whose block points at its own start; a block's pointer to its own middle is no cycle,
 * because short std::strings and empty list heads have one.
 *
 * Bytes are sums of the sizes of blocks as they were added: bytes of a block inside another are in both.
 *
 * Memory: 16 bytes a block, 4 for user, 4 for its row, 1 for its kind, 4 more where blocks are inside others and
 * 4 where blocks are unreached; 1 to 5 for the index of addresses; 8 bytes a pointer, 4 more until solved.
 * hl_graph_retain keeps 12 bytes a block, and needs 8 a pointer and 28 a block while it works.
 */
#ifndef HL_ANALYSIS_GRAPH_H
#define HL_ANALYSIS_GRAPH_H

#include "analyzer/analysis/leak_kind.h"
#include "analyzer/base/diag.h"
#include <stddef.h>
#include <stdint.h>

#define HL_GRAPH_NONE       UINT32_MAX
#define HL_GRAPH_MAX_BLOCKS (1u << 30) /* a pointer's target and how it points share 32 bits */

struct hl_graph;

/* Each may explain a pointer that is not to the start.  b: the block's start, size: its size. */
enum hl_heuristic {
	HL_HEURISTIC_STDSTRING = 1,          /* to b+24; the word at b is a length, length + 25 <= size */
	HL_HEURISTIC_LENGTH64 = 2,           /* to b+8; the word at b is size - 8 */
	HL_HEURISTIC_NEWARRAY = 4,           /* to b+8; the word at b is n > 0, n divides size - 8 */
	HL_HEURISTIC_MULTIPLEINHERITANCE = 8 /* to a word that points to vtables, and so does the one at b */
};
#define HL_HEURISTICS_ALL 15u

enum hl_point {
	HL_POINT_START,
	HL_POINT_EXPLAINED, /* not to the start, but a heuristic explains it */
	HL_POINT_INTERIOR,
	HL_POINT_AROUND /* in paths only, no pointer: the next block is around this one */
};

/* heuristics: a sum of enum hl_heuristic. */
struct hl_graph *hl_graph_new(unsigned heuristics);
void hl_graph_free(struct hl_graph *g);

/* user: whatever the caller likes to know it by.  A size beyond the end of the address space is cut. */
void hl_graph_add_block(struct hl_graph *g, uint64_t address, uint64_t size, uint32_t user);
/* Memory [start, end) that holds vtables: values in it are what HL_HEURISTIC_MULTIPLEINHERITANCE looks for.
 * Before sort. */
void hl_graph_add_vtables(struct hl_graph *g, uint64_t start, uint64_t end);
/* HL_ERR_FORMAT: more than HL_GRAPH_MAX_BLOCKS. */
int hl_graph_sort(struct hl_graph *g, struct hl_diag *d);

/* The innermost block that address points into, HL_GRAPH_NONE: none. */
uint32_t hl_graph_find(struct hl_graph *g, uint64_t address);

/* The word at slot, a multiple of 8, each slot once.  before8, before24: the words at value - 8 and
 * value - 24, -1: not known.  The block that slot belongs to, HL_GRAPH_NONE: none, and nothing was noted; the
 * caller may know the word for a root. */
uint32_t hl_graph_add_word(struct hl_graph *g, uint64_t slot, uint64_t value, int64_t before8,
			   int64_t before24);
/* A word outside all blocks that keeps what it points to.  root: for paths.  The block it points into. */
uint32_t hl_graph_add_root(struct hl_graph *g, uint64_t value, uint32_t root, int64_t before8,
			   int64_t before24);
/* A block that is kept whether or not anything points to it.  After solve: nothing changes until it is solved again. */
void hl_graph_keep(struct hl_graph *g, uint32_t block, uint32_t root);

/* Kinds and groups.  The second time only what was kept since is followed, groups are made anew and hl_graph_retain has
 * to be called again; arrays given out before are gone.  HL_ERR_FORMAT: more than 2^32 - 2 pointers or 2^31 - 2 roots, or more than 2^28 pointers
 * further than 30 GiB inside their blocks. */
int hl_graph_solve(struct hl_graph *g, struct hl_diag *d);

struct hl_graph_block {
	uint64_t address, size;
	uint32_t user;
	uint32_t around; /* the block it is inside of, HL_GRAPH_NONE */
	uint32_t group;  /* HL_GRAPH_NONE for what is reached, and before solve */
	enum hl_leak_kind kind;
};
uint32_t hl_graph_nblocks(const struct hl_graph *g);
struct hl_graph_block hl_graph_block(const struct hl_graph *g, uint32_t block);

struct hl_graph_group {
	uint32_t head;  /* the definite block with the lowest address */
	uint32_t heads; /* definite blocks; more than one only in a cycle */
	int cycle;
	uint64_t bytes; /* of the definite ones */
	uint64_t indirect_bytes;
	uint32_t indirect_blocks;
};
/* *n of them, g's until it is freed. */
const struct hl_graph_group *hl_graph_groups(const struct hl_graph *g, size_t *n);

/* The pointer at block + offset leads to the next step's block: `how` is of that pointer.  Offset and how
 * mean nothing in the last step of a path and with HL_POINT_AROUND. */
struct hl_graph_step {
	uint32_t block;
	enum hl_point how;
	uint64_t offset;
};
/* A shortest ring of pointers through the group's head, from it round to it again: *n steps, the last
 * step's pointer leads to the first block.  A pointer that is in a block inside a step's block is given by its
 * offset from the latter.  Of equally short rings always the same.  NULL: no cycle.  The caller frees
 * it.  Time: as many steps as there are pointers in the head's blocks; the first query also takes 4 bytes a block. */
struct hl_graph_step *hl_graph_ring(struct hl_graph *g, uint32_t group, size_t *n);

struct hl_graph_path {
	uint32_t root; /* as in add_root or keep */
	enum hl_point how;
	struct hl_graph_step *step; /* from the block that the root points to, to the block asked for */
	size_t nsteps;
};
/* A shortest path from a root to block, strong pointers only when it is reachable; where several are
 * equally short, of the root added first and then by the lower addresses.  0: nothing reaches it, *path is as
 * before.  The caller frees path->step.  Time: up to that of solve. */
int hl_graph_path(struct hl_graph *g, uint32_t block, struct hl_graph_path *path);

/* The pointers in a block and those to it, in order of address; a referrer's root is HL_GRAPH_NONE unless it
 * is no block but a root, which come first.  Referrers take a look at every pointer there is. */
struct hl_graph_referrer {
	uint32_t root, block; /* one of them, the other is HL_GRAPH_NONE */
	uint64_t offset;      /* in the block */
	enum hl_point how;
};
void hl_graph_referrers(const struct hl_graph *g, uint32_t block,
			void (*one)(void *ctx, const struct hl_graph_referrer *r), void *ctx);
struct hl_graph_referent {
	uint32_t block;
	uint64_t offset; /* of the pointer in the block asked for */
	enum hl_point how;
};
void hl_graph_referents(const struct hl_graph *g, uint32_t block,
			void (*one)(void *ctx, const struct hl_graph_referent *r), void *ctx);

/* Compute who holds whom, over reachable and possible blocks and all pointers, weak ones too: a block
 * dominates another when every chain from the roots to it passes by it, so that nothing would reach it any more
 * if the block and its pointers went.  After solve; nothing the second time.  HL_ERR_FORMAT: more
 * than 2^31 - 1 pointers from what is reached, roots and, thrice each, reached blocks together. */
int hl_graph_retain(struct hl_graph *g, struct hl_diag *d);
/* Bytes of the block and of all it dominates; 0 for unreached blocks. */
uint64_t hl_graph_retained(const struct hl_graph *g, uint32_t block);
/* The same for classes of blocks, such as those of one line: bytes[c], set for each of nclasses, are those of the
 * blocks of class c and of all that any one of them dominates, each block once.  What only several of them
 * together hold is not in it.  class_of: of each block, HL_GRAPH_NONE: in none. */
void hl_graph_retained_by(const struct hl_graph *g, const uint32_t *class_of, uint32_t nclasses,
			  uint64_t *bytes);
/* The nearest block that dominates it; HL_GRAPH_NONE: the roots only, or unreached. */
uint32_t hl_graph_dominator(const struct hl_graph *g, uint32_t block);

#endif
