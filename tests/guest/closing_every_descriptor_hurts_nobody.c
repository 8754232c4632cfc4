/*
 * The program closes all descriptors and puts its own file on every number up to 200; nothing of
 * ours may appear in it, and recording goes on.
 */
#include "guest.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	struct stat st;
	int fd;

	CHECK(!close_range(3, ~0u, 0));
	fd = open("own", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd == 3);
	for (int i = 4; i < 200; i++)
		CHECK(dup2(fd, i) == i);
	for (int i = 0; i < 200000; i++)
		free(keep(malloc(100))); // total 200000 x 100
	for (int i = 0; i < 10; i++)
		keep(malloc(57)); // live 10 x 57
	CHECK(!fstat(fd, &st) && st.st_size == 0);
	for (int i = 3; i < 200; i++)
		CHECK(fcntl(i, F_GETFD) != -1);
	puts("done");
	return 0;
}
