/* The program's first descriptor is the one it would get without us; children inherit none. */
#include "guest.h"
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	keep(malloc(11)); // live 1 x 11
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			printf("descriptor %d is open\n", fd);
	CHECK(open("/dev/null", O_RDONLY) == 3);
	fflush(stdout);
	if (fork() == 0) {
		for (int fd = 4; fd < 1024; fd++)
			if (fcntl(fd, F_GETFD) != -1)
				printf("descriptor %d is open in the child\n", fd);
	}
	return 0;
}
