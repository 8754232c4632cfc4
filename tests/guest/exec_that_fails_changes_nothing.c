/*
 * A failed exec returns its error, and recording goes on.
 * guest: traces 1
 */
#include "guest.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static void *volatile bad[] = {NULL, (void *)8};

int main(void)
{
	keep(malloc(20)); // live 1 x 20
	errno = 0;
	CHECK(execl("/nonexistent/program", "program", (char *)NULL) == -1 && errno == ENOENT);
	errno = 0;
	CHECK(execlp("/dev/null", "null", (char *)NULL) == -1 && errno == EACCES);

	char *const argv[] = {"true", NULL};
	errno = 0;
	CHECK(execve(bad[0], argv, environ) == -1 && errno == EFAULT);
	errno = 0;
	CHECK(execve(bad[1], argv, environ) == -1 && errno == EFAULT);
	errno = 0;
	CHECK(execve("/bin/true", argv, (char *const *)bad[1]) == -1 && errno == EFAULT);

	/* an environment that holds a bad pointer, and one that does not end in the memory that there is */
	char *strings[] = {"A=1", (char *)bad[1], NULL}, **pages;
	errno = 0;
	CHECK(execve("/bin/true", argv, strings) == -1 && errno == EFAULT);
	pages = mmap(NULL, 2 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED && mprotect((char *)pages + (1 << 16), 1 << 16, PROT_NONE) == 0);
	pages += (1 << 16) / sizeof *pages - 1;
	*pages = "A=1";
	errno = 0;
	CHECK(execve("/bin/true", argv, pages) == -1 && errno == EFAULT);
	for (int i = 0; i < 10; i++)
		keep(malloc(21)); // live 10 x 21
	puts("done");
	return 0;
}
