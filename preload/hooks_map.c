/*
 * hooks_map.c - mmap and its kin: as facts, so that the program's maps can be told from those its allocator makes; and as
 * allocations when asked for (mmap=1).
 *
 * Allocations are anonymous maps only; a map of a file is not memory the program asked for.  The loader's and libc's own
 * maps do not come through here.
 */
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/real.h"
#include "preload/record.h"
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

/* Whoever asks where the maps are wants the image that they are of. */
static int ranges(void)
{
	return hl_guest.config.image && !hl_guest.config.sample;
}

static int counts(void)
{
	return (hl_guest.config.mmap || ranges()) && (hl_records(hl_state()) || hl_guest.ever_started);
}

static uint64_t pages(size_t bytes)
{
	uint64_t page = hl_guest.page_bytes;

	return ((uint64_t)bytes + page - 1) & ~(page - 1);
}

static void *raw_mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	long r;

	if (hl_state() >= HL_ACTIVE && hl_real.mmap)
		return hl_real.mmap(at, bytes, prot, flags, fd, offset);
	r = hl_sys6(SYS_mmap, (long)(uintptr_t)at, (long)bytes, prot, flags, fd, (long)offset);

	if (r < 0 && r > -4096) {
		errno = (int)-r;
		return MAP_FAILED;
	}
	return (void *)r;
}

/* Before the real call, where it counts as a free or an allocation.  Else nobody enters then: a thread that is past its end has
 * a state that all such threads share, and the kernel may take its time. */
static __attribute__((always_inline)) inline struct hl_thread *enter_before(void)
{
	return counts() && hl_guest.config.mmap ? hl_enter() : NULL;
}

/* And after it, if nobody did. */
static __attribute__((always_inline)) inline struct hl_thread *enter_after(struct hl_thread *t)
{
	return t ? t : counts() && ranges() ? hl_enter() : NULL;
}

/* As of a stamp from before a call that succeeded: another thread may have mapped it again by now. */
static void range_went(struct hl_thread *t, uint64_t start, uint64_t bytes, uint64_t caller, uint64_t stamp)
{
	if (ranges() && bytes)
		hl_facts_range(t, start, start + bytes, 0, caller, stamp);
}

static void range_came(struct hl_thread *t, uint64_t start, uint64_t bytes, uint64_t caller)
{
	if (ranges())
		hl_facts_range(t, start, start + bytes, HL_RANGE_MAPPED, caller, hl_facts_now());
}

HL_EXPORT void *mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	int anonymous = (flags & MAP_ANONYMOUS) != 0;
	void *p;
	struct hl_thread *t;

	if (!counts() || (!anonymous && !ranges()))
		return raw_mmap(at, bytes, prot, flags, fd, offset);
	t = enter_before();
	/* MAP_FIXED replaces what lies there: gone before the call, as with a free. */
	if (t && flags & MAP_FIXED && anonymous)
		hl_record_unmap(t, (uint64_t)(uintptr_t)at, pages(bytes));
	p = raw_mmap(at, bytes, prot, flags, fd, offset);
	t = enter_after(t);
	if (t) {
		if (p != MAP_FAILED) {
			range_came(t, (uint64_t)(uintptr_t)p, pages(bytes), HL_CALLER);
			if (anonymous && hl_guest.config.mmap)
				hl_record_map(t, (uint64_t)(uintptr_t)p, pages(bytes), HL_CALLER);
		}
		hl_leave(t);
	}
	return p;
}

HL_EXPORT void *mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
	__attribute__((alias("mmap")));

HL_EXPORT int munmap(void *p, size_t bytes)
{
	struct hl_thread *t = enter_before();
	uint64_t stamp = counts() ? hl_facts_now() : 0;
	long r;

	if (t)
		hl_record_unmap(t, (uint64_t)(uintptr_t)p, pages(bytes));
	r = hl_sys_munmap(p, bytes);
	t = enter_after(t);
	if (t) {
		if (r >= 0)
			range_went(t, (uint64_t)(uintptr_t)p, pages(bytes), HL_CALLER, stamp);
		hl_leave(t);
	}
	if (r < 0) {
		errno = (int)-r;
		return -1;
	}
	return 0;
}

HL_EXPORT void *mremap(void *old, size_t old_bytes, size_t bytes, int flags, ...)
{
	struct hl_thread *t = enter_before();
	uint64_t stamp = counts() ? hl_facts_now() : 0;
	void *to = NULL;
	va_list ap;
	long r;

	if (flags & MREMAP_FIXED) {
		va_start(ap, flags);
		to = va_arg(ap, void *);
		va_end(ap);
	}
	if (t && old_bytes)
		hl_record_unmap(t, (uint64_t)(uintptr_t)old, pages(old_bytes));
	if (t && to)
		hl_record_unmap(t, (uint64_t)(uintptr_t)to, pages(bytes));
	r = hl_sys6(SYS_mremap, (long)(uintptr_t)old, (long)old_bytes, (long)bytes, flags,
		    (long)(uintptr_t)to, 0);
	t = enter_after(t);
	if (t) {
		int failed = r < 0 && r > -4096;

		if (!failed) {
			range_went(t, (uint64_t)(uintptr_t)old, pages(old_bytes), HL_CALLER, stamp);
			range_came(t, (uint64_t)r, pages(bytes), HL_CALLER);
		}
		/* A failed mremap leaves the old map: it is entered again, under this stack. */
		if (hl_guest.config.mmap)
			hl_record_map(t, failed ? (uint64_t)(uintptr_t)old : (uint64_t)r,
				      pages(failed ? old_bytes : bytes), HL_CALLER);
		hl_leave(t);
	}
	if (r < 0 && r > -4096) {
		errno = (int)-r;
		return MAP_FAILED;
	}
	return (void *)r;
}
