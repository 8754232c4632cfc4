/*
 * hooks.c - the C allocation functions.
 *
 * Order invariant: for one address, all threads' events sorted by stamp read alloc, free, alloc,
 * free...  Therefore an alloc is stamped after the real call (before it the block may be another's),
 * a free before it (after it the block may be another's), a realloc on both sides.
 *
 * errno: nothing on our side of a hook touches it (raw system calls; unwind.h keeps it), so what the real
 * function left there is what the program sees.
 */
#include "preload/boot.h"
#include "preload/enter.h"
#include "preload/event.h"
#include "preload/real.h"
#include "preload/record.h"
#include "preload/sample.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* The entry an inner malloc is recorded under: operator new announces itself (hooks_new.c). */
static inline void recorded(struct hl_thread *t, void *p, size_t size, enum hl_entry entry, uint64_t caller)
{
	if (HL_UNLIKELY(t->entry_hint != HL_ENTRY_COUNT) && hl_hint_holds(t) && size >= t->hint_size) {
		entry = (enum hl_entry)t->entry_hint;
		t->inner_seen = 1;
		t->inner_address = (uint64_t)(uintptr_t)p;
		t->inner_size = size;
		/* The stack begins at who called operator new. */
		t->at[t->level - 1] = t->hint_at;
		caller = hl_anchor_ra(t->hint_at);
	}
	if (t->level > 1 || !hl_event_try_alloc(t, (uint64_t)(uintptr_t)p, size, entry, caller))
		hl_record_alloc(t, (uint64_t)(uintptr_t)p, size, entry, caller);
}

static __attribute__((noinline)) void *malloc_slow(size_t size, struct hl_anchor at, uint64_t caller)
{
	struct hl_thread *t;
	void *p;

	if (!hl_real_ready())
		return hl_boot_alloc(size, 16, caller);
	t = hl_enter_at(at);
	p = hl_real.malloc(size);
	if (t) {
		if (p)
			recorded(t, p, size, HL_ENTRY_MALLOC, caller);
		hl_leave(t);
	}
	return p;
}

/* Apart from malloc and called last, so that what is not in a sample passes without a frame of ours; its own is in the
 * place of malloc's then.  Where the compiler does not do that it has one more frame of ours, which is skipped. */
static __attribute__((noinline)) void *malloc_recorded(size_t size)
{
	struct hl_anchor at = hl_anchor_here();
	struct hl_thread *t = HL_LIKELY(hl_state() == HL_ACTIVE) ? hl_enter_active(at) : NULL;
	void *p;

	if (HL_UNLIKELY(!t)) {
		p = malloc_slow(size, at, HL_CALLER);
		__asm__ volatile(""); /* not a tail call: our frame is what the anchor points to */
		return p;
	}
	p = hl_real.malloc(size);
	if (HL_LIKELY(p != NULL) &&
	    (HL_UNLIKELY(t->entry_hint != HL_ENTRY_COUNT) ||
	     HL_UNLIKELY(!hl_event_try_alloc(t, (uint64_t)(uintptr_t)p, size, HL_ENTRY_MALLOC, HL_CALLER))))
		recorded(t, p, size, HL_ENTRY_MALLOC, HL_CALLER);
	hl_leave_active(t);
	return p;
}

HL_EXPORT void *malloc(size_t size)
{
	if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && hl_sample_skips(size))
		return hl_real.malloc(size);
	return malloc_recorded(size);
}

HL_EXPORT void *calloc(size_t n, size_t size)
{
	size_t bytes;
	struct hl_thread *t;
	void *p;

	/* a product that overflows gets no block */
	if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && HL_LIKELY(hl_real.calloc != NULL) &&
	    hl_sample_skips(n * size))
		return hl_real.calloc(n, size);
	if (!hl_real_ready() || HL_UNLIKELY(!hl_real.calloc)) {
		if (__builtin_mul_overflow(n, size, &bytes))
			return NULL;
		return hl_boot_alloc(bytes, 16, HL_CALLER);
	}
	t = hl_enter();
	p = hl_real.calloc(n, size);
	if (t) {
		if (p)
			recorded(t, p, n * size, HL_ENTRY_CALLOC, HL_CALLER);
		hl_leave(t);
	}
	return p;
}

