/*
 * real.c - dlsym(RTLD_NEXT) for everything that is hooked.
 */
#include "preload/real.h"
#include <dlfcn.h>

struct hl_real hl_real;

void *hl_real_find(const char *name, int *hidden)
{
	static const char *const runtimes[] = {"libstdc++.so.6", "libc++.so.1", "libc++abi.so.1"};
	void *f = dlsym(RTLD_NEXT, name);

	*hidden = !f;
	for (size_t i = 0; !f && i < sizeof runtimes / sizeof runtimes[0]; i++) {
		void *h = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);

		if (h) {
			f = dlsym(h, name);
			dlclose(h);
		}
	}
	return f;
}

#define FIND(member, name) (r.member = (__typeof__(r.member))dlsym(RTLD_NEXT, name))

/* Published whole, and last: while dlsym runs, a dlsym that allocates gets the boot pool for all of it. */
static struct hl_real r;

void hl_real_publish(void)
{
	hl_real = r;
}

/* Only what each glibc since 2.36 has: a name that is not found leaves a message behind that the next dlsym frees, and a
 * free of another library, before ours, which asks dlsym when it is first called, would do so without an end. */
void hl_real_resolve(void)
{
	FIND(calloc, "calloc");
	FIND(malloc, "malloc");
	FIND(free, "free");
	FIND(realloc, "realloc");
	FIND(reallocarray, "reallocarray");
	FIND(memalign, "memalign");
	FIND(aligned_alloc, "aligned_alloc");
	FIND(posix_memalign, "posix_memalign");
	FIND(valloc, "valloc");
	FIND(pvalloc, "pvalloc");
	FIND(malloc_usable_size, "malloc_usable_size");
	FIND(dlclose, "dlclose");
	FIND(pthread_setname_np, "pthread_setname_np");
	FIND(prctl, "prctl");
	FIND(fork_now, "_Fork");
	FIND(execve, "execve");
	FIND(execvpe, "execvpe");
	FIND(execveat, "execveat");
	FIND(fexecve, "fexecve");
	FIND(posix_spawn, "posix_spawn");
	FIND(posix_spawnp, "posix_spawnp");
	FIND(exit_now, "_exit");
	FIND(quick_exit, "quick_exit");
	FIND(mmap, "mmap");
	FIND(munmap, "munmap");
	FIND(mremap, "mremap");
}
