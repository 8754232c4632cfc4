/*
 * pace.c - the account of the columns.  Floor: collect.
 */
#include "analyzer/collect/pace.h"

/* Saved up or owed at most: what the end of a program may wait for, and how long a burst is remembered. */
#define CREDIT_MAX_NS 100000000
/* Three quarters of a core: the collector has but one thread, and else to do. */
#define SHARE_MAX    12u
#define BYTE_PS      8000u
#define BYTE_PS_MAX  100000u
#define MUCH_WAITING 4u /* one in so many slots */
#define SOME_WAITING 32u

void hl_pace_init(struct hl_pace *p, unsigned cores, uint64_t now_ns)
{
	*p = (struct hl_pace){
		.credit_ns = CREDIT_MAX_NS,
		.then_ns = now_ns,
		.share = cores > SHARE_MAX ? SHARE_MAX
			 : cores           ? cores
					   : 1,
		.byte_ps = BYTE_PS,
	};
}

enum hl_hurry hl_pace_choose(struct hl_pace *p, uint32_t waiting, uint32_t nslots, uint64_t now_ns)
{
	uint64_t passed = now_ns - p->then_ns;

	/* more fills it anyway */
	if (passed > CREDIT_MAX_NS * 32ull)
		passed = CREDIT_MAX_NS * 32ull;
	p->then_ns = now_ns;
	p->credit_ns += (int64_t)(passed * p->share / 16);
	if (p->credit_ns > CREDIT_MAX_NS)
		p->credit_ns = CREDIT_MAX_NS;
	if (waiting > nslots / MUCH_WAITING)
		return HL_HURRY_MUCH;
	return waiting > nslots / SOME_WAITING || p->credit_ns <= 0 ? HL_HURRY_SOME : HL_HURRY_NONE;
}

void hl_pace_charge(struct hl_pace *p, uint32_t bytes, uint64_t cpu_ns)
{
	if (cpu_ns && bytes) {
		uint64_t ps = cpu_ns * 1000 / bytes;

		p->byte_ps = (uint32_t)((p->byte_ps * 7ull + (ps < BYTE_PS_MAX ? ps : BYTE_PS_MAX)) / 8);
	}
	p->credit_ns -= (int64_t)(bytes * (uint64_t)p->byte_ps / 1000);
	if (p->credit_ns < -CREDIT_MAX_NS)
		p->credit_ns = -CREDIT_MAX_NS;
}
