/*
 * lsan_stub.c - a library in which the interface of LeakSanitizer does nothing, for programs that are built without it.
 *
 * A shared library, so that what a preloaded library defines goes first.  It refers to what a program may define, so that
 * the linker exports that from the program, as it does where LeakSanitizer is linked.
 */
#include "sanitizer/lsan_interface.h"

#define WEAK __attribute__((weak))

extern WEAK const char *__lsan_default_options(void);
extern WEAK const char *__lsan_default_suppressions(void);
extern WEAK int __lsan_is_turned_off(void);
const void *lsan_stub_refers_to[] = {(const void *)__lsan_default_options,
				     (const void *)__lsan_default_suppressions,
				     (const void *)__lsan_is_turned_off};

WEAK void __lsan_disable(void)
{
}

WEAK void __lsan_enable(void)
{
}

WEAK void __lsan_ignore_object(const void *p)
{
	(void)p;
}

WEAK void __lsan_register_root_region(const void *p, size_t size)
{
	(void)p;
	(void)size;
}

WEAK void __lsan_unregister_root_region(const void *p, size_t size)
{
	(void)p;
	(void)size;
}

WEAK void __lsan_do_leak_check(void)
{
}

WEAK int __lsan_do_recoverable_leak_check(void)
{
	return 0;
}
