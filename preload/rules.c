/*
 * rules.c - the rule of a call site that is not in the cache yet: about a microsecond of reading .eh_frame, paid once
 * per call site.
 */
#include "preload/object.h"
#include "preload/unwind_cpu.h"

uint32_t hl_rule_resolve(struct hl_cfi *c, uint64_t address)
{
	struct hl_object o;
	int found = hl_cfi_find(c, address) == 0;

#if HL_CPU_TRAMPOLINE
	/* Its CFI, where it has any, leads to the return address of the interrupted function (Linux before
	 * 5.8), or faults. */
	if ((!found || c->signal_frame) && hl_walk_is_trampoline(address + 1))
		return hl_rules_put(address, HL_STEP_SIGNAL);
#endif
	if (found)
		return hl_rules_put(address, hl_rule_encode(c, address));
	/* A return address that is a function's first byte: nobody called, makecontext put it there.  The frame
	 * pointer is that of whoever made the context. */
	if (hl_cfi_find(c, address + 1) == 0 && c->func_start == address + 1)
		return hl_rules_put(address, HL_STEP_END);
	/* Code may be made there later. */
	return hl_object_find(address, &o) ? hl_rules_put(address, HL_STEP_NO_CFI) : HL_STEP_NO_OBJ;
}

void hl_rule_made(uint64_t address)
{
	hl_rules_put(address, HL_STEP_MADE);
}
