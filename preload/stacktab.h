/*
 * stacktab.h - every distinct stack prefix once: a chain hash over its frames to a node id.  Floor 2.
 * Lock-free; any thread, also in signal handlers.  Grows by 64 Ki nodes at a time.
 *
 * A prefix is identified by the 64-bit hash of all its frames, outermost first, and by the low half of its
 * newest pc: one look-up finds a whole stack, however deep.  Two prefixes would have to agree in 96 bits to be
 * taken for one: among ten million of them, once in 10^15 programs.
 */
#ifndef HL_PRELOAD_STACKTAB_H
#define HL_PRELOAD_STACKTAB_H

#include <stdint.h>

/* Write the record of a new node, before any other thread can see the id: 1, or 0 when it could not be
 * written; then the node does not come to be. */
typedef int hl_node_emit(void *ctx, uint32_t id, uint32_t parent, uint64_t frame, uint32_t epoch);

/* Reserve the table. 0, or -errno. */
int hl_stacktab_init(void);

/* The hash of no frames at all. */
static inline uint64_t hl_stack_seed(uint32_t epoch)
{
	return 0x243f6a8885a308d3ull + epoch * 0xd6e8feb86659fd93ull;
}

/* The hash of a prefix and one more frame (pc | flags << 56). */
static inline uint64_t hl_stack_hash(uint64_t h, uint64_t frame)
{
	h = (h ^ frame) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* The node of a prefix with that hash and newest frame; HL_STACK_NONE: unknown. */
uint32_t hl_stacktab_find(uint64_t hash, uint64_t frame);
/* The same, made when it is unknown; HL_STACK_NONE when it could not be. parent: node of the prefix
 * without the frame. */
uint32_t hl_stacktab_add(uint64_t hash, uint32_t parent, uint64_t frame, uint32_t epoch, hl_node_emit *emit,
			 void *ctx);

#endif
