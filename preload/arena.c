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

/* At the start of every map. */
#define HEAD 64u
struct piece {
	_Atomic size_t used;
	size_t bytes;
	struct piece *next;
};
_Static_assert(sizeof(struct piece) <= HEAD, "blocks begin behind it");

static _Atomic(struct piece *) current;
static _Atomic(struct piece *) maps; /* all of them */

static struct piece *fresh(size_t bytes)
{
	struct piece *n = hl_sys_mmap(bytes, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (n) {
		atomic_store_explicit(&n->used, HEAD, memory_order_relaxed);
		n->bytes = bytes;
	}
	return n;
}

static void list(struct piece *n)
{
	struct piece *head = atomic_load_explicit(&maps, memory_order_relaxed);

	do
		n->next = head;
	/* release: the piece before the list has it (partner: hl_arena_each) */
	while (!atomic_compare_exchange_weak_explicit(&maps, &head, n, memory_order_release,
						      memory_order_relaxed));
}

static void *fresh_large(size_t bytes)
{
	struct piece *n = fresh((bytes + HEAD + 4095) & ~(size_t)4095);

	if (!n)
		return NULL;
	list(n);
	return (char *)n + HEAD;
}

void hl_arena_each(void (*visit)(void *ctx, uintptr_t start, uintptr_t end), void *ctx)
{
	const struct piece *p = atomic_load_explicit(&maps, memory_order_acquire);

	for (; p; p = p->next)
		visit(ctx, (uintptr_t)p, (uintptr_t)p + p->bytes);
}

void *hl_arena_alloc(size_t bytes)
{
	bytes = (bytes + 63) & ~(size_t)63;
	if (bytes > MAP_BYTES / 4)
		return fresh_large(bytes);
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
		if (atomic_compare_exchange_strong_explicit(&current, &c, n, memory_order_acq_rel,
							    memory_order_relaxed))
			list(n);
		else
			hl_sys_munmap(n, MAP_BYTES);
	}
}
