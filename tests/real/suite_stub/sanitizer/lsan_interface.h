/*
 * lsan_interface.h - the interface that LeakSanitizer offers to programs, as its manual describes it: in lsan_stub.c it does
 * nothing; a preloaded library may define it.
 */
#ifndef HL_LSAN_INTERFACE_H
#define HL_LSAN_INTERFACE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this thread allocates between the two is no leak; they nest. */
void __lsan_disable(void);
void __lsan_enable(void);
/* The block at p, and what it leads to, is no leak. */
void __lsan_ignore_object(const void *p);
/* Memory that counts as a root, until it is unregistered with the same arguments. */
void __lsan_register_root_region(const void *p, size_t size);
void __lsan_unregister_root_region(const void *p, size_t size);
/* Look for leaks now, once: the process ends when there are any. */
void __lsan_do_leak_check(void);
/* Look for leaks now: 1 when there are any. */
int __lsan_do_recoverable_leak_check(void);

#ifdef __cplusplus
}

namespace __lsan
{
class ScopedDisabler
{
      public:
	ScopedDisabler()
	{
		__lsan_disable();
	}
	~ScopedDisabler()
	{
		__lsan_enable();
	}
};
} // namespace __lsan
#endif
#endif
