/*
 * api.c - the public API (heapledger.h), and the hooks that only observe: dlclose, thread names.
 */
#include "preload/enter.h"
#include "preload/real.h"
#include "preload/record.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

HL_EXPORT void heapledger_alloc(const void *p, size_t size);
HL_EXPORT void heapledger_free(const void *p);
HL_EXPORT void heapledger_snapshot(const char *label);
HL_EXPORT int heapledger_is_tracing(void);

HL_EXPORT void heapledger_alloc(const void *p, size_t size)
{
	struct hl_thread *t = p && hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	hl_record_alloc_in(t, HL_DOMAIN_POOL, (uint64_t)(uintptr_t)p, size, HL_ENTRY_POOL, HL_CALLER);
	hl_leave(t);
}

HL_EXPORT void heapledger_free(const void *p)
{
	struct hl_thread *t = p && hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	hl_record_free_in(t, HL_DOMAIN_POOL, (uint64_t)(uintptr_t)p, HL_ENTRY_POOL);
	hl_leave(t);
}

HL_EXPORT void heapledger_snapshot(const char *label)
{
	struct hl_thread *t = hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	hl_record_mark(t, HL_MARK_API, label ? label : "");
	hl_leave(t);
}

HL_EXPORT int heapledger_is_tracing(void)
{
	return hl_state() == HL_ACTIVE;
}

/* After the real call: what is gone is gone, and destructors it ran are the program's. */
HL_EXPORT int dlclose(void *handle)
{
	struct hl_thread *t;
	int r;

	if (!hl_real_ready() || !hl_real.dlclose)
		return -1;
	r = hl_real.dlclose(handle);
	t = hl_enter();
	if (t) {
		hl_record_unloads(t);
		hl_leave(t);
	}
	return r;
}

HL_EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	struct hl_thread *t;
	int r;

	if (!hl_real_ready() || !hl_real.pthread_setname_np)
		return ENOSYS;
	r = hl_real.pthread_setname_np(thread, name);
	t = hl_enter();
	if (t) {
		hl_record_name(t);
		hl_leave(t);
	}
	return r;
}
