/*
 * boot.h - memory for callers that come before the real allocator is known: IFUNC resolvers while
 * the loader still relocates us, dlsym itself.  Floor 1.
 *
 * Runs before our own relocations: uses no pointer that needs one (only PC-relative data), no TLS,
 * no call through the PLT.  Never fails but when the kernel has no memory.
 */
#ifndef HL_PRELOAD_BOOT_H
#define HL_PRELOAD_BOOT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed. align is a power of two, at least 16 is given; caller: who asked, for the ledger.  NULL: no
 * memory. */
void *hl_boot_alloc(size_t bytes, size_t align, uint64_t caller);
#define HL_BOOT_POOL_BYTES (64u * 1024)
extern char hl_boot_pool[HL_BOOT_POOL_BYTES] __attribute__((visibility("hidden")));
/* Maps that came when it was full. */
extern _Atomic uint32_t hl_boot_extras __attribute__((visibility("hidden")));
int hl_boot_owns_extra(const void *p);

/* Is p a block of the pool?  Cheap: free and realloc ask for every pointer. */
static inline int hl_boot_owns(const void *p)
{
	return (uintptr_t)p - (uintptr_t)hl_boot_pool < HL_BOOT_POOL_BYTES ||
	       (__builtin_expect(atomic_load_explicit(&hl_boot_extras, memory_order_acquire) != 0, 0) &&
		hl_boot_owns_extra(p));
}
size_t hl_boot_size(const void *p);
/* The block is never reused. Returns 0 when it was freed before. */
int hl_boot_free(void *p);
/* Call f for every block that was allocated and not freed. */
void hl_boot_each(void (*f)(void *ctx, void *p, size_t bytes, uint64_t caller), void *ctx);

#endif
