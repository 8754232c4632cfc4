/*
 * unwind_libunwind.c - stacks by libunwind's unw_backtrace.
 *
 * libunwind is loaded RTLD_LOCAL in our constructor, never linked: it exports backtrace(), which would
 * replace glibc's in the program.  Its slow path takes locks of its own; a child forked while another
 * thread was in there would wait for ever, so such a child uses no libunwind.
 */
#include "preload/unwind.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic(int (*)(void **, int)) backtrace_by;

int hl_unwind_init(void)
{
	void *lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL), *f = NULL;

	if (lib)
		f = dlsym(lib, "unw_backtrace");
	if (!f)
		return -1;

	void *warm[4];

	((int (*)(void **, int))f)(warm, 4);
	atomic_store_explicit(&backtrace_by, (int (*)(void **, int))f, memory_order_release);
	return 0;
}

uint32_t hl_unwind(uint64_t *pcs, uint32_t room)
{
	int (*f)(void **, int) = atomic_load_explicit(&backtrace_by, memory_order_acquire);
	int saved, n;

	if (!f)
		return 0;
	saved = errno;
	n = f((void **)pcs, (int)room);
	errno = saved;
	return n > 0 ? (uint32_t)n : 0;
}

void hl_unwind_forked(int had_threads)
{
	if (had_threads)
		atomic_store_explicit(&backtrace_by, NULL, memory_order_release);
}