static void free_boot(void *p, enum hl_entry entry)
{
	struct hl_thread *t = NULL;

	if (!hl_boot_free(p))
		return;
	if (hl_real_ready())
		t = hl_enter();
	if (t) {
		hl_record_free(t, (uint64_t)(uintptr_t)p, entry);
		hl_leave(t);
	}
}

static inline enum hl_entry entry_of_free(struct hl_thread *t)
{
	if (HL_LIKELY(t->entry_hint == HL_ENTRY_COUNT || t->entry_hint < HL_ENTRY_DELETE) ||
	    !hl_hint_holds(t))
		return HL_ENTRY_FREE;
	/* The stack begins at who called operator delete. */
	t->at[t->level - 1] = t->hint_at;
	return (enum hl_entry)t->entry_hint;
}

static __attribute__((noinline)) void free_slow(void *p, struct hl_anchor at)
{
	struct hl_thread *t;

	if (!hl_real_ready())
		return;
	t = hl_enter_at(at);
	if (t) {
		hl_record_free(t, (uint64_t)(uintptr_t)p, entry_of_free(t));
		hl_real.free(p);
		hl_leave(t);
		return;
	}
	hl_real.free(p);
}

/* As malloc_recorded. */
static __attribute__((noinline)) void free_recorded(void *p)
{
	struct hl_anchor at = hl_anchor_here();
	struct hl_thread *t;

	if (!p)
		return;
	if (HL_UNLIKELY(hl_boot_owns(p))) {
		free_boot(p, HL_ENTRY_FREE);
		return;
	}
	t = HL_LIKELY(hl_state() == HL_ACTIVE) ? hl_enter_active(at) : NULL;
	if (HL_UNLIKELY(!t)) {
		free_slow(p, at);
		__asm__ volatile(""); /* as in malloc_recorded */
		return;
	}
	if (HL_UNLIKELY(t->entry_hint != HL_ENTRY_COUNT) ||
	    HL_UNLIKELY(!hl_event_try_free(t, (uint64_t)(uintptr_t)p, HL_ENTRY_FREE)))
		hl_record_free(t, (uint64_t)(uintptr_t)p, entry_of_free(t));
	hl_real.free(p);
	hl_leave_active(t);
}

HL_EXPORT void free(void *p)
{
	/* a block of the boot pool is pinned */
	if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && !hl_filter_maybe((uint64_t)(uintptr_t)p)) {
		hl_real.free(p);
		return;
	}
	free_recorded(p);
}

/* Not in our libc's headers: gone from glibc 2.26, new in C23. */
HL_EXPORT void cfree(void *p);
HL_EXPORT void free_sized(void *p, size_t size);
HL_EXPORT void free_aligned_sized(void *p, size_t align, size_t size);

HL_EXPORT void cfree(void *p)
{
	free(p);
}

HL_EXPORT void free_sized(void *p, size_t size)
{
	(void)size;
	free(p);
}

HL_EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	(void)size;
	free(p);
}

static void *move_out_of_boot(void *p, size_t size)
{
	size_t old = hl_boot_size(p), n = old < size ? old : size;
	char *to, *from = p;

	if (size == 0) {
		free(p);
		return NULL;
	}
	to = malloc(size);
	if (!to)
		return NULL;
	for (size_t i = 0; i < n; i++)
		to[i] = from[i];
	free(p);
	return to;
}

/*
 * release(p) -> real call -> realloc'd q, or restore(p) when it failed, or drop(p) when it freed: peers that
 * get p's address from the allocator while we are in there are stamped after the release.
 */
static void *reallocate(void *p, size_t size, uint64_t caller)
{
	struct hl_thread *t;
	void *q;

	t = hl_enter();
	if (!t)
		return hl_real.realloc(p, size);
	if (p)
		hl_record_release(t, (uint64_t)(uintptr_t)p);
	q = hl_real.realloc(p, size);
	if (q)
		hl_record_alloc(t, (uint64_t)(uintptr_t)q, size, p ? HL_ENTRY_REALLOC : HL_ENTRY_MALLOC,
				caller);
	else if (p)
		hl_record_unrelease(t, size ? HL_OP_RESTORE : HL_OP_DROP);
	hl_leave(t);
	return q;
}

