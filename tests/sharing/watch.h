/*
 * watch.h - which cache lines the library writes, and from which threads.
 *
 * The library is built a second time with -fsanitize=thread, so that every load and store it makes is a call, and
 * linked with watch.c instead of the sanitizer's own run time: it notes the line and the thread.  A program finds these
 * functions by dlsym and switches the watch on when all that happens once has happened.
 *
 * Not seen: what libc and the kernel write on the library's behalf, and the collector, which is another process.
 */
#ifndef HL_SHARING_WATCH_H
#define HL_SHARING_WATCH_H

#include <stddef.h>
#include <stdint.h>

#define HL_WATCH_LINE    64u
#define HL_WATCH_THREADS 32u

/* A line that a thread wrote and another wrote or read. */
struct hl_watch_line {
	uintptr_t address;
	uint32_t writers, readers; /* bit k: the k-th thread that was seen */
	uint64_t writes;
	uintptr_t
		pc[3]; /* of the first writer, of the second, of the last reader; as offsets in the library */
	char place[32]; /* in the region: what it is; else "" */
};

struct hl_watch_sum {
	uint64_t writes[HL_WATCH_THREADS]; /* by thread */
	uint64_t region_writes;            /* to the region's tables: all but slots */
	uint64_t handovers;                /* slots that were claimed */
	uint64_t overflow;                 /* lines that were not noted: the result is worth nothing */
};

/* No thread may be in a hook when these are called. */
typedef void hl_watch_switch_t(int on);
typedef size_t hl_watch_lines_t(struct hl_watch_line *out, size_t room, struct hl_watch_sum *sum);

#endif
