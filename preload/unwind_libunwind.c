/*
 * unwind_libunwind.c - stacks by libunwind's unw_backtrace.
 *
 * libunwind is loaded RTLD_LOCAL, never linked: it exports backtrace(), which would replace glibc's in
 * the program.
 */
#include "preload/unwind.h"
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

static int (*_Atomic backtrace_by)(void **, int);

int hl_unwind_libunwind_init(void)
{
	void *lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL),
	     *f = lib ? dlsym(lib, "unw_backtrace") : NULL;
	void *warm[4];

	if (!f)
		return -1;
	((int (*)(void **, int))f)(warm, 4);
	atomic_store_explicit(&backtrace_by, (int (*)(void **, int))f, memory_order_release);
	return 0;
}

uint32_t hl_unwind_libunwind(struct hl_stream *s, uint32_t room)
{
	int (*f)(void **, int) = atomic_load_explicit(&backtrace_by, memory_order_acquire);
	int saved = errno, n = f((void **)s->pcs, (int)room);

	errno = saved;
	return n > 0 ? (uint32_t)n : 0;
}
