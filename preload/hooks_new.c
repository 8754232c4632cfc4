/*
 * hooks_new.c - C++ operator new and delete, all forms (mangled by hand: the library is C).
 *
 * The runtime's own, when nobody replaced any of them (cxx.h), are malloc and free: then we call the real ones.
 *
 * Others mostly end in malloc: the inner hook then records the block, under our entry.
 * Where it does not (tcmalloc, mimalloc and jemalloc bring their own), we record it here.  Which one it is
 * shows at the first operator new; delete needs to know beforehand, because a free is
 * stamped before the real call.
 *
 * A later library may lack a form (an old runtime without sized or aligned delete): then the program
 * cannot have linked against it either, but a plugin may bring its own runtime; hl_real_find looks there.
 */
#include "preload/boot.h"
#include "preload/cxx.h"
#include "preload/enter.h"
#include "preload/event.h"
#include "preload/real.h"
#include "preload/record.h"
#include "preload/sample.h"
#include <stdlib.h>

enum { UNKNOWN, BY_MALLOC, BY_ITSELF };

/* What we stand before. */
struct form {
	void *_Atomic f;
	_Atomic uint32_t plain; /* see cxx.h; known when f is */
};

/* Resolve once; several threads find the same. */
static __attribute__((noinline, cold)) void *resolve(struct form *form, const char *name)
{
	int hidden = 1;
	void *f = hl_real_ready() ? hl_real_find(name, &hidden) : NULL;

	if (f && !hidden && hl_cxx_is_plain(f))
		atomic_store_explicit(&form->plain, 1, memory_order_relaxed);
	/* release: plain (partner: find) */
	atomic_store_explicit(&form->f, f, memory_order_release);
	return f;
}

static __attribute__((always_inline)) inline void *find(struct form *form, const char *name)
{
	void *f = atomic_load_explicit(&form->f, memory_order_acquire);

	return HL_LIKELY(f != NULL) ? f : resolve(form, name);
}

static inline int is_plain(struct form *form)
{
	return HL_LIKELY(atomic_load_explicit(&form->plain, memory_order_relaxed));
}

/* The program called a form that no library has: there is nothing to call and no exception to throw. */
static void *missing(size_t size)
{
	return malloc(size ? size : 1);
}

static inline struct hl_thread *active(void)
{
	return hl_records(hl_state()) ? hl_thread_peek() : NULL;
}

/* A thread's first hook, or a forked child's: its state must be there before the announcement. */
static __attribute__((cold)) struct hl_thread *make_active(void)
{
	struct hl_thread *t = hl_real_ready() ? hl_enter() : NULL;

	if (t)
		hl_leave(t);
	return active();
}

static __attribute__((always_inline)) inline struct hl_thread *announce(enum hl_entry entry, size_t size)
{
	struct hl_thread *t = active();

	if (HL_UNLIKELY(!t))
		t = make_active();
	if (!t || t->level || t->own || (t->entry_hint != HL_ENTRY_COUNT && hl_hint_holds(t)))
		return NULL;
	t->entry_hint = (uint8_t)entry;
	t->hint_at = hl_anchor_here();
	t->hint_size = size;
	t->inner_seen = 0;
	if (HL_UNLIKELY(hl_guest.config.sample != 0))
		hl_sample_hold(t);
	return t;
}

static inline void hint_ends(struct hl_thread *t)
{
	t->entry_hint = HL_ENTRY_COUNT;
	if (HL_UNLIKELY(hl_guest.config.sample != 0))
		hl_sample_go_on(t);
}

/* Called by the unwinder when an exception passes an operator new of ours (Itanium C++ ABI: Exception Handling,
 * level 1): the announcement ends, else the next malloc would be taken for operator new's. */
int hl_new_personality(int version, int actions, uint64_t exception_class, void *exception, void *context);
__attribute__((used)) int hl_new_personality(int version, int actions, uint64_t exception_class,
					     void *exception, void *context)
{
	enum { CLEANUP_PHASE = 2, CONTINUE_UNWIND = 8 };
	struct hl_thread *t = hl_thread_peek();

	(void)version;
	(void)exception_class;
	(void)exception;
	(void)context;
	if (t && actions & CLEANUP_PHASE)
		hint_ends(t);
	return CONTINUE_UNWIND;
}

/* Sampling: the malloc inside, of `most` bytes at most, will find that its block is not in the sample: no need to
 * announce it. */
static inline int inner_skips(size_t most)
{
	return hl_sample_credit > most &&
	       atomic_load_explicit(&hl_guest.new_is_malloc, memory_order_relaxed) == BY_MALLOC;
}

