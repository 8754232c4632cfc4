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

#if !defined HEAPLEDGER_DLSYM && !defined __PIC__
#define HEAPLEDGER_DLSYM 1
#endif
#ifdef HEAPLEDGER_DLSYM
#include <dlfcn.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HEAPLEDGER_WEAK __attribute__((weak))

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

/*
 * The same with a pointer image, from which `heapledger leaks TRACE@LABEL` and refs tell what held what.  All
 * threads stand still for about 15 ms and 20 ms per GiB of heap while the process is copied; the copy writes the image, while
 * this call returns.  Where no image can be taken the mark is there alone (`heapledger info` says why).  What is lost is told from
 * two images of a process that goes on.
 */
HEAPLEDGER_WEAK void heapledger_snapshot_image(const char *label);

/*
 * Leaks.  LeakSanitizer's interface under our names: a program that calls it as __lsan_disable() and so on need not be changed.
 *
 *   disable, enable    what this thread allocates in between is no leak, nor is what it leads to; they nest.
 *   ignore_object      the block that holds p is none.  p may lie inside it.
 *   register_root_region, unregister_root_region
 *                      pointers in [p, p + size) count wherever they lie; unregister with the same values.
 *   do_leak_check      judge the process as it is now.  When something is lost the report goes to stderr and the
 *                      process ends, with HEAPLEDGER_EXITCODE or 23, without its exit handlers; else there is no check at its
 *                      end any more.  The first call counts.
 *   do_recoverable_leak_check
 *                      the same, but 1 or 0 is returned; as often as wanted.
 *
 * A check runs the command `heapledger` that is installed with the library and waits for it: tenths of a second.
 * Without it there is no verdict: nothing is lost then.
 */
HEAPLEDGER_WEAK void heapledger_disable(void);
HEAPLEDGER_WEAK void heapledger_enable(void);
HEAPLEDGER_WEAK void heapledger_ignore_object(const void *p);
HEAPLEDGER_WEAK void heapledger_register_root_region(const void *p, size_t size);
HEAPLEDGER_WEAK void heapledger_unregister_root_region(const void *p, size_t size);
HEAPLEDGER_WEAK void heapledger_do_leak_check(void);
HEAPLEDGER_WEAK int heapledger_do_recoverable_leak_check(void);

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

/* These only find; the call itself is in the macro, so that the line that calls is the program's. */
#define HEAPLEDGER_FINDER_(type, name)                                                                       \
	static inline type heapledger_find_##name(void)                                                      \
	{                                                                                                    \
		static void *cache;                                                                          \
		return (type)heapledger_find_(&cache, "heapledger_" #name);                                  \
	}
typedef void (*heapledger_alloc_t_)(const void *, size_t);
typedef void (*heapledger_free_t_)(const void *);
typedef void (*heapledger_snapshot_t_)(const char *);
typedef void (*heapledger_region_t_)(const void *, size_t);
typedef void (*heapledger_plain_t_)(void);
typedef int (*heapledger_is_tracing_t_)(void);
HEAPLEDGER_FINDER_(heapledger_alloc_t_, alloc)
HEAPLEDGER_FINDER_(heapledger_free_t_, free)
HEAPLEDGER_FINDER_(heapledger_snapshot_t_, snapshot)
HEAPLEDGER_FINDER_(heapledger_snapshot_t_, snapshot_image)
HEAPLEDGER_FINDER_(heapledger_plain_t_, disable)
HEAPLEDGER_FINDER_(heapledger_plain_t_, enable)
HEAPLEDGER_FINDER_(heapledger_free_t_, ignore_object)
HEAPLEDGER_FINDER_(heapledger_region_t_, register_root_region)
HEAPLEDGER_FINDER_(heapledger_region_t_, unregister_root_region)
HEAPLEDGER_FINDER_(heapledger_plain_t_, do_leak_check)
HEAPLEDGER_FINDER_(heapledger_is_tracing_t_, do_recoverable_leak_check)
HEAPLEDGER_FINDER_(heapledger_is_tracing_t_, is_tracing)

#define HEAPLEDGER_FOUND_(name) heapledger_find_##name()

#else
#define HEAPLEDGER_FOUND_(name) heapledger_##name
#endif

/* Call it if it is there. */
#define HEAPLEDGER_CALL_(name, ...)                                                                          \
	do {                                                                                                 \
		if (HEAPLEDGER_FOUND_(name))                                                                 \
			HEAPLEDGER_FOUND_(name)(__VA_ARGS__);                                                \
	} while (0)
#define HEAPLEDGER_ALLOC(p, size)                  HEAPLEDGER_CALL_(alloc, (p), (size))
#define HEAPLEDGER_FREE(p)                         HEAPLEDGER_CALL_(free, (p))
#define HEAPLEDGER_SNAPSHOT(label)                 HEAPLEDGER_CALL_(snapshot, (label))
#define HEAPLEDGER_SNAPSHOT_IMAGE(label)           HEAPLEDGER_CALL_(snapshot_image, (label))
#define HEAPLEDGER_DISABLE()                       HEAPLEDGER_CALL_(disable, )
#define HEAPLEDGER_ENABLE()                        HEAPLEDGER_CALL_(enable, )
#define HEAPLEDGER_IGNORE_OBJECT(p)                HEAPLEDGER_CALL_(ignore_object, (p))
#define HEAPLEDGER_REGISTER_ROOT_REGION(p, size)   HEAPLEDGER_CALL_(register_root_region, (p), (size))
#define HEAPLEDGER_UNREGISTER_ROOT_REGION(p, size) HEAPLEDGER_CALL_(unregister_root_region, (p), (size))
#define HEAPLEDGER_DO_LEAK_CHECK()                 HEAPLEDGER_CALL_(do_leak_check, )
#define HEAPLEDGER_DO_RECOVERABLE_LEAK_CHECK()                                                               \
	(HEAPLEDGER_FOUND_(do_recoverable_leak_check) ? HEAPLEDGER_FOUND_(do_recoverable_leak_check)() : 0)
#define HEAPLEDGER_IS_TRACING() (HEAPLEDGER_FOUND_(is_tracing) ? HEAPLEDGER_FOUND_(is_tracing)() : 0)

#ifdef __cplusplus
}
#endif

#endif
