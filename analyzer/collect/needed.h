/*
 * needed.h - the libraries that a program will have, found as ld.so finds them.  Floor: collect.
 *
 * Nothing is executed (ldd(1) may execute the program).  Source: ld.so(8) and glibc elf/dl-load.c: DT_RPATH of
 * who asks and of those who asked for it, LD_LIBRARY_PATH, DT_RUNPATH, ld.so.cache, the default directories;
 * $ORIGIN, $LIB, $PLATFORM; breadth first; a file of another class or machine is passed by.  LD_PRELOAD
 * counts as asked for by the program.
 *
 * Not looked into: glibc-hwcaps directories outside the cache, DT_AUXILIARY and DT_FILTER, what the program
 * will load by dlopen(3).
 */
#ifndef HL_COLLECT_NEEDED_H
#define HL_COLLECT_NEEDED_H

#include "analyzer/collect/dynamic.h"
#include <stdint.h>

#define HL_NEEDED_MAX 512

struct hl_needed_lib {
	char *name;  /* as it was asked for */
	char *path;  /* NULL: not found */
	unsigned by; /* who asked first */
	uint64_t dev, ino;
	struct hl_dynamic dynamic;
};

struct hl_needed {
	struct hl_needed_lib *libs; /* [0]: the program */
	unsigned n;
	int cut; /* there are more than HL_NEEDED_MAX */
};

/* 0: the program cannot be read; then there is nothing to release. */
int hl_needed_find(struct hl_needed *n, const char *program);
void hl_needed_release(struct hl_needed *n);

#endif
