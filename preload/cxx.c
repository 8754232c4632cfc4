/*
 * cxx.c - whose operator new and delete they are.
 */
#include "preload/cxx.h"
#include "preload/guest.h"
#include "preload/unwind_cpu.h"
#include <dlfcn.h>
#include <stddef.h>

static int begins(const char *s, const char *with)
{
	while (*with && *s == *with)
		s++, with++;
	return !*with;
}

static int is_runtimes(const void *f)
{
	static const char *const names[] = {"libstdc++.so", "libc++.so", "libc++abi.so"};
	const char *name;
	Dl_info info;

	if (!f || !dladdr(f, &info) || !info.dli_fname)
		return 0;
	name = info.dli_fname;
	for (const char *p = name; *p; p++)
		if (*p == '/')
			name = p + 1;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (begins(name, names[i]))
			return 1;
	return 0;
}

int hl_cxx_is_plain(const void *f)
{
	static const char *const names[] = {"malloc", "free", "_Znwm", "_Znam", "_ZdlPv", "_ZdaPv"};

	if (!is_runtimes(f))
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!hl_pc_is_ours((uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, names[i])))
			return 0;
		if (i >= 2 && !is_runtimes(dlsym(RTLD_NEXT, names[i])))
			return 0;
	}
	return 1;
}
