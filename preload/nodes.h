/*
 * nodes.h - every distinct stack prefix is a node, every pc in one a site; their ids and their records.
 * Floor 3.
 *
 * A prefix is known by the hash of all its frames, outermost first: one look-up finds a whole stack, however
 * deep.  What is not known gets its records in the caller's stream before its id can be seen by others.
 */
#ifndef HL_PRELOAD_NODES_H
#define HL_PRELOAD_NODES_H

#include "preload/unwind.h"

/* 0, or -errno. */
int hl_nodes_init(void);
/* In a forked child (tid 0), or after a thread left our code by a jump: it makes no table and enters no
 * module any more. */
void hl_nodes_abandon(uint32_t tid);

enum hl_interned { HL_INTERNED, HL_INTERN_FAILED, HL_INTERN_MOVED };

/* The node of frames f[0] to f[n - 1], outermost first, n at least 1, their hashes made; each one's node is right or
 * HL_STACK_NONE.  FAILED: a record found no slot, the nodes of f are not right any more.  MOVED: another
 * module lies where one lay, the epoch was raised: capture again. */
enum hl_interned hl_nodes_intern(struct hl_thread *t, struct hl_stream *s, struct hl_frame *f, uint32_t n,
				 uint32_t epoch, uint32_t *node);

#endif
