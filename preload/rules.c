/*
 * rules.c - the rule cache: call site to rule, shared by all threads.
 *
 * One 8-byte word per call site, address << 16 | rule.  A word is read and written whole, so there is no
 * lock; a miss costs about a microsecond of reading .eh_frame and is paid once per call site.
 */
#include "preload/object.h"
#include "preload/unwind.h"
#include "preload/walk.h"

#define WAYS 8u
#define SETS 8192u

static _Alignas(64) _Atomic uint64_t cache[SETS * WAYS];

static _Atomic uint64_t *set_of(uint64_t address)
{
	return &cache[(address * 0x9e3779b97f4a7c15ull >> 51) * WAYS];
}

static uint32_t keep(uint64_t address, uint32_t rule)
{
	_Atomic uint64_t *set = set_of(address);
	uint32_t way = 0;

	while (way < WAYS && atomic_load_explicit(&set[way], memory_order_relaxed))
		way++;
	if (way == WAYS)
		way = (uint32_t)(address >> 3) % WAYS;
	atomic_store_explicit(&set[way], address << 16 | rule, memory_order_relaxed);
	return rule;
}

static uint32_t resolve(struct hl_cfi *c, uint64_t address)
{
	struct hl_object o;

	int found = hl_cfi_find(c, address) == 0;

#if HL_CPU_TRAMPOLINE
	/* Its CFI, where it has any, leads to the return address of the interrupted function (Linux before
	 * 5.8), or faults. */
	if ((!found || c->signal_frame) && hl_walk_is_trampoline(address + 1))
		return keep(address, HL_STEP_SIGNAL);
#endif
	if (found)
		return keep(address, hl_rule_encode(c, address));
	/* A return address that is a function's first byte: nobody called, makecontext put it there.  rbp is
	 * that of whoever made the context. */
	if (hl_cfi_find(c, address + 1) == 0 && c->func_start == address + 1)
		return keep(address, HL_STEP_END);
	/* Code may be made there later. */
	return hl_object_find(address, &o) ? keep(address, HL_STEP_NO_CFI) : HL_STEP_NO_OBJ;
}

void hl_rule_made(uint64_t address)
{
	keep(address, HL_STEP_MADE);
}

uint32_t hl_rule_of(struct hl_cfi *c, uint64_t address)
{
	_Atomic uint64_t *set = set_of(address);

	for (uint32_t way = 0; way < WAYS; way++) {
		uint64_t word = atomic_load_explicit(&set[way], memory_order_relaxed);

		if (word >> 16 == address)
			return (uint32_t)(word & 0xffff);
	}
	return resolve(c, address);
}

void hl_unwind_cfi_flush(void)
{
	for (uint32_t i = 0; i < SETS * WAYS; i++)
		atomic_store_explicit(&cache[i], 0, memory_order_relaxed);
}
