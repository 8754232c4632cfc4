/*
 * arena.c - bump allocation from 256 KiB maps; larger requests get a map of their own.
 *
 * Invariant: arena holds (base of the current map) and the bump is an offset inside it; a map that two
 * threads add at once is lost to one of them only as address space never touched.
 */
#include "preload/arena.h"
#include "preload/sys.h"
#include <stdatomic.h>
#include <sys/mman.h>

#define MAP_BYTES (256u * 1024)

struct piece {
	_Atomic size_t used;
	size_t bytes;
};

static _Atomic(struct piece *) current;

static void *fresh(size_t bytes)
{
	return hl_sys_mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void *hl_arena_alloc(size_t bytes)
{
	bytes = (bytes + 63) & ~(size_t)63;
	if (bytes > MAP_BYTES / 4)
		return fresh((bytes + 4095) & ~(size_t)4095);
	for (;;) {
		/* acquire: the piece's fields before its use (partner: the exchange below) */
		struct piece *c = atomic_load_explicit(&current, memory_order_acquire);

		if (c) {
			size_t at = atomic_fetch_add_explicit(&c->used, bytes, memory_order_relaxed);

			if (at + bytes <= c->bytes)
				return (char *)c + at;
		}

		struct piece *n = fresh(MAP_BYTES);

		if (!n)
			return NULL;
		atomic_store_explicit(&n->used, 64, memory_order_relaxed);
		n->bytes = MAP_BYTES;
		if (!atomic_compare_exchange_strong_explicit(&current, &c, n, memory_order_acq_rel,
							     memory_order_relaxed))
			hl_sys_munmap(n, MAP_BYTES);
	}
}
