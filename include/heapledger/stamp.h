/*
 * stamp.h - reading the clock that orders events; used by both sides.
 *
 * An alloc's stamp is fenced: rdtsc may execute before older loads finish, and the stamp must not
 * be older than the hand-over of the block by the allocator.  A free's stamp needs no fence: the
 * stores of the real free become visible only after rdtsc retired (Intel SDM vol. 2B, RDTSC).
 */
#ifndef HEAPLEDGER_STAMP_H
#define HEAPLEDGER_STAMP_H

#include "heapledger/format.h"
#include <time.h>

static inline uint64_t hl_stamp_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts); /* vDSO: async-signal-safe, keeps errno */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

#if defined(__x86_64__)
static inline uint64_t hl_stamp(uint32_t clock, uint32_t shift)
{
	if (__builtin_expect(clock == HL_CLOCK_TSC, 1))
		return __builtin_ia32_rdtsc() >> shift;
	return hl_stamp_clock() >> shift;
}

static inline uint64_t hl_stamp_fenced(uint32_t clock, uint32_t shift)
{
	if (__builtin_expect(clock == HL_CLOCK_TSC, 1)) {
		__builtin_ia32_lfence();
		return __builtin_ia32_rdtsc() >> shift;
	}
	return hl_stamp_clock() >> shift;
}
#else
static inline uint64_t hl_stamp(uint32_t clock, uint32_t shift)
{
	(void)clock;
	return hl_stamp_clock() >> shift;
}

static inline uint64_t hl_stamp_fenced(uint32_t clock, uint32_t shift)
{
	(void)clock;
	return hl_stamp_clock() >> shift;
}
#endif

#endif
