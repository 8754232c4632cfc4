/*
 * unwind.c - choosing the method.
 */
#include "preload/unwind.h"

static _Atomic uint32_t by_libunwind;

void hl_unwind_init(void)
{
	if (hl_guest.config.unwind == HL_UNWIND_LIBUNWIND && hl_unwind_libunwind_init() == 0)
		atomic_store_explicit(&by_libunwind, 1, memory_order_release);
}

uint32_t hl_unwind(struct hl_thread *t, struct hl_stream *s, uintptr_t frame, uint32_t room)
{
	if (HL_UNLIKELY(hl_guest.config.unwind == HL_UNWIND_NONE))
		return 0;
	if (HL_UNLIKELY(atomic_load_explicit(&by_libunwind, memory_order_acquire)))
		return hl_unwind_libunwind(s, room);
	return hl_unwind_cfi(t, s, frame, room);
}

void hl_unwind_flush(void)
{
	hl_unwind_cfi_flush();
}

void hl_unwind_forked(void)
{
	atomic_store_explicit(&by_libunwind, 0, memory_order_release);
}
