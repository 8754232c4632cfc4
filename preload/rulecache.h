/*
 * rulecache.h - call site to unwinding rule, shared by all threads.  Floor 2.  Any thread, also in signal
 * handlers; no lock.
 *
 * One 8-byte word per call site, address << 16 | rule.  A word is read and written whole.  The table grows
 * with the program's call sites, so that those of a small one stay in the nearest caches.
 */
#ifndef HL_PRELOAD_RULECACHE_H
#define HL_PRELOAD_RULECACHE_H

#include "preload/thread.h"
#include <stdatomic.h>

#define HL_RULE_REACH 16u /* places that a word may lie in, from its own on */

struct hl_rule_table {
	_Atomic uint64_t *word;
	uint32_t nwords; /* a power of two; without those that the last one spills into */
	uint32_t shift;  /* 64 - its logarithm */
	uint32_t full;   /* words from here on make it grow */
};

struct hl_rule_cache {
	const struct hl_rule_table *_Atomic table;
	_Atomic uint32_t count;
	_Atomic uint32_t growing; /* tid of who makes the next table, 0 none */
	_Atomic uint32_t flushes; /* moves where one begins and where it ends */
};
extern struct hl_rule_cache hl_rules __attribute__((visibility("hidden")));

static inline const _Atomic uint64_t *hl_rules_place(const struct hl_rule_table *t, uint64_t address)
{
	return &t->word[address * 0x9e3779b97f4a7c15ull >> t->shift];
}

#define HL_RULE_NONE 0u /* as a word: not in the cache */

/* The word of the address, HL_RULE_NONE: it has none. */
static inline uint64_t hl_rules_find(uint64_t address)
{
	/* acquire: the words (partner: grow in rulecache.c) */
	const _Atomic uint64_t *w =
		hl_rules_place(atomic_load_explicit(&hl_rules.table, memory_order_acquire), address);

	for (uint32_t i = 0; i < HL_RULE_REACH; i++) {
		uint64_t word = atomic_load_explicit(&w[i], memory_order_relaxed);

		if (HL_LIKELY(word >> 16 == address))
			return word;
		if (!word)
			break;
	}
	return HL_RULE_NONE;
}

/* The same through what the thread saw last. */
static inline uint64_t hl_rules_find_near(const struct hl_near *near, uint64_t address)
{
	uint64_t *at = &near->rules[address * 0x9e3779b97f4a7c15ull >> near->shift], word = *at;

	if (HL_LIKELY(word >> 16 == address))
		return word;
	word = hl_rules_find(address);
	if (HL_LIKELY(word != HL_RULE_NONE))
		*at = word;
	return word;
}

/* Enter or replace; returns rule. */
uint32_t hl_rules_put(uint64_t address, uint32_t rule);
/* Forget everything: a module was unmapped. */
void hl_rules_flush(void);
/* Nobody with that tid is at work any more (0: nobody at all, in a forked child). */
void hl_rules_abandon(uint32_t tid);

#endif
