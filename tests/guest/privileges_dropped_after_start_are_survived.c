/*
 * chroot to an empty directory and another user id, as daemons do.
 * guest: root yes
 */
#include "guest.h"
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	CHECK(!mkdir("jail", 0755));
	CHECK(!chroot("jail") && !chdir("/"));
	CHECK(!setgroups(0, NULL) && !setgid(65534) && !setuid(65534));
	for (int i = 0; i < 200000; i++)
		free(keep(malloc(90))); // total 200000 x 90
	for (int i = 0; i < 10; i++)
		keep(malloc(92)); // live 10 x 92
	puts("done");
	return 0;
}
