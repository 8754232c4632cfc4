/*
 * unwind_aarch64.h - one step outwards on aarch64.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_AARCH64_H
#define HL_PRELOAD_UNWIND_AARCH64_H

#include "preload/unwind.h"
#include "preload/walk.h"

/*
 * Step from *f to its caller *up.  The state that decides is f->pc with its flags, f->sp, f->fp, and, above a signal
 * frame, w->lr as the step before left it (w->lr_sp is 0 before the first).  What is read from memory is, by a rule with
 * a form, the word at w->pc_slot, of which only the address bits count (hl_cpu_code), and, unless up->fp_slot is 0,
 * the one at up->fp_slot, 8 bytes below it; with up->fp_slot HL_FRAME_OPAQUE more than that, not to be verified
 * by reads.  Where f->pc is flagged HL_NODE_GUESSED, f->sp is only the lowest it can be, and f->fp decides.
 * f->rule is set; f->live is not.
 */
enum hl_stepped hl_walk_leave(struct hl_walk *w, struct hl_cfi *c, struct hl_frame *f, struct hl_frame *up);

#endif
