/*
 * A failed exec returns its error, and recording goes on.
 * guest: traces 1
 */
#include "guest.h"
#include <errno.h>
#include <unistd.h>

int main(void)
{
	keep(malloc(20)); // live 1 x 20
	errno = 0;
	CHECK(execl("/nonexistent/program", "program", (char *)NULL) == -1 && errno == ENOENT);
	errno = 0;
	CHECK(execlp("/dev/null", "null", (char *)NULL) == -1 && errno == EACCES);
	for (int i = 0; i < 10; i++)
		keep(malloc(21)); // live 10 x 21
	puts("done");
	return 0;
}
