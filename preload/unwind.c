/*
 * unwind.c - choosing the method; bringing the plain ones' result into the trail.
 */
#include "preload/unwind.h"

static _Atomic uint32_t by_libunwind;
static _Atomic uint32_t checking;

void hl_unwind_init(void)
{
	int method = hl_guest.config.unwind;

	if ((method != HL_UNWIND_LIBUNWIND && method != HL_UNWIND_CHECK) || hl_unwind_libunwind_init() < 0)
		return;
	atomic_store_explicit(method == HL_UNWIND_CHECK ? &checking : &by_libunwind, 1, memory_order_release);
}

static int ours(uint64_t pc)
{
	return pc - hl_guest.text_start < hl_guest.text_end - hl_guest.text_start;
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
	while (skip < n && ours(HL_PC(pcs[skip])))
		skip++;
	return skip;
}

/* n frames in s->pcs, newest first: to the trail, without what an incremental walk would need. */
static void adopt(struct hl_stream *s, uint32_t n, uint64_t caller, struct hl_unwound *u)
{
	struct hl_trail *trail = &s->trail;
	uint32_t depth = hl_guest.config.depth, skip = newest(s->pcs, n, caller), k = 0;
	const uint64_t *pcs = s->pcs + skip;

	n -= skip;
	if (n == 0) {
		s->pcs[0] = caller;
		pcs = s->pcs;
		n = 1;
	}
	u->truncated = n > depth && depth > 1;
	u->kept = 0;
	if (u->truncated) {
		for (uint32_t i = 0; i < depth; i++)
			s->pcs[i] = pcs[i];
		trail->n = 0;
		return;
	}
	if (n > depth)
		n = depth;
	while (k < n && k < trail->n && trail->frames[k].pc == pcs[n - 1 - k])
		k++;
	u->kept = k;
	for (; k < n; k++)
		trail->frames[k] =
			(struct hl_frame){.pc = pcs[n - 1 - k], .fp_slot = HL_FRAME_OPAQUE, .live = 1};
	trail->n = n;
}

/* Compare with libunwind; a difference is counted, the capture stays. */
static void check(struct hl_stream *s, const struct hl_unwound *u)
{
	struct hl_frame *mine = s->trail.frames;
	uint32_t depth = hl_guest.config.depth, n, skip, have = s->trail.n, same = 0;

	if (u->truncated) {
		/* The trail is empty then: room to keep them while libunwind uses s->pcs. */
		for (have = 0; have < depth; have++)
			mine[depth - 1 - have].pc = s->pcs[have];
	}
	n = hl_unwind_libunwind(s, depth + HL_FRAMES_EXTRA);
	skip = newest(s->pcs, n, HL_PC(mine[have - 1].pc));
	n -= skip;
	if (u->truncated && n > depth)
		n = depth;
	while (same < have && same < n && HL_PC(mine[have - 1 - same].pc) == s->pcs[skip + same])
		same++;
	if (same < have || same < n)
		hl_lost(HL_LOST_CHECK, 1);
	if (u->truncated)
		for (uint32_t i = 0; i < depth; i++)
			s->pcs[i] = mine[depth - 1 - i].pc;
}

/* libunwind allocates at a thread's first use of it: a nested capture may be one of its own, and takes cfi. */
void hl_unwind(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint64_t caller,
	       struct hl_unwound *u)
{
	uint32_t depth = hl_guest.config.depth, n = 0;

	if (HL_UNLIKELY(!at.frame || depth <= 1 || hl_guest.config.unwind == HL_UNWIND_NONE)) {
		adopt(s, 0, caller, u);
	} else if (HL_UNLIKELY(atomic_load_explicit(&by_libunwind, memory_order_acquire)) && t->level == 1) {
		n = hl_unwind_libunwind(s, depth + HL_FRAMES_EXTRA);
		adopt(s, n, caller, u);
	} else {
		if (HL_UNLIKELY(!hl_unwind_cfi(t, s, at, depth, u) || !(s->trail.n || u->truncated))) {
			n = hl_unwind_cfi_all(t, s, depth + HL_FRAMES_EXTRA);
			adopt(s, n, caller, u);
		}
		if (HL_UNLIKELY(atomic_load_explicit(&checking, memory_order_relaxed)) && t->level == 1)
			check(s, u);
	}
}

void hl_unwind_flush(void)
{
	hl_unwind_cfi_flush();
}

void hl_unwind_forked(void)
{
	atomic_store_explicit(&by_libunwind, 0, memory_order_release);
	atomic_store_explicit(&checking, 0, memory_order_release);
}
