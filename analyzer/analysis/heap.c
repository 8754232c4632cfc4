/*
 * heap.c - allocation sites and their threads.  Floor: analysis.
 */
#include "analyzer/analysis/heap.h"
#include <stdlib.h>

const char *hl_kind_name(enum hl_kind k)
{
	static const char *const names[HL_KINDS] = {"malloc", "new", "mmap", "pool"};

	return names[k];
}

void hl_heap_init(struct hl_heap *h, struct hl_stacks *stacks)
{
	*h = (struct hl_heap){.stacks = stacks};
}

void hl_heap_release(struct hl_heap *h)
{
	free(h->sites);
	free(h->variances);
	free(h->threads);
	hl_idmap_release(&h->site_map);
	hl_idmap_release(&h->thread_map);
	*h = (struct hl_heap){0};
}

uint32_t hl_heap_add_thread(struct hl_heap *h, uint32_t serial, const char *name, uint32_t tid)
{
	uint32_t id = h->nthreads;

	h->threads = hl_grow(h->threads, &h->threads_room, h->nthreads + 1, sizeof(*h->threads));
	h->threads[h->nthreads++] =
		(struct hl_heap_thread){hl_names_intern(hl_stacks_names(h->stacks), name), tid};
	hl_idmap_add(&h->thread_map, serial, id);
	return id;
}

uint32_t hl_heap_thread(struct hl_heap *h, uint32_t serial, const struct hl_facts *facts)
{
	uint32_t id = hl_idmap_find(&h->thread_map, serial);
	const struct hl_thread *t;

	if (id != HL_ID_NONE)
		return id;
	t = facts ? hl_facts_thread(facts, serial) : NULL;
	return hl_heap_add_thread(h, serial, t && t->name[0] ? t->name : "<unknown>", t ? t->tid : 0);
}

uint32_t hl_heap_site(struct hl_heap *h, uint32_t stack, uint32_t serial, enum hl_kind kind,
		      const struct hl_facts *facts)
{
	/* a stream's id is serial << 2, so serials are below 2^30 */
	uint64_t key = (uint64_t)stack << 32 | (uint32_t)(serial << 2 | kind);
	uint32_t id = hl_idmap_find(&h->site_map, key);

	if (id != HL_ID_NONE)
		return id;
	if (h->nsites >= INT32_MAX)
		return HL_ID_NONE;
	id = h->nsites;
	if (h->sample_bytes) {
		h->variances =
			hl_grow(h->variances, &h->variances_room, h->nsites + 1, sizeof(*h->variances));
		h->variances[id] = (struct hl_errors){0};
	}
	h->sites = hl_grow(h->sites, &h->sites_room, h->nsites + 1, sizeof(*h->sites));
	h->sites[h->nsites++] = (struct hl_site){
		.stack = stack, .thread = hl_heap_thread(h, serial, facts), .kind = (uint8_t)kind};
	hl_idmap_add(&h->site_map, key, id);
	return id;
}
