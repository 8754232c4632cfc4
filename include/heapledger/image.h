/*
 * image.h - the records of a pointer image: what of a process's memory may be a pointer at one moment.
 *
 * A stream of its own each (HL_STREAM_IMAGE), in this order; an image without its END is none.
 *
 *   BEGIN  uv number, uv tid of who wrote it, uv flags (enum hl_image_flags)
 *   REGS   one a thread: uv tid, uv how (enum hl_image_how), uv sp (its stack lives from there up; 0 unknown: all of it), uv tp
 *          (thread pointer, 0 unknown), uv n, n * uv: words of its registers that look like pointers; uv start, uv bytes of its
 *          signal stack (0 none; its start is among those words): nothing in it is alive but from sp on
 *   WORDS  aligned words of readable and writable memory whose value lies in private writable memory or in constants that need
 *          relocation (vtables), by ascending address: words.h
 *   MAP    uv start, uv end, uv flags (enum hl_image_map_flags), string name as in /proc/self/maps.  All that is writable or was (memory
 *          without a file), and the constants that WORDS may point to; without the library's own.
 *   END    uv number, uv stamp (all threads that could be stopped were), uv words, uv MAP records, uv REGS records
 */
#ifndef HEAPLEDGER_IMAGE_H
#define HEAPLEDGER_IMAGE_H

#include "heapledger/format.h"

enum hl_range_flags { HL_RANGE_MAPPED = 1 };

enum hl_image_flags {
	HL_IMAGE_AT_EXIT = 1,
	HL_IMAGE_FROZEN = 2,  /* written from a copy of the process, which itself went on */
	HL_IMAGE_VERDICT = 4, /* the program asked what it has lost by now */
	HL_IMAGE_GENTLE = 8   /* threads that wait in the kernel were left alone */
};

/* A request by signal (SI_QUEUE) carries it as its value: nobody but a reader of the region knows it. */
static inline uint64_t hl_ask_nonce(const struct hl_region *r)
{
	uint64_t n;

	__builtin_memcpy(&n, r->uuid, sizeof(n));
	return n ^ 0x9e3779b97f4a7c15ull;
}

/* How a thread's registers were learnt. */
enum hl_image_how {
	HL_IMAGE_EXITING = 1, /* it wrote the image; what its own end put on the stack is not counted */
	HL_IMAGE_PARKED,      /* it stood still, all registers are there */
	HL_IMAGE_ASKED,       /* by /proc/self/task/T/syscall: some registers only */
	HL_IMAGE_UNKNOWN
};

enum hl_image_map_flags {
	HL_IMAGE_MAP_WRITE = 1,
	HL_IMAGE_MAP_EXEC = 2,
	HL_IMAGE_MAP_SHARED = 4,
	HL_IMAGE_MAP_SCANNED = 8, /* its words are in the image */
	HL_IMAGE_MAP_PARTLY = 16, /* not all of its pages could be read */
	HL_IMAGE_MAP_TORN = 32,   /* it may have changed meanwhile */
	HL_IMAGE_MAP_SEALED = 64  /* without a file, and not to be written to as it is: it was, once */
};

#endif
