/*
 * An IFUNC resolver of the program allocates while the program is being relocated.
 * guest: flags -fno-stack-protector
 */
#include "guest.h"
#include <string.h>

static char *early;

static int answer_impl(void)
{
	return 42;
}

__attribute__((used)) static int (*resolve_answer(void))(void)
{
	early = malloc(40);
	if (early)
		strcpy(early, "early");
	return answer_impl;
}

int answer(void) __attribute__((ifunc("resolve_answer")));

int main(void)
{
	CHECK(answer() == 42);
	CHECK(early && strcmp(early, "early") == 0);
	free(early);
	keep(malloc(11)); // live 1 x 11
	puts("done");
	return 0;
}
