/*
 * The runtime's other operators delete end in operator delete(void *), its operator new(nothrow) in operator new: where the
 * program or a library replaced one, it is called as often as without us, whatever form was used.
 *
 * guest: builds -DIN_PROGRAM|-DIN_LIBRARY|-DMALLOC
 * guest: lib lib_delete.c
 * guest: mismatched yes
 */
#include "guest.h"
#include <dlfcn.h>
#include <new>

extern "C" unsigned lib_deletes;
static unsigned news, deletes, mallocs;

#ifdef IN_PROGRAM
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#endif
void operator delete(void *p) noexcept
{
	deletes += p != nullptr;
	free(p);
}
void *operator new(size_t n)
{
	news++;
	return malloc(n ? n : 1);
}
#endif
#ifdef MALLOC
/* before ours: we see none of its calls but those that it passes on */
extern "C" void *malloc(size_t n)
{
	static void *(*real)(size_t);

	if (!real)
		real = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	mallocs++;
	return real(n);
}
#endif

static void *volatile sink;

int main()
{
	unsigned before = mallocs;

	for (int i = 0; i < 4; i++) {
		sink = ::operator new(24, std::nothrow);
		if (i == 0)
			::operator delete(sink);
		else if (i == 1)
			::operator delete(sink, std::size_t(24));
		else if (i == 2)
			::operator delete(sink, std::nothrow);
		else
			::operator delete[](sink);
	}
	sink = ::operator new[](24);
	::operator delete[](sink, std::size_t(24));
	printf("%u %u %u %u\n", news, deletes, lib_deletes, mallocs - before);
	return 0;
}
