/*
 * heap.h - what a replay or an extracted snapshot says about allocation sites.  Floor: analysis.
 *
 * A site is (stack, thread, kind of entry point); its numbers are sums over its blocks.  A heap knows
 * nothing of filters on sites and of groups: that is view.h.  Not thread-safe.
 */
#ifndef HL_ANALYSIS_HEAP_H
#define HL_ANALYSIS_HEAP_H

#include "analyzer/analysis/result.h"
#include "analyzer/analysis/stacks.h"
#include "analyzer/model/sample.h"

/* Kinds of allocation, tracemalloc's domains. */
enum hl_kind { HL_KIND_MALLOC, HL_KIND_NEW, HL_KIND_MMAP, HL_KIND_POOL, HL_KINDS };
const char *hl_kind_name(enum hl_kind k);

struct hl_site {
	struct hl_stat stat; /* peak unused; in a sample in the units of sample.h */
	uint32_t stack;
	uint32_t thread; /* index in threads */
	uint8_t kind;
};

struct hl_heap_thread {
	uint32_t name; /* string id */
	uint32_t tid;
};

struct hl_heap {
	struct hl_stacks *stacks; /* not owned */
	uint64_t sample_bytes;    /* 0: complete.  Set before the first site is made. */
	/* Of sites, in a sample: variances (peak unused); else NULL. */
	struct hl_errors *variances;
	size_t variances_room;
	struct hl_site *sites;
	struct hl_heap_thread *threads;
	uint32_t nsites, nthreads;
	size_t sites_room, threads_room;
	struct hl_idmap site_map, thread_map; /* of (stack, serial, kind) and of serial */
};

void hl_heap_init(struct hl_heap *h, struct hl_stacks *stacks);
void hl_heap_release(struct hl_heap *h);
/* The thread with this serial; its name and tid are looked up the first time only (facts NULL: unknown). */
uint32_t hl_heap_thread(struct hl_heap *h, uint32_t serial, const struct hl_facts *facts);
uint32_t hl_heap_add_thread(struct hl_heap *h, uint32_t serial, const char *name, uint32_t tid);
/* The site, made when it is new; HL_ID_NONE when there are 2^31 - 1 already. */
uint32_t hl_heap_site(struct hl_heap *h, uint32_t stack, uint32_t serial, enum hl_kind kind,
		      const struct hl_facts *facts);

#endif