/* The plain operator new, from the hook at that place.  NULL: go the long way, which knows what to do. */
static void *new_plain(size_t size, enum hl_entry entry, struct hl_anchor at)
{
	struct hl_thread *t = HL_LIKELY(hl_state() == HL_ACTIVE) ? hl_enter_active(at) : NULL;
	void *p = NULL;

	if (HL_UNLIKELY(!t))
		return NULL;
	/* as the runtime does */
	size += !size;
	if (HL_LIKELY(t->entry_hint == HL_ENTRY_COUNT)) {
		p = hl_real.malloc(size);
		if (HL_LIKELY(p != NULL) && HL_UNLIKELY(!hl_event_try_alloc(t, (uint64_t)(uintptr_t)p, size,
									    entry, hl_anchor_ra(at))))
			hl_record_alloc(t, (uint64_t)(uintptr_t)p, size, entry, hl_anchor_ra(at));
	}
	hl_leave_active(t);
	return p;
}

/* 1: done; 0: go the long way. */
static int delete_plain(void *p, enum hl_entry entry, struct hl_anchor at)
{
	struct hl_thread *t;
	int mine;

	if (!p)
		return 1;
	if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && !hl_filter_maybe((uint64_t)(uintptr_t)p)) {
		hl_real.free(p);
		return 1;
	}
	t = HL_LIKELY(hl_state() == HL_ACTIVE && !hl_boot_owns(p)) ? hl_enter_active(at) : NULL;
	if (HL_UNLIKELY(!t))
		return 0;
	mine = HL_LIKELY(t->entry_hint == HL_ENTRY_COUNT);
	if (mine) {
		if (HL_UNLIKELY(!hl_event_try_free(t, (uint64_t)(uintptr_t)p, entry)))
			hl_record_free(t, (uint64_t)(uintptr_t)p, entry);
		hl_real.free(p);
	}
	hl_leave_active(t);
	return mine;
}

/* t: from announce. */
static void done_new(struct hl_thread *t, void *p, size_t size, enum hl_entry entry, uint64_t caller)
{
	int inner;

	hint_ends(t);
	if (!p)
		return;
	/* A wrapper may hand out an address inside the block it got from malloc. */
	inner = t->inner_seen && (uint64_t)(uintptr_t)p - t->inner_address <= t->inner_size;
	if (HL_UNLIKELY(atomic_load_explicit(&hl_guest.new_is_malloc, memory_order_relaxed) == UNKNOWN))
		atomic_store_explicit(&hl_guest.new_is_malloc, inner ? BY_MALLOC : BY_ITSELF,
				      memory_order_relaxed);
	if (inner)
		return;
	t = hl_enter();
	if (t) {
		hl_record_alloc(t, (uint64_t)(uintptr_t)p, size, entry, caller);
		hl_leave(t);
	}
}

/* plain: whether the runtime's is just malloc; most: bytes that it may ask malloc for; libstdc++ rounds a size up to the alignment */
#define NEW(symbol, plain, entry, params, size, most, ...)                                                   \
	HL_EXPORT void *symbol params;                                                                       \
	HL_EXPORT void *symbol params                                                                        \
	{                                                                                                    \
		static struct form form;                                                                     \
		void *(*f)params = (void *(*)params)find(&form, #symbol);                                    \
		struct hl_thread *t;                                                                         \
		void *p;                                                                                     \
		/* 0x1b: relative to its own place, four bytes */                                            \
		__asm__ volatile(".cfi_personality 0x1b, hl_new_personality");                               \
		if (HL_UNLIKELY(!f))                                                                         \
			return missing(size);                                                                \
		if (plain && is_plain(&form)) {                                                              \
			p = HL_UNLIKELY(hl_state() == HL_SAMPLING) && hl_sample_skips(size)                  \
				    ? hl_real.malloc(size + !size)                                           \
				    : new_plain(size, entry, hl_anchor_here());                              \
			if (HL_LIKELY(p != NULL))                                                            \
				return p;                                                                    \
		} else if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && inner_skips(most)) {                    \
			return f(__VA_ARGS__);                                                               \
		}                                                                                            \
		t = announce(entry, size);                                                                   \
		p = f(__VA_ARGS__);                                                                          \
		if (t)                                                                                       \
			done_new(t, p, size, entry, HL_CALLER);                                              \
		return p;                                                                                    \
	}

