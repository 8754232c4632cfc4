/*
 * unwind.c - choosing the method; bringing the plain ones' result into the trail.
 */
#include "preload/unwind_cpu.h"

static _Atomic uint32_t by_libunwind;
static _Atomic uint32_t checking;

void hl_unwind_init(void)
{
	int method = hl_guest.config.unwind;

	if ((method != HL_UNWIND_LIBUNWIND && method != HL_UNWIND_CHECK) || hl_unwind_libunwind_init() < 0)
		return;
	atomic_store_explicit(method == HL_UNWIND_CHECK ? &checking : &by_libunwind, 1, memory_order_release);
}

/* Index of the program's newest frame among n, newest first; n: not there. */
static uint32_t newest(const uint64_t *pcs, uint32_t n, uint64_t caller)
{
	uint32_t skip = 0;

	/* operator new may stand between two frames of ours, and a signal handler's frames lie above those
	 * of a hook that it interrupted: only the caller tells where the program begins. */
	for (uint32_t i = 0; i < n && i < HL_FRAMES_EXTRA; i++)
		if (HL_PC(pcs[i]) == caller)
			return i;
	/* A hook that was called by another of ours. */
	while (skip < n && hl_pc_is_ours(HL_PC(pcs[skip])))
		skip++;
	return skip;
}

/* n frames in s->pcs, newest first, as fresh ones, without what an incremental walk would need. */
static void adopt(struct hl_stream *s, uint32_t n, uint64_t caller, struct hl_unwound *u)
{
	uint32_t depth = hl_guest.config.depth, skip = newest(s->pcs, n, caller);

	n -= skip;
	if (n == 0) {
		s->pcs[skip] = caller;
		n = 1;
	}
	u->node = HL_STACK_NONE;
	u->truncated = n > depth && depth > 1;
	u->kept = 0;
	u->n = n < depth ? n : depth;
	for (uint32_t i = 0; i < u->n; i++)
		s->fresh[i] = (struct hl_frame){.pc = s->pcs[skip + i], .fp_slot = HL_FRAME_OPAQUE};
}

/* Compare with libunwind; a difference is counted, the capture stays. */
static void check(struct hl_stream *s, const struct hl_unwound *u)
{
	uint32_t depth = hl_guest.config.depth, have = u->kept + u->n, n, skip, same = 0;

	n = hl_unwind_libunwind(s, hl_guest.config.room + HL_FRAMES_EXTRA);
	skip = newest(s->pcs, n, HL_PC(u->n ? s->fresh[0].pc : s->trail.frames[u->kept - 1].pc));
	n -= skip;
	if (u->truncated && n > depth)
		n = depth;
	while (same < have && same < n &&
	       HL_PC(same < u->n ? s->fresh[same].pc : s->trail.frames[have - 1 - same].pc) ==
		       s->pcs[skip + same])
		same++;
	if (same < have || same < n)
		hl_lost(HL_LOST_CHECK, 1);
}

static void walk_plainly(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint64_t caller,
			 struct hl_unwound *u)
{
	uint32_t n = hl_unwind_walk(t, s, at, hl_guest.config.depth + 1);

	if (HL_UNLIKELY(!n))
		n = hl_unwind_cfi_all(t, s, hl_guest.config.depth + HL_FRAMES_EXTRA);
	adopt(s, n, caller, u);
}

/* libunwind allocates at a thread's first use of it: a nested capture may be one of its own, and takes cfi. */
void hl_unwind(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint64_t caller,
	       struct hl_unwound *u)
{
	const struct hl_config *c = &hl_guest.config;
	enum hl_unwind_result r = HL_UNWIND_DEEP;

	if (HL_LIKELY((c->unwind == HL_UNWIND_CFI) & (c->room != 1) & (at.frame != 0))) {
		r = hl_unwind_cfi(t, s, at, u);
		if (HL_LIKELY(r == HL_UNWIND_DONE))
			return;
	} else if (!at.frame || c->room == 1 || c->unwind == HL_UNWIND_NONE) {
		adopt(s, 0, caller, u);
		return;
	} else if (atomic_load_explicit(&by_libunwind, memory_order_acquire) && t->level == 1) {
		adopt(s, hl_unwind_libunwind(s, c->depth + HL_FRAMES_EXTRA), caller, u);
		return;
	} else if (c->unwind != HL_UNWIND_WALK) {
		r = hl_unwind_cfi(t, s, at, u);
	}
	if (r == HL_UNWIND_DEEP)
		walk_plainly(t, s, at, caller, u);
	else if (r == HL_UNWIND_RETRY)
		adopt(s, hl_unwind_cfi_all(t, s, c->depth + HL_FRAMES_EXTRA), caller, u);
	if (HL_UNLIKELY(atomic_load_explicit(&checking, memory_order_relaxed)) && t->level == 1)
		check(s, u);
}

void hl_unwind_flush(void)
{
	hl_rules_flush();
}

void hl_unwind_forked(void)
{
	hl_rules_abandon(0);
	atomic_store_explicit(&by_libunwind, 0, memory_order_release);
	atomic_store_explicit(&checking, 0, memory_order_release);
}
