/*
 * The program's preinit functions run before every constructor; a library's constructor may run
 * before ours.  Both allocate.
 * guest: lib lib_constructor.c
 */
#include "guest.h"

static void *early[4];
extern void *lib_constructed[4];

static void before_all(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	for (int i = 0; i < 4; i++)
		early[i] = malloc(70); // live 3 x 70
}

__attribute__((used, section(".preinit_array"))) static void (*const preinit)(int, char **,
									      char **) = before_all;

__attribute__((constructor)) static void construct(void)
{
	keep(malloc(90)); // live 1 x 90
}

int main(void)
{
	CHECK(early[0] && lib_constructed[0]);
	free(early[0]);
	free(lib_constructed[0]);
	puts("done");
	return 0;
}
