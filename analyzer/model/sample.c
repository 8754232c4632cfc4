/*
 * sample.c - what a block of a sample stands for.  Floor: model.
 */
#include "analyzer/model/sample.h"
#include <math.h>

/* A damaged trace may say anything of sizes and rates: a double beyond the integers is not converted. */
static uint64_t to_units(double v, unsigned shift)
{
	double units = v * (double)(1ull << shift) + 0.5;

	return units < 0x1p63 ? (uint64_t)units : 1ull << 63;
}

struct hl_weight hl_weigh_sampled(uint64_t sample_bytes, uint8_t domain, uint64_t size)
{
	/* expm1: where x is small, 1 - exp(-x) would be rounding error only */
	double s = (double)size, x = (size ? s : 1) / (double)sample_bytes, blocks = -1 / expm1(-x);
	double variance = exp(-x) * blocks * blocks;

	/* shifted, so that the pieces of a mapping weigh what it weighed */
	if (domain == HL_DOMAIN_MMAP)
		return (struct hl_weight){size << HL_SAMPLE_BYTE_SHIFT, 1ull << HL_SAMPLE_BLOCK_SHIFT, 0, 0};
	return (struct hl_weight){to_units(s * blocks, HL_SAMPLE_BYTE_SHIFT),
				  to_units(blocks, HL_SAMPLE_BLOCK_SHIFT), s * s * variance, variance};
}

double hl_sample_error(double variance)
{
	return variance > 0 ? sqrt(variance) : 0;
}
