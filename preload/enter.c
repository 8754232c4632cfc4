/*
 * enter.c - the rare ways into a hook.
 *
 * Nesting: a hook entered while the thread is in one is a signal handler's (glibc's allocator never
 * calls the public malloc) and writes to the next level's stream; or, with another allocator, that
 * allocator calling itself, which is not the program's doing.  A handler that left by longjmp leaves
 * the level raised: on the same stack a frame that does not lie further out than ours is dead.
 */
#include "preload/enter.h"
#include "preload/nodes.h"
#include "preload/real.h"
#include "preload/slots.h"
#include <unistd.h>

/* Needs a relocation: holds its own address only once ours are done. */
static void *volatile relocated = (void *)&relocated;

int hl_real_ready_slow(void)
{
	uint32_t state = hl_state();

	if (state >= HL_ACTIVE)
		return 1;
	if (relocated != (void *)&relocated)
		return 0;
	if (hl_guest.ever_started && state == HL_INIT)
		return 1; /* forked child: the real functions are known */
	if (state == HL_STARTING)
		return hl_real.malloc != NULL && hl_real.free != NULL;
	/* libc's own constructor sets environ before any other constructor runs; before that dlsym
	 * and pthread_key_create have nothing to stand on. */
	if (!environ)
		return 0;
	hl_start();
	return hl_real.malloc != NULL && hl_real.free != NULL;
}

static void drop_level(struct hl_thread *t)
{
	struct hl_stream *s = t->streams[--t->level];

	/* The jump may have left in the middle of a record: the coding state is then ahead of what was
	 * committed, and only the next claim starts with one that a reader shares. */
	if (s) {
		s->trail.n = 0;
		hl_slots_seal(s);
	}
}

void hl_drop_levels(struct hl_thread *t)
{
	hl_nodes_abandon(t->tid);
	while (t->level)
		drop_level(t);
}

static void drop_dead_levels(struct hl_thread *t, struct hl_anchor at)
{
	if (hl_sys_on_altstack())
		return;
	while (t->level && t->at[t->level - 1].frame &&
	       hl_anchor_sp(at) >= hl_anchor_sp(t->at[t->level - 1])) {
		hl_nodes_abandon(t->tid);
		drop_level(t);
	}
}

struct hl_thread *hl_enter_slow(struct hl_anchor at)
{
	struct hl_thread *t;

	if (hl_state() == HL_INIT) {
		if (!hl_guest.ever_started)
			return NULL;
		hl_start_child();
	}
	if (!hl_records(hl_state())) {
		if (hl_state() == HL_STARTING)
			hl_lost(HL_LOST_STARTUP, 1);
		return NULL;
	}
	if (hl_outlived()) {
		atomic_store_explicit(&hl_hot.state, HL_INERT, memory_order_release);
		return NULL;
	}
	t = hl_thread_self();
	if (!t) {
		if (!hl_thread_is_over())
			return NULL;
		t = hl_thread_borrow();
		if (!t) {
			hl_lost(HL_LOST_EXITED, 1);
			return NULL;
		}
		hl_enter_raise(t, 0, at);
		hl_enter_tell(t->streams[0]);
		return t;
	}
	if (t->own)
		return NULL;
	if (t->level)
		drop_dead_levels(t, at);
	if (t->level && !hl_guest.libc_alloc)
		return NULL;
	if (t->level == HL_LEVELS) {
		hl_lost(HL_LOST_NESTED, 1);
		return NULL;
	}
	/* Two streams of one thread are ordered by the clock alone. */
	for (uint32_t l = 0; t->level && l <= t->level; l++)
		if (t->streams[l])
			t->streams[l]->clock_seq =
				atomic_load_explicit(&hl_guest.region->clock_seq, memory_order_relaxed) - 1;
	hl_enter_raise(t, t->level, at);
	/* as in hl_enter_active */
	if (HL_UNLIKELY(!hl_records(hl_state()))) {
		t->level--;
		return hl_enter_slow(at);
	}
	hl_enter_tell(t->streams[t->level - 1]);
	return t;
}

void hl_leave_slow(struct hl_thread *t)
{
	hl_thread_give_back(t);
}
