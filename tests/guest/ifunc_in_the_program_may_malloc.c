/*
 * An IFUNC resolver of the program allocates while the program is being relocated.
 * guest: flags -fno-stack-protector
 */
#include "guest.h"
#include <malloc.h>
#include <stdint.h>
#include <string.h>

static char *early;
static struct {
	size_t align, bytes;
	char *p;
} aligned[] = {{32, 64, 0}, {64, 24, 0}, {128, 100, 0}, {4096, 8, 0}};

static int answer_impl(void)
{
	return 42;
}

__attribute__((used)) static int (*resolve_answer(void))(void)
{
	early = malloc(40);
	if (early)
		strcpy(early, "early");
	for (int i = 0; i < 4; i++) {
		/* blocks of all phases between them */
		free(keep(malloc(24 + 16 * (size_t)i)));
		aligned[i].p = memalign(aligned[i].align, aligned[i].bytes);
		if (aligned[i].p)
			memset(aligned[i].p, i, aligned[i].bytes);
	}
	return answer_impl;
}

int answer(void) __attribute__((ifunc("resolve_answer")));

int main(void)
{
	CHECK(answer() == 42);
	CHECK(early && strcmp(early, "early") == 0);
	free(early);
	for (int i = 0; i < 4; i++) {
		char *p = aligned[i].p;

		CHECK(p && (uintptr_t)p % aligned[i].align == 0);
		CHECK(malloc_usable_size(p) >= aligned[i].bytes &&
		      malloc_usable_size(p) < aligned[i].bytes + 64);
		p = realloc(p, 100000);
		for (size_t k = 0; k < aligned[i].bytes; k++)
			CHECK(p[k] == i);
		free(p);
	}
	keep(malloc(11)); // live 1 x 11
	puts("done");
	return 0;
}
