/*
 * guest.h - what the guest programs share.
 *
 * Each program keeps one promise of the preloaded library and is named after it.  guest.py runs it
 * untraced, under `heapledger run`, and with bare LD_PRELOAD, and compares output and status byte for byte; then
 * it holds the traces against the marks in the source, each on the line that allocates:
 *     // live N x SIZE     at the end N blocks of SIZE bytes of this line are live
 *     // total N x SIZE    this line allocated N blocks of SIZE bytes in all
 *     ... @others          in the traces of the further processes, added up
 * A comment line " * guest: WORD VALUE" sets how it is built and run; guest.py lists the words.
 */
#ifndef HL_GUEST_H
#define HL_GUEST_H

#include <stdio.h>
#include <stdlib.h>

/* No compiler may drop an allocation whose address went through here. */
static inline void *keep(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

#define CHECK(cond)                                                                                          \
	do {                                                                                                 \
		if (!(cond)) {                                                                               \
			printf("line %d: %s\n", __LINE__, #cond);                                            \
			fflush(stdout);                                                                      \
			_Exit(1);                                                                            \
		}                                                                                            \
	} while (0)

#endif
