/*
 * capture.c - from the thread's stack to a node id.
 */
#include "preload/capture.h"
#include "preload/nodes.h"
#include "preload/twig.h"

#define CUT ((uint64_t)HL_NODE_TRUNCATED << HL_PC_FLAG_SHIFT)

/* Only the newest frames are known: a chain of its own, under a node that says so. */
static enum hl_interned intern_truncated(struct hl_thread *t, struct hl_stream *s, uint32_t n, uint32_t epoch,
					 uint32_t *node)
{
	struct hl_frame *f = s->fresh;
	uint64_t h = hl_stack_seed(epoch);

	f[n].pc = CUT;
	for (uint32_t i = 0, k = n; i < k; i++, k--) {
		uint64_t pc = f[i].pc;

		f[i].pc = f[k].pc;
		f[k].pc = pc;
	}
	for (uint32_t k = 0; k <= n; k++) {
		f[k].hash = h = hl_stack_hash(h, f[k].pc);
		f[k].node = HL_STACK_NONE;
	}
	return hl_nodes_intern(t, s, f, n + 1, epoch, node);
}

static enum hl_interned intern(struct hl_thread *t, struct hl_stream *s, const struct hl_unwound *u,
			       uint32_t epoch, uint32_t *node)
{
	struct hl_trail *trail = &s->trail;

	if (HL_UNLIKELY(u->truncated))
		return intern_truncated(t, s, u->n, epoch, node);
	hl_trail_follow(s, u, u->kept ? trail->frames[u->kept - 1].hash : hl_stack_seed(epoch));

	/* not trail->n: a child that a handler forked meanwhile has forgotten its trail */
	enum hl_interned r = hl_nodes_intern(t, s, trail->frames, u->kept + u->n, epoch, node);

	if (HL_LIKELY(r == HL_INTERNED) && s->twig_score > 0)
		hl_twig_keep(s, u, *node);
	return r;
}

/* depth 1: who called is the whole stack. */
static enum hl_interned intern_caller(struct hl_thread *t, struct hl_stream *s, uint64_t caller,
				      uint32_t epoch, uint32_t *node)
{
	s->fresh[0].pc = caller;
	s->fresh[0].hash = hl_stack_hash(hl_stack_seed(epoch), caller);
	s->fresh[0].node = HL_STACK_NONE;
	return hl_nodes_intern(t, s, s->fresh, 1, epoch, node);
}

/* Most stacks are those of a moment ago. */
static inline uint32_t again(const struct hl_thread *t, const struct hl_stream *s)
{
	const struct hl_trail *trail = &s->trail;
	struct hl_anchor at = t->at[t->level - 1];

	/* the sp of no trail is nobody's, see hl_trail_init */
	const struct hl_frame *top = &trail->frames[(int64_t)trail->n - 1];

	if (top->sp != hl_anchor_sp(at) || !at.frame || top->pc != hl_anchor_ra(at) ||
	    hl_guest.config.unwind != HL_UNWIND_CFI ||
	    trail->epoch != atomic_load_explicit(&hl_guest.epoch, memory_order_acquire))
		return HL_STACK_NONE;
	return hl_trail_again(t, trail, top, hl_anchor_fp(at));
}

uint32_t hl_capture(struct hl_thread *t, struct hl_stream *s, uint64_t caller)
{
	uint32_t epoch, node = again(t, s);
	enum hl_interned r;
	struct hl_unwound u;

	if (node != HL_STACK_NONE)
		return node;
	do {
		epoch = atomic_load_explicit(&hl_guest.epoch, memory_order_acquire);
		/* Another epoch: a module went, and code at the same addresses may be another's. */
		if (HL_UNLIKELY(s->trail.epoch != epoch)) {
			s->trail.n = 0;
			s->trail.epoch = epoch;
			for (uint32_t i = 0; i < 1u << (64 - s->near.shift); i++)
				s->near.rules[i] = 0;
			hl_twig_flush(s);
		}
		if (HL_UNLIKELY(hl_guest.config.room == 1)) {
			r = intern_caller(t, s, caller, epoch, &node);
			continue;
		}
		hl_unwind(t, s, t->at[t->level - 1], caller, &u);
		if (u.node != HL_STACK_NONE)
			return u.node;
		r = intern(t, s, &u, epoch, &node);
	} while (HL_UNLIKELY(r == HL_INTERN_MOVED));
	if (HL_UNLIKELY(r == HL_INTERN_FAILED)) {
		s->trail.n = 0;
		hl_lost(HL_LOST_STACK, 1);
		return HL_STACK_NONE;
	}
	return node;
}