static void delete_by(void (*call)(void *f, void *p, size_t a, size_t b), void *f, void *p, size_t a,
		      size_t b, enum hl_entry entry)
{
	struct hl_thread *t;

	if (HL_UNLIKELY(!f)) {
		free(p);
		return;
	}
	if (hl_state() == HL_SAMPLING && !hl_filter_maybe((uint64_t)(uintptr_t)p)) {
		call(f, p, a, b);
		return;
	}
	if (atomic_load_explicit(&hl_guest.new_is_malloc, memory_order_relaxed) == BY_ITSELF && p) {
		t = hl_enter();
		if (t) {
			hl_record_free(t, (uint64_t)(uintptr_t)p, entry);
			call(f, p, a, b);
			hl_leave(t);
			return;
		}
	}
	t = announce(entry, 0);
	call(f, p, a, b);
	if (t)
		hint_ends(t);
}

static void call1(void *f, void *p, size_t a, size_t b)
{
	(void)a;
	(void)b;
	((void (*)(void *))f)(p);
}

static void call2(void *f, void *p, size_t a, size_t b)
{
	(void)b;
	((void (*)(void *, size_t))f)(p, a);
}

static void call3(void *f, void *p, size_t a, size_t b)
{
	((void (*)(void *, size_t, size_t))f)(p, a, b);
}

#define DELETE(symbol, plain, entry, params, call, a, b)                                                     \
	HL_EXPORT void symbol params;                                                                        \
	HL_EXPORT void symbol params                                                                         \
	{                                                                                                    \
		static struct form form;                                                                     \
		void *f = find(&form, #symbol);                                                              \
		if (!(plain && is_plain(&form) && delete_plain(p, entry, hl_anchor_here())))                 \
			delete_by(call, f, p, a, b, entry);                                                  \
	}

/* nothrow_t is passed by reference: a pointer, as wide as size_t. */
NEW(_Znwm, 1, HL_ENTRY_NEW, (size_t n), n, n, n)
NEW(_Znam, 1, HL_ENTRY_NEW_ARRAY, (size_t n), n, n, n)
NEW(_ZnwmRKSt9nothrow_t, 1, HL_ENTRY_NEW, (size_t n, size_t tag), n, n, n, tag)
NEW(_ZnamRKSt9nothrow_t, 1, HL_ENTRY_NEW_ARRAY, (size_t n, size_t tag), n, n, n, tag)
NEW(_ZnwmSt11align_val_t, 0, HL_ENTRY_NEW, (size_t n, size_t align), n, n + align, n, align)
NEW(_ZnamSt11align_val_t, 0, HL_ENTRY_NEW_ARRAY, (size_t n, size_t align), n, n + align, n, align)
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, 0, HL_ENTRY_NEW, (size_t n, size_t align, size_t tag), n, n + align,
    n, align, tag)
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, 0, HL_ENTRY_NEW_ARRAY, (size_t n, size_t align, size_t tag), n,
    n + align, n, align, tag)

DELETE(_ZdlPv, 1, HL_ENTRY_DELETE, (void *p), call1, 0, 0)
DELETE(_ZdaPv, 1, HL_ENTRY_DELETE_ARRAY, (void *p), call1, 0, 0)
DELETE(_ZdlPvm, 1, HL_ENTRY_DELETE, (void *p, size_t n), call2, n, 0)
DELETE(_ZdaPvm, 1, HL_ENTRY_DELETE_ARRAY, (void *p, size_t n), call2, n, 0)
DELETE(_ZdlPvRKSt9nothrow_t, 1, HL_ENTRY_DELETE, (void *p, size_t tag), call2, tag, 0)
DELETE(_ZdaPvRKSt9nothrow_t, 1, HL_ENTRY_DELETE_ARRAY, (void *p, size_t tag), call2, tag, 0)
DELETE(_ZdlPvSt11align_val_t, 0, HL_ENTRY_DELETE, (void *p, size_t align), call2, align, 0)
DELETE(_ZdaPvSt11align_val_t, 0, HL_ENTRY_DELETE_ARRAY, (void *p, size_t align), call2, align, 0)
DELETE(_ZdlPvmSt11align_val_t, 0, HL_ENTRY_DELETE, (void *p, size_t n, size_t align), call3, n, align)
DELETE(_ZdaPvmSt11align_val_t, 0, HL_ENTRY_DELETE_ARRAY, (void *p, size_t n, size_t align), call3, n, align)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, 0, HL_ENTRY_DELETE, (void *p, size_t align, size_t tag), call3,
       align, tag)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, 0, HL_ENTRY_DELETE_ARRAY, (void *p, size_t align, size_t tag),
       call3, align, tag)
