/*
 * unwind_aarch64.h - one step outwards on aarch64.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_AARCH64_H
#define HL_PRELOAD_UNWIND_AARCH64_H

#include "preload/unwind.h"
#include "preload/walk.h"

/* What one step leaves for a caller that wants to see later whether it would go the same way again. */
struct hl_read {
	uint64_t
		pc_slot; /* where up->pc was read; its address bits (hl_cpu_code) are what counts; 0: not by one read */
	uint64_t lr,
		lr_sp; /* x30 of the interrupted frame whose sp is lr_sp, while it is still in the register; 0: none */
};

/*
 * Step from *f to its caller *up.  The state that decides is f->pc with its flags, f->sp, f->fp, and, above a signal
 * frame, *read as the step before left it (zeroed before the first).  What is read from memory: the word at read->pc_slot
 * and, unless up->fp_slot is 0, the one at up->fp_slot (always pc_slot - 8); with up->fp_slot HL_FRAME_OPAQUE more
 * than that, not to be verified by reads.  Where f->pc is flagged HL_NODE_GUESSED, f->sp is only the lowest it can
 * be, and f->fp decides.  f->rule is set; f->live is not.
 */
enum hl_stepped hl_walk_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_read *read, struct hl_frame *f,
			      struct hl_frame *up);

#endif
