/* A program whose segments do not touch has its lines: the loader knows each segment by itself, and the file's
 * header, which leads to the build-id, is in the first one.
 * guest: flags -Wl,--build-id -Wl,-z,separate-code -Wl,-z,max-page-size=0x200000
 * guest: builds -fPIE -pie|-fno-pie -no-pie */
#include "guest.h"

int main(void)
{
	for (int i = 0; i < 10; i++)
		keep(malloc(100)); // live 10 x 100
	return 0;
}
