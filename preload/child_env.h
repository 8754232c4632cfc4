/*
 * child_env.h - the environment of a program that is about to be executed.  Floor 4.
 *
 * What is added is LD_PRELOAD (in front of the program's own) and the HEAPLEDGER_ variables, and only when they are not
 * there.  From the environment of a program that cannot load the library (loadable.h) it is taken out, and the
 * program counted as one that is not traced.  Of the others those count as not traced in which the library does not say,
 * in the same region, that it started.
 */
#ifndef HL_PRELOAD_CHILD_ENV_H
#define HL_PRELOAD_CHILD_ENV_H

#include <stdint.h>

/* A program that somebody is about to start. */
struct hl_child {
	char *const *
		envp; /* as it should be for that program; what it was when it is that, or there is no memory */
	_Atomic uint32_t *announced; /* counted as one in which the library is to start; NULL: it is not */
	_Atomic uint64_t *lost;      /* counted as not traced; NULL: it is not */
};

/* See hl_loadable; searched: path is looked for along PATH.  In vfork children, too. */
struct hl_child hl_child_begin(char *const envp[], int dir, const char *path, int searched);
/* It did not start. */
void hl_child_failed(const struct hl_child *c);

#endif
