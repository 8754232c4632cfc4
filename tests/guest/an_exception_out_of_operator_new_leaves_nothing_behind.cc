/*
 * After a bad_alloc, what functions called further in allocate is theirs, not operator new's.
 */
#include "guest.h"
#include <new>

static volatile std::size_t too_much = std::size_t(1) << 60;
static void *volatile sink;

__attribute__((noinline)) static void deeper(int n)
{
	char room[300];

	keep(room + n);
	sink = malloc(71); // live 8 x 71
	keep(room);
}

__attribute__((noinline)) static void deeper_still(int n)
{
	char room[600];

	keep(room + n);
	sink = new char[73]; // live 8 x 73
	keep(room);
}

int main()
{
	for (int i = 0; i < 8; i++) {
		try {
			if (i & 1)
				sink = ::operator new[](too_much);
			else
				sink = ::operator new(too_much, std::align_val_t(64));
			puts("impossible");
		} catch (const std::bad_alloc &) {
		}
		deeper(i);
		CHECK(!::operator new(too_much, std::nothrow));
		deeper_still(i);
	}
	puts("done");
	return 0;
}
