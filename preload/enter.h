/*
 * enter.h - the way into and out of every hook.  Floor 4.
 */
#ifndef HL_PRELOAD_ENTER_H
#define HL_PRELOAD_ENTER_H

#include "preload/thread.h"

#define HL_EXPORT __attribute__((visibility("default")))
#define HL_CALLER ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* The thread ends although hooks are active: a handler that interrupted them ended it. */
void hl_drop_levels(struct hl_thread *t) __attribute__((cold));
/* The rare ways in: not started, forked, first call of a thread, a thread past its end, nested. */
struct hl_thread *hl_enter_slow(struct hl_anchor at) __attribute__((cold));
void hl_leave_slow(struct hl_thread *t) __attribute__((cold));
/* 1: the real functions are known (started, or about to be done); 0: serve from the boot pool.  Before our
 * own relocation it touches nothing that needs one. */
int hl_real_ready_slow(void) __attribute__((cold));

static inline int hl_real_ready(void)
{
	return HL_LIKELY(hl_state() >= HL_ACTIVE) || hl_real_ready_slow();
}

/* The hook at that place is active at level l.  Whoever finds the level raised judges by the place whether its hook is dead: it
 * must be there first, or a handler finds that of a hook long gone.  And once more: a handler in between left its own. */
static inline void hl_enter_raise(struct hl_thread *t, uint32_t l, struct hl_anchor at)
{
	t->at[l] = at;
	atomic_signal_fence(memory_order_seq_cst);
	t->level = l + 1;
	atomic_signal_fence(memory_order_seq_cst);
	t->at[l] = at;
}

/* The slot tells readers that stamps not below this one may still come (partner: collect/drain.c).  One that is opened during the hook
 * tells it from then on (slots.c). */
static inline void hl_enter_tell(const struct hl_stream *s)
{
	if (HL_LIKELY(s && s->slot))
		atomic_store_explicit(&s->slot->in_hook_since, s->stamp, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
}

/* The common way in, in the state ACTIVE: the thread is in no hook.  NULL: hl_enter may find another. */
static inline struct hl_thread *hl_enter_active(struct hl_anchor at)
{
	struct hl_thread *t = hl_thread_peek();

	if (HL_UNLIKELY(!t || t->level))
		return NULL;
	hl_enter_raise(t, 0, at);
	/* Again: the child of a handler that forked since has its parent's slot, and nobody saw us in a hook.  Whether we outlived our
	 * process is seen here alone; then hl_enter_slow makes us inert. */
	if (HL_UNLIKELY(hl_state() != HL_ACTIVE) || hl_outlived()) {
		t->level = 0;
		return NULL;
	}
	hl_enter_tell(t->streams[0]);
	return t;
}

/* The hook at that place may record until hl_leave; NULL: it must not. */
static inline struct hl_thread *hl_enter_at(struct hl_anchor at)
{
	struct hl_thread *t = HL_LIKELY(hl_state() == HL_ACTIVE) ? hl_enter_active(at) : NULL;

	return HL_LIKELY(t != NULL) ? t : hl_enter_slow(at);
}

/* The same for the function that calls this. */
static __attribute__((always_inline)) inline struct hl_thread *hl_enter(void)
{
	return hl_enter_at(hl_anchor_here());
}

static inline void hl_leave(struct hl_thread *t)
{
	struct hl_stream *s = t->streams[t->level - 1];

	atomic_signal_fence(memory_order_seq_cst);
	if (HL_LIKELY(s && s->slot))
		atomic_store_explicit(&s->slot->in_hook_since, 0, memory_order_release);
	t->level--;
	if (HL_UNLIKELY(t->serial == 0))
		hl_leave_slow(t);
}

/* The same after hl_enter_active: in no other hook, and the state is the thread's own. */
static inline void hl_leave_active(struct hl_thread *t)
{
	struct hl_stream *s = t->streams[0];

	atomic_signal_fence(memory_order_seq_cst);
	if (HL_LIKELY(s && s->slot))
		atomic_store_explicit(&s->slot->in_hook_since, 0, memory_order_release);
	t->level = 0;
}

/* operator new and delete announce the entry under which the malloc or free inside them is recorded.  An
 * exception that leaves operator new takes the announcement back (hooks_new.c); a longjmp leaves it behind, until a
 * caller further out on the stack than the announcer comes.  A malloc that interrupted the recording of the announced one
 * (a signal handler's, libunwind's own) is not what was announced. */
static inline int hl_hint_holds(struct hl_thread *t)
{
	if (HL_UNLIKELY(t->level > 1))
		return 0;
	if (HL_LIKELY(hl_anchor_sp(hl_anchor_here()) <= hl_anchor_sp(t->hint_at)))
		return 1;
	t->entry_hint = HL_ENTRY_COUNT;
	return 0;
}

/* Start if that is possible now.  1 when the state is ACTIVE or INERT. */
int hl_start(void);
/* A hook found HL_INIT after a start: this is a forked child. */
void hl_start_child(void);
/* In the child of a fork, before it goes on: where that was in a hook, the record that is being written is the parent's. */
void hl_start_forked(void);

#endif
