/*
 * heapledger.h - tell the tracer about memory it cannot see by itself, and ask it for snapshots.
 *
 * Safe in production: each call is a no-op unless libheapledger.so is preloaded, and you link
 * nothing.  Any thread may call, a signal handler too; errno is kept.  Nothing is returned that
 * could fail: what could not be recorded is counted (`heapledger info`).  Manual: heapledger(3).
 *
 * Call the upper-case macros.  They test the weak reference first, because an unresolved weak
 * symbol is 0 (ELF gABI, Symbol Table, STB_WEAK).  In code that is not position independent the
 * linker settles a weak reference to 0 for good, so there the macros look the symbols up with dlsym
 * instead; before glibc 2.34 that needs -ldl.  Code compiled with -fPIE and then linked with -no-pie
 * cannot be told apart here: define HEAPLEDGER_DLSYM for it.  The look-up happens once per call
 * and translation unit, may allocate, and is not for a signal handler: make the first call early.
 */
#ifndef HEAPLEDGER_H
#define HEAPLEDGER_H

#include <stddef.h>

#if !defined HEAPLEDGER_DLSYM && !defined __PIC__ && !defined HEAPLEDGER_IMPLEMENTATION
#define HEAPLEDGER_DLSYM 1
#endif
#ifdef HEAPLEDGER_DLSYM
#include <dlfcn.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined HEAPLEDGER_IMPLEMENTATION
#define HEAPLEDGER_WEAK
#else
#define HEAPLEDGER_WEAK __attribute__((weak))
#endif

/*
 * Report a block handed out by your own allocator.
 *   p     start address; NULL is ignored.  It may be the address of a malloc block: blocks of a
 *         pool are a domain of their own.
 *   size  bytes the caller asked for, not what you rounded it up to.
 * Ownership: none is taken; p is never dereferenced.
 * Pair with heapledger_free(p) before p can be handed out again.  To resize: heapledger_free(old)
 * before the work, heapledger_alloc(now, size) after it, also when old == now.
 */
HEAPLEDGER_WEAK void heapledger_alloc(const void *p, size_t size);

/* The block at p goes back to your allocator.  NULL and unknown addresses are harmless. */
HEAPLEDGER_WEAK void heapledger_free(const void *p);

/* Mark this moment: `heapledger stats TRACE@LABEL` is the heap as it was now.  label is copied,
 * cut at 100 bytes; NULL is "".  Labels may repeat: the newest wins. */
HEAPLEDGER_WEAK void heapledger_snapshot(const char *label);

/* 1 when this process is being recorded, else 0. */
HEAPLEDGER_WEAK int heapledger_is_tracing(void);

#ifdef HEAPLEDGER_DLSYM

/* A null handle is RTLD_DEFAULT on every libc that can preload.  *cache: NULL not asked yet, itself:
 * not there.  Relaxed is enough, every thread finds the same value. */
static inline void *heapledger_find_(void **cache, const char *name)
{
	void *p = __atomic_load_n(cache, __ATOMIC_RELAXED);

	if (!p) {
		p = dlsym((void *)0, name);
		if (!p)
			p = (void *)cache;
		__atomic_store_n(cache, p, __ATOMIC_RELAXED);
	}
	return p == (void *)cache ? (void *)0 : p;
}

static inline void heapledger_alloc_(const void *p, size_t size)
{
	static void *cache;
	void *f = heapledger_find_(&cache, "heapledger_alloc");

	if (f)
		((void (*)(const void *, size_t))f)(p, size);
}

static inline void heapledger_free_(const void *p)
{
	static void *cache;
	void *f = heapledger_find_(&cache, "heapledger_free");

	if (f)
		((void (*)(const void *))f)(p);
}

static inline void heapledger_snapshot_(const char *label)
{
	static void *cache;
	void *f = heapledger_find_(&cache, "heapledger_snapshot");

	if (f)
		((void (*)(const char *))f)(label);
}

static inline int heapledger_is_tracing_(void)
{
	static void *cache;
	void *f = heapledger_find_(&cache, "heapledger_is_tracing");

	return f ? ((int (*)(void))f)() : 0;
}

#define HEAPLEDGER_ALLOC(p, size)  heapledger_alloc_((p), (size))
#define HEAPLEDGER_FREE(p)         heapledger_free_(p)
#define HEAPLEDGER_SNAPSHOT(label) heapledger_snapshot_(label)
#define HEAPLEDGER_IS_TRACING()    heapledger_is_tracing_()

#else

#define HEAPLEDGER_ALLOC(p, size)                                                                            \
	do {                                                                                                 \
		if (heapledger_alloc)                                                                        \
			heapledger_alloc((p), (size));                                                       \
	} while (0)
#define HEAPLEDGER_FREE(p)                                                                                   \
	do {                                                                                                 \
		if (heapledger_free)                                                                         \
			heapledger_free(p);                                                                  \
	} while (0)
#define HEAPLEDGER_SNAPSHOT(label)                                                                           \
	do {                                                                                                 \
		if (heapledger_snapshot)                                                                     \
			heapledger_snapshot(label);                                                          \
	} while (0)
#define HEAPLEDGER_IS_TRACING() (heapledger_is_tracing ? heapledger_is_tracing() : 0)

#endif

#ifdef __cplusplus
}
#endif

#endif
