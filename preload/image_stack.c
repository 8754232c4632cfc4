/*
 * image_stack.c - how much of the stack of the thread that ends the process is still the program's.
 *
 * What lies below the frame that called exit() is left over from calls that returned, and from our own; pointers there
 * would hide leaks.  The walk goes from here through our frames and libc's to the first one of the program.  Where it does not get
 * there, all that could count counts.
 */
#include "preload/image_shot.h"
#include "preload/object.h"
#include "preload/unwind_cpu.h"
#include <sys/auxv.h>

#define FRAMES_MAX 64u

static struct hl_object libc, loader, program;
static uint8_t have_libc, have_loader, have_program;

void hl_stack_setup(void)
{
	have_libc = (uint8_t)hl_object_find((uint64_t)(uintptr_t)&getauxval, &libc);
	have_program = (uint8_t)hl_object_find(getauxval(AT_ENTRY), &program);
	have_loader = (uint8_t)hl_object_find(getauxval(AT_BASE), &loader);
}

int hl_pc_is_librarys(uint64_t pc)
{
	struct hl_object o;

	/* with two bytes before and behind */
	return have_program && hl_object_bounds(pc, &o) && o.map != program.map && pc - o.start >= 2 &&
	       o.end - pc >= 2;
}

/* The code that goes from the loader to main is linked into the program, and ends the stack. */
static int is_start(uint64_t pc)
{
	return pc - getauxval(AT_ENTRY) < 64;
}

static int is_system(uint64_t pc)
{
	return hl_pc_is_ours(pc) || (have_libc && pc >= libc.start && pc < libc.end) ||
	       (have_loader && pc >= loader.start && pc < loader.end) || is_start(pc);
}

static void keep(struct hl_shot_thread *out, const struct hl_walk *w)
{
	out->sp = w->regs[HL_REG_SP];
	out->n = 0;
	for (unsigned i = 0; i < HL_REGS; i++)
		if (i != HL_REG_SP && i != HL_REG_PC && w->known >> i & 1 && hl_shot_may_point(w->regs[i]))
			out->words[out->n++] = w->regs[i];
}

/* From this frame to the program's.  The frame must stand as long as it is walked. */
static __attribute__((noinline)) void walk(struct hl_shot_thread *out, struct hl_thread *t, struct hl_cfi *c)
{
	uint64_t flags = HL_NODE_EXACT;
	struct hl_walk w;

	w.t = t;
	w.page = 1;
	w.lr_sp = 0;
	w.known = hl_cpu_capture(w.regs);
	hl_walk_bounds(&w, w.regs[HL_REG_SP]);
	keep(out, &w);
	for (uint32_t n = 0; n < FRAMES_MAX; n++) {
		uint64_t pc = w.regs[HL_REG_PC], address = flags & HL_NODE_EXACT ? pc : pc - 1;
		uint32_t rule;

		if (!hl_pc_is_sane(pc))
			return;
		if (!is_system(address)) {
			/* reached by a guess, or by a handler that interrupted it: neither sp nor registers are sure */
			if (!(flags & (HL_NODE_GUESSED | HL_NODE_EXACT)))
				keep(out, &w);
			return;
		}
		rule = hl_rule_of(c, address);
		if (rule == HL_STEP_END) {
			/* main returned, or the last thread's function */
			out->sp = w.regs[HL_REG_SP];
			out->n = 0;
			return;
		}
		if (hl_walk_by(&w, c, rule, address, &flags) != HL_STEPPED)
			return;
	}
}

void hl_shot_own_stack(struct hl_shot *x, struct hl_thread *t)
{
	struct hl_shot_thread *own = &x->threads[0];
	stack_t signals;

	own->tid = x->writer.tid;
	own->how = HL_IMAGE_EXITING;
	own->tp = hl_cpu_thread_pointer();
	own->alt = own->alt_bytes = 0;
	x->nthreads = 1;
	walk(own, t, &x->stream->cfi);
	if (hl_sys4(SYS_sigaltstack, 0, (long)(uintptr_t)&signals, 0, 0) == 0)
		hl_shot_note_signal_stack(own, &signals);
}
