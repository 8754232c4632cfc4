/*
 * clock.h - which clock stamps a run, and how fast it ticks.  Floor: collect.
 *
 * The TSC where CPUID says that it is invariant and the kernel itself trusts it (clocksource
 * "tsc"); else CLOCK_MONOTONIC_RAW.  Source: Intel SDM vol. 3, "Invariant TSC"; CPUID leaves
 * 0x80000007 and 0x15, hypervisor leaf 0x40000010.
 */
#ifndef HL_COLLECT_CLOCK_H
#define HL_COLLECT_CLOCK_H

#include "heapledger/stamp.h"

struct hl_clock_setup {
	uint32_t clock;       /* enum hl_clock */
	uint32_t shift;       /* a tick is 8-16 ns after it */
	uint64_t ticks_per_s; /* after the shift; the first estimate */
	uint64_t counter, ns; /* where the measurement began */
};

/* Choose and calibrate; sleeps half a millisecond when it is the TSC: the rate is then known to 0.02 %, or as
 * the CPU or the hypervisor says. */
void hl_clock_choose(struct hl_clock_setup *c);
/* ticks_per_s, measured from the start until now when that is long enough to be better. */
uint64_t hl_clock_rate(const struct hl_clock_setup *c);
/* The smallest shift that makes a tick of a clock of that rate at least 8 ns. */
uint32_t hl_clock_shift(uint64_t hz);

#endif
