/*
 * api.c - the public API (heapledger.h), and the hooks that only observe: dlclose, thread names.
 */
#include "preload/enter.h"
#include "preload/image.h"
#include "preload/real.h"
#include "preload/modrec.h"
#include "preload/record.h"
#include "preload/unseen.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/prctl.h>

HL_EXPORT void heapledger_alloc(const void *p, size_t size);
HL_EXPORT void heapledger_free(const void *p);
HL_EXPORT void heapledger_snapshot(const char *label);
HL_EXPORT void heapledger_snapshot_image(const char *label);
HL_EXPORT int heapledger_is_tracing(void);

HL_EXPORT void heapledger_alloc(const void *p, size_t size)
{
	struct hl_thread *t = p && hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	hl_record_pool_alloc(t, (uint64_t)(uintptr_t)p, size, HL_CALLER);
	hl_leave(t);
}

HL_EXPORT void heapledger_free(const void *p)
{
	struct hl_thread *t = p && hl_real_ready() ? hl_enter() : NULL;

	if (!t)
		return;
	hl_record_pool_free(t, (uint64_t)(uintptr_t)p);
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

/* Without an image a mark is better than nothing; one that could not be copied has it. */
HL_EXPORT void heapledger_snapshot_image(const char *label)
{
	struct hl_image_request r = {.label = label ? label : "", .reason = HL_MARK_API};
	struct hl_thread *t = hl_real_ready() ? hl_enter() : NULL;
	enum hl_ask result;

	if (!t)
		return;
	result = hl_image_live(t, &r, NULL);
	if (result > HL_ASK_DONE && result != HL_ASK_NO_COPY)
		hl_record_mark(t, HL_MARK_API, r.label);
	hl_leave(t);
}

HL_EXPORT int heapledger_is_tracing(void)
{
	return hl_records(hl_state());
}

/* Modules after the real call: what is gone is gone, and destructors it ran are the program's. */
HL_EXPORT int dlclose(void *handle)
{
	struct hl_thread *t;
	int r;

	if (!hl_real_ready() || !hl_real.dlclose)
		return -1;
	t = hl_enter();
	if (t) {
		hl_unseen_closes(t, handle);
		hl_leave(t);
	}
	r = hl_real.dlclose(handle);
	t = hl_enter();
	if (t) {
		hl_modrec_unloads(t);
		hl_leave(t);
	}
	return r;
}

/* The calling thread's own name; another thread's is seen when that thread begins. */
static void renamed(const char *name)
{
	struct hl_thread *t = hl_enter();

	if (!t)
		return;
	hl_record_name(t, name);
	hl_leave(t);
}

HL_EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	int r;

	if (!hl_real_ready() || !hl_real.pthread_setname_np)
		return ENOSYS;
	r = hl_real.pthread_setname_np(thread, name);
	if (r == 0 && pthread_equal(thread, pthread_self()))
		renamed(name);
	return r;
}

HL_EXPORT int prctl(int option, ...)
{
	unsigned long a[4];
	va_list ap;
	int r;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (!hl_real_ready() || !hl_real.prctl) {
		errno = ENOSYS;
		return -1;
	}
	/* before it takes effect: after it, asking who we are may kill; a vfork child restricts itself alone */
	if ((option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP) && hl_image_is_due())
		hl_image_forbid();
	r = hl_real.prctl(option, a[0], a[1], a[2], a[3]);
	if (option == PR_SET_NAME && r == 0)
		renamed((const char *)(uintptr_t)a[0]);
	return r;
}
