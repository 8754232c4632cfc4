/*
 * Operator new in all its forms; delete in all of its forms.
 * guest: options free-stacks
 */
#include "guest.h"
#include <new>

struct alignas(128) wide {
	char bytes[256];
};
struct small {
	char bytes[40];
};

/* Through a volatile: clang may drop new-expressions whose result is unused. */
static void *volatile sink;

int main()
{
	sink = new small;                                 // live 1 x 40
	sink = new small[3];                              // live 1 x 120
	sink = new (std::nothrow) small;                  // live 1 x 40
	sink = new (std::nothrow) small[2];               // live 1 x 80
	sink = new wide;                                  // live 1 x 256
	sink = new wide[2];                               // live 1 x 512
	sink = ::operator new(77);                        // live 1 x 77
	sink = ::operator new(192, std::align_val_t(64)); // live 1 x 192
	sink = ::operator new[](79, std::nothrow);        // live 1 x 79

	small *s = new small; // total 1 x 40
	sink = s;
	delete s;
	s = new small[4]; // total 1 x 160
	sink = s;
	delete[] s;
	wide *w = new wide; // total 1 x 256
	sink = w;
	delete w;
	w = new wide[2]; // total 1 x 512
	sink = w;
	delete[] w;
	sink = ::operator new(81); // total 1 x 81
	::operator delete(sink, std::size_t(81));
	sink = ::operator new(82); // total 1 x 82
	::operator delete(sink, std::nothrow);
	puts("done");
	return 0;
}
