/*
 * stacktab.h - every distinct stack frame once: (caller's node, pc, module epoch) to a node id.
 * Floor 2.  Lock-free; any thread, also in signal handlers.  Grows by 64 Ki nodes at a time.
 */
#ifndef HL_PRELOAD_STACKTAB_H
#define HL_PRELOAD_STACKTAB_H

#include <stdint.h>

/* Write the record of a new node, before any other thread can see the id: 1, or 0 when it could not be
 * written; then the node does not come to be. */
typedef int hl_node_emit(void *ctx, uint32_t id, uint32_t parent, uint64_t pc, uint32_t flags,
			 uint32_t epoch);

/* Reserve the table. 0, or -errno. */
int hl_stacktab_init(void);
/* The node's id, HL_STACK_NONE when it is new and could not be made.
 *   pc  below 2^56; flags  enum hl_node_flags, below 8. */
uint32_t hl_stacktab_intern(uint32_t parent, uint64_t pc, uint32_t flags, uint32_t epoch, hl_node_emit *emit,
			    void *ctx);

#endif
