/*
 * stamp.h - reading the clock that orders events; used by both sides.
 *
 * An event's stamp is fenced: rdtsc may execute before older loads finish.  An alloc's must not be older than the hand-over of
 * the block by the allocator, a free's not older than the hand-over by the program, whose lock may be among
 * those loads: unfenced, one in some hundred thousand frees of blocks of other threads is stamped up to 300 ns
 * before their allocation, or before a realloc of them that failed.  Nothing has to come after it: the stores of the real
 * free become visible only after rdtsc retired (Intel SDM vol. 2B, RDTSC).
 *
 * Without a TSC the vDSO's clock is read.  On aarch64 it executes isb before it reads the counter, or reads the
 * one that synchronises itself (Linux, arch/arm64/include/asm/vdso/gettimeofday.h); and the allocator that hands a
 * block over has just branched on what it loaded, so that the counter is not read earlier (Arm ARM B2.3: control
 * dependency and context synchronisation).  A free's stamp is stored in the record before the allocator releases
 * the block: that store depends on the counter, and the release orders it.  A counter of 24 MHz ticks in 42 ns: more
 * stamps are equal then, and equal ones are settled by the rule that an address alternates.
 */
#ifndef HEAPLEDGER_STAMP_H
#define HEAPLEDGER_STAMP_H

#include "heapledger/format.h"
#include <time.h>

/* Nanoseconds of CLOCK_MONOTONIC_RAW, whatever the program has put before clock_gettime: each side has its own
 * (preload/vdso.c, analyzer/collect/clock.c).  Async-signal-safe, keeps errno. */
uint64_t hl_stamp_clock(void);

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
