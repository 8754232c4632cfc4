/* No hook changes errno, however often its slot is full. */
#include "guest.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

int main(void)
{
	for (int i = 0; i < 30000; i++) {
		void *a, *b;

		errno = 1234;
		a = malloc(20);
		CHECK(errno == 1234);
		b = calloc(1, 30);
		CHECK(errno == 1234);
		a = realloc(a, 50);
		CHECK(errno == 1234);
		free(a);
		CHECK(errno == 1234);
		a = memalign(64, 40);
		CHECK(errno == 1234);
		free(a);
		free(b);
		CHECK(errno == 1234);
	}
	errno = 0;
	CHECK(!malloc((size_t)keep((void *)PTRDIFF_MAX) + 1) && errno == ENOMEM);
	puts("done");
	return 0;
}
