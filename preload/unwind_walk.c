/*
 * unwind_walk.c - the plain walk: one step a frame through the rule cache, nothing remembered.
 *
 * For stacks too deep to keep, and to compare with (unwind=walk).
 */
#include "preload/unwind_cpu.h"

uint32_t hl_unwind_walk(struct hl_thread *t, struct hl_stream *s, struct hl_anchor at, uint32_t room)
{
	struct hl_frame two[2], *f = two, *up = two + 1;
	enum hl_stepped r = HL_STEPPED;
	struct hl_walk w;
	uint32_t n = 0;

	hl_cpu_first(&w, t, s, at, f);
	while (r == HL_STEPPED && n < room && hl_pc_is_sane(f->pc)) {
		struct hl_frame *was = f;

		if (n || !hl_pc_is_ours(f->pc))
			s->pcs[n++] = f->pc;
		if (HL_UNLIKELY(!hl_cpu_hop(&w, f, up)))
			r = hl_cpu_leave(&w, &s->cfi, f, up);
		f = up;
		up = was;
	}
	return r == HL_STEP_NEEDS_ALL ? 0 : n;
}
