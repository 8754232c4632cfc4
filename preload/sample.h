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

#include "preload/filter.h"
#include "preload/thread.h"

#define HL_SAMPLE_POOL (1ull << 63)

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

/* The calling thread's bytes up to its next point, for hl_sample_skips; 0: hl_sample_take knows them. */
extern __thread uint64_t hl_sample_credit __attribute__((visibility("hidden")));

/* 1: a block of that size, which will be allocated now, is not in the sample; that is settled then.  0: ask
 * hl_sample_take when it is there. */
static inline int hl_sample_skips(uint64_t size)
{
	uint64_t credit = hl_sample_credit, step = size + !size;

	if (HL_UNLIKELY(step >= credit))
		return 0;
	hl_sample_credit = credit - step;
	return 1;
}

/* From here to hl_sample_go_on nothing is skipped: who announced a malloc (hooks_new.c) must see that it was recorded or not, or
 * takes its block for another allocator's and asks once more. */
void hl_sample_hold(struct hl_thread *t);
void hl_sample_go_on(struct hl_thread *t);
/* The calling thread's state is not its own any more. */
void hl_sample_end(void);

#endif
