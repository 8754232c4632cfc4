/*
 * lsan.c - LeakSanitizer's interface (sanitizer/lsan_interface.h of compiler-rt), and the same under our own names: a program that
 * was written for it runs under us as it is.
 */
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/image.h"
#include "preload/lifecycle.h"
#include "preload/real.h"
#include "preload/verdict.h"

#define LSAN_EXITCODE 23 /* LeakSanitizer's default */

HL_EXPORT void heapledger_disable(void);
HL_EXPORT void heapledger_enable(void);
HL_EXPORT void heapledger_ignore_object(const void *p);
HL_EXPORT void heapledger_register_root_region(const void *p, size_t size);
HL_EXPORT void heapledger_unregister_root_region(const void *p, size_t size);
HL_EXPORT void heapledger_do_leak_check(void);
HL_EXPORT int heapledger_do_recoverable_leak_check(void);

HL_EXPORT void heapledger_disable(void)
{
	struct hl_thread *t = hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	/* from now on the common way leaves allocations to the one that looks at this */
	atomic_store_explicit(&hl_guest.config.special, 1, memory_order_relaxed);
	t->ignoring++;
	hl_leave(t);
}

HL_EXPORT void heapledger_enable(void)
{
	struct hl_thread *t = hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	t->ignoring -= t->ignoring != 0;
	hl_leave(t);
}

static void note(enum hl_leak_note what, const void *p, size_t size)
{
	struct hl_thread *t = p && hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	hl_facts_leak_note(t, what, (uint64_t)(uintptr_t)p, size);
	hl_leave(t);
}

HL_EXPORT void heapledger_ignore_object(const void *p)
{
	note(HL_LEAK_KEEP, p, 0);
}

HL_EXPORT void heapledger_register_root_region(const void *p, size_t size)
{
	note(HL_LEAK_ROOT, p, size);
}

HL_EXPORT void heapledger_unregister_root_region(const void *p, size_t size)
{
	note(HL_LEAK_UNROOT, p, size);
}

/* Does not come back when something is lost; else the check of the end has been made with this one. */
HL_EXPORT void heapledger_do_leak_check(void)
{
	static _Atomic uint32_t made_by;
	int verdict;

	if (!hl_real_ready() || !hl_records(hl_state()) ||
	    atomic_exchange_explicit(&made_by, hl_guest.image_id, memory_order_relaxed) == hl_guest.image_id)
		return;
	verdict = hl_verdict_now();
	if (verdict < 0)
		return;
	hl_image_settle();
	if (verdict == 0)
		return;

	int status = hl_guest.config.exitcode ? hl_guest.config.exitcode : LSAN_EXITCODE;

	hl_lifecycle_end(HL_END_FAST, status);
	hl_real.exit_now(status);
}

HL_EXPORT int heapledger_do_recoverable_leak_check(void)
{
	return hl_verdict_now() > 0;
}

/* ---- under LeakSanitizer's names ---- */

#define AS_LSAN(type, name, arguments)                                                                       \
	HL_EXPORT type __lsan_##name arguments __attribute__((alias("heapledger_" #name)))

AS_LSAN(void, disable, (void));
AS_LSAN(void, enable, (void));
AS_LSAN(void, ignore_object, (const void *p));
AS_LSAN(void, register_root_region, (const void *p, size_t size));
AS_LSAN(void, unregister_root_region, (const void *p, size_t size));
AS_LSAN(void, do_leak_check, (void));
AS_LSAN(int, do_recoverable_leak_check, (void));
