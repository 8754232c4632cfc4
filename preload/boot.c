/*
 * boot.c - 64 KiB in .bss, then maps; a header before each block.
 *
 * Invariant: blocks lie one after the other in a piece, so a walk by header finds all of them.
 */
#include "preload/boot.h"
#include "preload/filter.h"
#include "preload/sys.h"
#include <stdatomic.h>
#include <sys/mman.h>

#define EXTRA_BYTES (1024u * 1024)
#define EXTRAS      64

struct head {
	size_t bytes; /* asked for */
	uint64_t caller;
	uint32_t span; /* bytes from this header to the next one */
	uint32_t live;
	uint64_t pad;
};
_Static_assert(sizeof(struct head) == 32,
	       "spans are multiples of it: a padded block's header never overlaps the walk's");

struct piece {
	_Atomic(char *) base;
	_Atomic size_t used;
	size_t bytes;
};

_Alignas(64) char hl_boot_pool[HL_BOOT_POOL_BYTES];
static _Atomic size_t pool_used;
static struct piece extras[EXTRAS];
_Atomic uint32_t hl_boot_extras;

static void *carve(char *base, _Atomic size_t *used, size_t room, size_t bytes, size_t align, uint64_t caller)
{
	/* The block's address is aligned by its place: span covers any padding before the block. */
	size_t span =
		(bytes + sizeof(struct head) + align + sizeof(struct head) - 1) & ~(sizeof(struct head) - 1);
	size_t at = atomic_fetch_add_explicit(used, span, memory_order_relaxed);

	if (at + span > room || span < bytes) {
		atomic_fetch_sub_explicit(used, span, memory_order_relaxed);
		return NULL;
	}

	uintptr_t first = (uintptr_t)base + at + sizeof(struct head);
	uintptr_t p = (first + align - 1) & ~(uintptr_t)(align - 1);
	struct head *walk = (struct head *)(base + at), *h = (struct head *)p - 1;

	walk->span = (uint32_t)span;
	h->bytes = bytes;
	h->caller = caller;
	h->live = 1;
	/* The walk needs the header's place when the block was padded. */
	if (h != walk) {
		walk->bytes = (size_t)(p - (uintptr_t)walk);
		walk->live = 2;
	}
	return (void *)p;
}

void *hl_boot_alloc(size_t bytes, size_t align, uint64_t caller)
{
	if (align < 16)
		align = 16;
	if (bytes > UINT32_MAX / 2 || align > UINT32_MAX / 4)
		return NULL;

	void *p = carve(hl_boot_pool, &pool_used, HL_BOOT_POOL_BYTES, bytes, align, caller);

	while (!p) {
		uint32_t n = atomic_load_explicit(&hl_boot_extras, memory_order_acquire);

		if (n && (p = carve(extras[n - 1].base, &extras[n - 1].used, extras[n - 1].bytes, bytes,
				    align, caller)))
			break;
		if (n == EXTRAS)
			return NULL;

		size_t want = bytes + align + 4096 > EXTRA_BYTES ? (bytes + align + 8191) & ~(size_t)4095
								 : EXTRA_BYTES;
		char *base = hl_sys_mmap(want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (!base)
			return NULL;
		/* Only one thread exists this early but for library constructors that start some: whoever
		 * loses the race gives its map back. */
		char *none = NULL;

		if (!atomic_compare_exchange_strong(&extras[n].base, &none, base)) {
			hl_sys_munmap(base, want);
			continue;
		}
		extras[n].bytes = want;
		atomic_store_explicit(&hl_boot_extras, n + 1, memory_order_release);
	}
	hl_filter_pin((uint64_t)(uintptr_t)p);
	return p;
}

int hl_boot_owns_extra(const void *p)
{
	uint32_t n = atomic_load_explicit(&hl_boot_extras, memory_order_acquire);

	for (uint32_t i = 0; i < n; i++)
		if ((uintptr_t)p - (uintptr_t)extras[i].base < extras[i].bytes)
			return 1;
	return 0;
}

size_t hl_boot_size(const void *p)
{
	return ((const struct head *)p)[-1].bytes;
}

int hl_boot_free(void *p)
{
	struct head *h = (struct head *)p - 1;

	if (h->live != 1)
		return 0;
	h->live = 0;
	return 1;
}

static void walk(char *base, size_t used, void (*f)(void *, void *, size_t, uint64_t), void *ctx)
{
	for (size_t at = 0; at < used;) {
		struct head *w = (struct head *)(base + at);
		struct head *h = w->live == 2 ? (struct head *)((char *)w + w->bytes) - 1 : w;

		if (w->span == 0)
			return;
		if (h->live == 1)
			f(ctx, h + 1, h->bytes, h->caller);
		at += w->span;
	}
}

void hl_boot_each(void (*f)(void *ctx, void *p, size_t bytes, uint64_t caller), void *ctx)
{
	uint32_t n = atomic_load_explicit(&hl_boot_extras, memory_order_acquire);

	walk(hl_boot_pool, pool_used, f, ctx);
	for (uint32_t i = 0; i < n; i++)
		walk(extras[i].base, extras[i].used, f, ctx);
}