/* Neither the old block is in the sample nor the new one. */
static inline int skips_realloc(const void *p, size_t size)
{
	return !hl_filter_maybe((uint64_t)(uintptr_t)p) && hl_sample_skips(size);
}

HL_EXPORT void *realloc(void *p, size_t size)
{
	if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && skips_realloc(p, size))
		return hl_real.realloc(p, size);
	if (HL_UNLIKELY(p && hl_boot_owns(p)))
		return move_out_of_boot(p, size);
	if (!hl_real_ready())
		return hl_boot_alloc(size, 16, HL_CALLER);
	return reallocate(p, size, HL_CALLER);
}

HL_EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	if (HL_UNLIKELY(hl_state() == HL_SAMPLING) && skips_realloc(p, bytes))
		return hl_real.realloc(p, bytes);
	if (HL_UNLIKELY(p && hl_boot_owns(p)))
		return move_out_of_boot(p, bytes);
	if (!hl_real_ready())
		return hl_boot_alloc(bytes, 16, HL_CALLER);
	return reallocate(p, bytes, HL_CALLER);
}

/* The aligned forms; a later library that lacks one gets its neighbour called. */
static void *aligned(size_t align, size_t size, uint64_t caller, void *(*f)(size_t, size_t))
{
	struct hl_thread *t;
	void *p;

	if (!hl_real_ready())
		return hl_boot_alloc(size, align, caller);
	if (!f)
		f = hl_real.memalign ? hl_real.memalign : hl_real.aligned_alloc;
	if (!f)
		return NULL;
	t = hl_enter();
	p = f(align, size);
	if (t) {
		if (p)
			recorded(t, p, size, HL_ENTRY_ALIGNED, caller);
		hl_leave(t);
	}
	return p;
}

HL_EXPORT void *memalign(size_t align, size_t size)
{
	return aligned(align, size, HL_CALLER, hl_real_ready() ? hl_real.memalign : NULL);
}

HL_EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return aligned(align, size, HL_CALLER, hl_real_ready() ? hl_real.aligned_alloc : NULL);
}

HL_EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	struct hl_thread *t;
	void *p = NULL;
	int r;

	if (!hl_real_ready() || !hl_real.posix_memalign) {
		p = hl_boot_alloc(size, align, HL_CALLER);
		if (!p)
			return ENOMEM;
		*out = p;
		return 0;
	}
	t = hl_enter();
	r = hl_real.posix_memalign(out, align, size);
	if (t) {
		if (r == 0 && *out)
			recorded(t, *out, size, HL_ENTRY_ALIGNED, HL_CALLER);
		hl_leave(t);
	}
	return r;
}

static void *paged(size_t size, uint64_t caller, void *(*f)(size_t))
{
	struct hl_thread *t = hl_enter();
	void *p = f(size);

	if (t) {
		if (p)
			recorded(t, p, size, HL_ENTRY_ALIGNED, caller);
		hl_leave(t);
	}
	return p;
}

HL_EXPORT void *valloc(size_t size)
{
	if (!hl_real_ready() || !hl_real.valloc)
		return aligned(HL_PAGE_MAX, size, HL_CALLER, NULL);
	return paged(size, HL_CALLER, hl_real.valloc);
}

HL_EXPORT void *pvalloc(size_t size)
{
	if (!hl_real_ready() || !hl_real.pvalloc)
		return aligned(HL_PAGE_MAX, (size + HL_PAGE_MAX - 1) & ~(size_t)(HL_PAGE_MAX - 1), HL_CALLER,
			       NULL);
	return paged(size, HL_CALLER, hl_real.pvalloc);
}

/* Passed on as it is, but for blocks that only we know. */
HL_EXPORT size_t malloc_usable_size(void *p)
{
	if (!p)
		return 0;
	if (HL_UNLIKELY(hl_boot_owns(p)))
		return hl_boot_size(p);
	return hl_real_ready() && hl_real.malloc_usable_size ? hl_real.malloc_usable_size(p) : 0;
}
