/*
 * filter.h - which blocks are certainly not in a sample.  Floor 1.  Any thread; before our own relocation too.
 *
 * A free must know whether its block was sampled, and most were not: one byte tells.
 */
#ifndef HL_PRELOAD_FILTER_H
#define HL_PRELOAD_FILTER_H

#include <stdatomic.h>
#include <stdint.h>

#define HL_FILTER_BITS 13

/* Sampled live blocks whose keys fall on that place; 255: so many or more, for good. */
extern _Atomic uint8_t hl_filter[1u << HL_FILTER_BITS] __attribute__((visibility("hidden")));

static inline uint32_t hl_filter_place(uint64_t key)
{
	/* without a multiplication: every free of a sampled program comes here */
	return (uint32_t)((key >> 4 ^ key >> (4 + HL_FILTER_BITS)) & ((1u << HL_FILTER_BITS) - 1));
}

/* 0: the block is not in the sample, nor pinned. */
static inline int hl_filter_maybe(uint64_t key)
{
	/* relaxed: who frees the block has it from who allocated it, and the order with it */
	return atomic_load_explicit(&hl_filter[hl_filter_place(key)], memory_order_relaxed) != 0;
}

/* Whoever frees that block looks closer, for good. */
static inline void hl_filter_pin(uint64_t key)
{
	atomic_store_explicit(&hl_filter[hl_filter_place(key)], 255, memory_order_relaxed);
}

#endif
