/*
 * The C++ runtime's operators, called by their names: the block has the line that called, and an exception goes through
 * operator new to who catches it.  (The guests in C++ need that compiler.)
 * guest: flags -Wl,--no-as-needed -l:libstdc++.so.6
 */
#include "../guest/guest.h"
#include <stdint.h>

void *_Znwm(size_t n), *_Znam(size_t n), *_ZnwmRKSt9nothrow_t(size_t n, const void *tag);
void _ZdlPv(void *p), _ZdaPv(void *p);
extern const char _ZSt7nothrow;

int main(void)
{
	void *p;

	keep(_Znwm(40)); // live 1 x 40
	/* thrown by the plain operator inside, and caught by this one */
	CHECK(!_ZnwmRKSt9nothrow_t(SIZE_MAX / 4, &_ZSt7nothrow));
	keep(malloc(41));    // live 1 x 41
	p = keep(_Znam(42)); // total 1 x 42
	_ZdaPv(p);
	_ZdlPv(keep(_Znwm(43)));                      // total 1 x 43
	keep(_ZnwmRKSt9nothrow_t(44, &_ZSt7nothrow)); // live 1 x 44
	puts("done");
	return 0;
}
