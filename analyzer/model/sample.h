/*
 * sample.h - what a block of a sample stands for.  Floor: model.
 *
 * A block of s bytes is in a sample of one in R bytes with probability p = 1 - exp(-max(s, 1) / R), whatever
 * happens to the others.  It stands for 1 / p blocks and s / p bytes: sums of these are right on average
 * (Horvitz and Thompson, 1952), their variance is the sum over all blocks of (1 - p) / p, and that of bytes
 * of s^2 (1 - p) / p; the sums of (1 - p) / p^2 over the recorded blocks estimate those without bias.  The
 * domain MMAP is complete: its blocks stand for themselves.
 *
 * Units: in a sample, sums of blocks and bytes are integers in HL_SAMPLE_BLOCK and HL_SAMPLE_BYTE parts of
 * one, so that what enters a sum leaves it without a rest; the bias of this rounding is below 1e-5 of a
 * block and below 0.002 bytes.  In a complete trace the unit is the block and the byte.  2^48 blocks and
 * 2^56 bytes fit; beyond it sums wrap.
 */
#ifndef HL_MODEL_SAMPLE_H
#define HL_MODEL_SAMPLE_H

#include "heapledger/format.h"

#define HL_SAMPLE_BLOCK_SHIFT 16
#define HL_SAMPLE_BYTE_SHIFT  8

struct hl_weight {
	uint64_t bytes, blocks; /* in units */
	/* Of the sums that the block is in, in bytes and blocks, squared; 0 in a complete trace. */
	double bytes_variance, blocks_variance;
};

/* R must not be 0; all other values of everything are fine.  Equal arguments give equal weights. */
struct hl_weight hl_weigh_sampled(uint64_t sample_bytes, uint8_t domain, uint64_t size);

/* A block of a trace that is a sample of one in sample_bytes; 0: that is complete. */
static inline struct hl_weight hl_weigh(uint64_t sample_bytes, uint8_t domain, uint64_t size)
{
	if (__builtin_expect(sample_bytes != 0, 0))
		return hl_weigh_sampled(sample_bytes, domain, size);
	return (struct hl_weight){size, 1, 0, 0};
}

/* From units to the nearest number. */
static inline uint64_t hl_sample_bytes(uint64_t sample_bytes, uint64_t units)
{
	return sample_bytes ? (units >> HL_SAMPLE_BYTE_SHIFT) + (units >> (HL_SAMPLE_BYTE_SHIFT - 1) & 1)
			    : units;
}

static inline uint64_t hl_sample_blocks(uint64_t sample_bytes, uint64_t units)
{
	return sample_bytes ? (units >> HL_SAMPLE_BLOCK_SHIFT) + (units >> (HL_SAMPLE_BLOCK_SHIFT - 1) & 1)
			    : units;
}

/* The standard error of a variance, which rounding may have made a little less than 0. */
double hl_sample_error(double variance);

#endif
