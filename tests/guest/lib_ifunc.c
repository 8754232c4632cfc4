/* A library with an IFUNC whose resolver allocates, for ifunc_in_a_library_may_malloc.c. */
#include <stdlib.h>
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

/* Hidden, so that it is an IRELATIVE relocation, which comes after those that malloc needs. */
__attribute__((visibility("hidden"))) int answer(void) __attribute__((ifunc("resolve_answer")));

int lib_answer(void)
{
	return answer();
}

char *lib_early(void)
{
	return early;
}
