/*
 * sample.h - a Poisson sample by bytes: which new blocks are recorded, and which live ones were.  Floor 2.
 *
 * Along the bytes that a thread allocates lie points, config.sample bytes apart on average, without memory: a
 * block with a point in it is in the sample.  So a block of s bytes (at least 1) is in it with probability
 * 1 - exp(-s / config.sample), whatever else was allocated.
 *
 * The blocks of the sample that live are in a set.  A free of any other block finds that out by one byte of a
 * filter, nearly always; nobody ever waits for anybody.  A key is an address; HL_SAMPLE_POOL is added for
 * blocks of the domain POOL.
 */
#ifndef HL_PRELOAD_SAMPLE_H
#define HL_PRELOAD_SAMPLE_H

#include "preload/thread.h"

#define HL_SAMPLE_POOL        (1ull << 63)
#define HL_SAMPLE_FILTER_BITS 13

/* Sampled live blocks whose keys fall on that place; 255: so many or more, for good. */
extern _Atomic uint8_t hl_sample_filter[1u << HL_SAMPLE_FILTER_BITS] __attribute__((visibility("hidden")));

/* A new or forked thread: its points are its own. */
void hl_sample_begin(struct hl_thread *t);
/* A block was allocated: 1: it is in the sample, and in the set from now on. */
int hl_sample_take(struct hl_thread *t, uint64_t key, uint64_t size);
/* A block is about to go: 1: it was in the sample, and is in the set no more.  *temporary: t allocated it, and
 * nothing after it. */
int hl_sample_drop(struct hl_thread *t, uint64_t key, uint64_t *size, int *temporary);
/* It did not go after all. */
void hl_sample_undrop(struct hl_thread *t, uint64_t key, uint64_t size);
/* The bytes that a block of the sample stands for. */
uint64_t hl_sample_weight(uint64_t size);

static inline uint32_t hl_sample_place(uint64_t key)
{
	return (uint32_t)((key >> 4) * 0x9e3779b97f4a7c15ull >> (64 - HL_SAMPLE_FILTER_BITS));
}

/* 0: the block is not in the sample. */
static inline int hl_sample_maybe(uint64_t key)
{
	/* relaxed: who frees the block has it from who allocated it, and the order with it */
	return atomic_load_explicit(&hl_sample_filter[hl_sample_place(key)], memory_order_relaxed) != 0;
}

/* 1: a block of that size, which will be allocated now, is not in the sample; that is settled then.  0: ask
 * hl_sample_take when it is there.  Inside an operator new that announced itself it is always 0: who announced must
 * see that this malloc was its own, or takes the block for another allocator's and asks once more. */
static inline int hl_sample_skips(uint64_t size)
{
	struct hl_thread *t = hl_thread_peek();
	int64_t left;

	if (HL_UNLIKELY(!t || t->level || t->entry_hint != HL_ENTRY_COUNT || size >= INT64_MAX))
		return 0;
	left = t->sample_left - (int64_t)(size ? size : 1);
	if (HL_UNLIKELY(left < 0))
		return 0;
	t->sample_left = left;
	return 1;
}

#endif
