/*
 * edge.h - what the programs of this folder share.  Each is built and run by unwind.py, which says how to
 * write what a program knows of its own stacks on the lines that allocate.
 */
#ifndef HL_EDGE_H
#define HL_EDGE_H

#include <stdio.h>
#include <stdlib.h>

/* A frame of its own, whatever the compiler thinks of it. */
#define FRAME __attribute__((noipa, noinline, optimize("no-optimize-sibling-calls")))

/* No compiler may drop an allocation whose address went through here. */
static inline void *keep(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

/* An allocation at this line. */
#define TAKE(size) free(keep(malloc(size)))
/* Behind a call: it is not the function's last act. */
#define STAY __asm__ volatile("" : : : "memory")

#define CHECK(cond)                                                                                          \
	do {                                                                                                 \
		if (!(cond)) {                                                                               \
			printf("line %d: %s\n", __LINE__, #cond);                                            \
			fflush(stdout);                                                                      \
			_Exit(1);                                                                            \
		}                                                                                            \
	} while (0)

#endif
