/*
 * stamp.h - reading the clock of a region; used by both sides.
 *
 * A stamp is `ticks of the region's clock >> stamp_shift` (format.h).  Both functions are
 * async-signal-safe and make no system call where the vDSO has the clock.
 *
 * Order (DESIGN, "Order"): a free is stamped before the real free, by the unfenced form: the
 * counter is read when the instruction executes, which is before any later store can leave the
 * core.  An alloc is stamped after the real alloc, by the fenced form: without the fence the
 * counter may be read while the allocator's loads are still under way.
 * Source: Intel SDM vol. 2, RDTSC ("not a serializing instruction") and LFENCE.
 */
#ifndef HEAPLEDGER_STAMP_H
#define HEAPLEDGER_STAMP_H

#include "heapledger/format.h"
#include <time.h>

/* CLOCK_MONOTONIC_RAW in nanoseconds. */
static inline uint64_t hl_stamp_raw_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#if defined(__x86_64__)
static inline uint64_t hl_stamp_counter(void)
{
	return __builtin_ia32_rdtsc();
}

static inline void hl_stamp_fence(void)
{
	__builtin_ia32_lfence();
}
#else
/* No counter is used on this CPU: the region's clock is never HL_CLOCK_TSC here. */
static inline uint64_t hl_stamp_counter(void)
{
	return hl_stamp_raw_ns();
}

static inline void hl_stamp_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#endif

/* clock, shift: of the region's header, copied when it was checked. */
static inline uint64_t hl_stamp(uint32_t clock, uint32_t shift)
{
	return (clock == HL_CLOCK_TSC ? hl_stamp_counter() : hl_stamp_raw_ns()) >> shift;
}

static inline uint64_t hl_stamp_fenced(uint32_t clock, uint32_t shift)
{
	hl_stamp_fence();
	return hl_stamp(clock, shift);
}

#endif
