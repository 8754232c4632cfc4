/* Two libraries from one source: the same functions at the same addresses, other frames. */
#include "edge.h"

void twin(void (*f)(void));

FRAME static void inner(void (*f)(void))
{
	volatile char a[TWIN_BYTES];

	a[0] = 1;
	f();
	a[1] = a[0];
}

void twin(void (*f)(void))
{
	inner(f);
	STAY;
}
