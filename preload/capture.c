/*
 * capture.c - from the thread's stack to a node id.
 */
#include "preload/capture.h"
#include "preload/nodes.h"
#include "preload/unwind.h"

#define CUT ((uint64_t)HL_NODE_TRUNCATED << HL_PC_FLAG_SHIFT)

/* Only the newest frames are known: a chain of its own, under a node that says so. */
static enum hl_interned intern_truncated(struct hl_thread *t, struct hl_stream *s, uint32_t epoch,
					 uint32_t *node)
{
	uint32_t n = hl_guest.config.depth;

	s->fresh[0].pc = CUT;
	for (uint32_t k = 1; k <= n; k++)
		s->fresh[k].pc = s->pcs[n - k];
	return hl_nodes_intern(t, s, s->fresh, n + 1, 0, epoch, node);
}

uint32_t hl_capture(struct hl_thread *t, struct hl_stream *s, uint64_t caller)
{
	struct hl_trail *trail = &s->trail;
	uint32_t epoch, node = HL_STACK_NONE;
	enum hl_interned r;
	struct hl_unwound u;

	do {
		epoch = atomic_load_explicit(&hl_guest.epoch, memory_order_acquire);
		/* Another epoch: a module went, and code at the same addresses may be another's. */
		if (HL_UNLIKELY(trail->epoch != epoch)) {
			trail->n = 0;
			trail->epoch = epoch;
		}
		hl_unwind(t, s, t->frame[t->level - 1], caller, &u);
		r = HL_UNLIKELY(u.truncated)
			    ? intern_truncated(t, s, epoch, &node)
			    : hl_nodes_intern(t, s, trail->frames, trail->n, u.kept, epoch, &node);
	} while (HL_UNLIKELY(r == HL_INTERN_MOVED));
	if (HL_UNLIKELY(r == HL_INTERN_FAILED)) {
		trail->n = 0;
		hl_lost(HL_LOST_STACK, 1);
		return HL_STACK_NONE;
	}
	return node;
}
