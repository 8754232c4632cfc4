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

/* n frames in s->pcs, newest first: to the trail, without what an incremental walk would need. */
static void adopt(struct hl_stream *s, uint32_t n, uint64_t caller, struct hl_unwound *u)
{
	struct hl_trail *trail = &s->trail;
	uint32_t depth = hl_guest.config.depth, skip = 0, k = 0;
	const uint64_t *pcs = s->pcs;

	/* operator new stands between two frames of ours: skip to behind the outermost of them. */
	for (uint32_t i = 0; i < n && i < HL_FRAMES_EXTRA - 1; i++)
		if (ours(HL_PC(pcs[i])))
			skip = i + 1;
	pcs += skip;
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
	uint32_t depth = hl_guest.config.depth, n, skip = 0, mine = u->truncated ? depth : s->trail.n;

	if (u->truncated)
		return; /* its frames are in s->pcs */
	n = hl_unwind_libunwind(s, depth + HL_FRAMES_EXTRA);
	for (uint32_t i = 0; i < n && i < HL_FRAMES_EXTRA - 1; i++)
		if (ours(s->pcs[i]))
			skip = i + 1;
	n -= skip;
	for (uint32_t i = 0; i < mine || i < n; i++)
		if (i >= mine || i >= n || HL_PC(s->trail.frames[mine - 1 - i].pc) != s->pcs[skip + i]) {
			hl_lost(HL_LOST_CHECK, 1);
			break;
		}
}

void hl_unwind(struct hl_thread *t, struct hl_stream *s, uintptr_t frame, uint64_t caller,
	       struct hl_unwound *u)
{
	uint32_t depth = hl_guest.config.depth, n = 0;

	if (HL_LIKELY(frame && depth > 1 && hl_guest.config.unwind != HL_UNWIND_NONE)) {
		if (HL_UNLIKELY(atomic_load_explicit(&by_libunwind, memory_order_acquire))) {
			n = hl_unwind_libunwind(s, depth + HL_FRAMES_EXTRA);
		} else {
			if (HL_LIKELY(hl_unwind_cfi(t, s, frame, depth, u) && (s->trail.n || u->truncated))) {
				if (HL_UNLIKELY(atomic_load_explicit(&checking, memory_order_relaxed)))
					check(s, u);
				return;
			}
			n = hl_unwind_cfi_all(t, s, depth + HL_FRAMES_EXTRA);
		}
	}
	adopt(s, n, caller, u);
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
