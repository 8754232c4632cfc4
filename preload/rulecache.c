/*
 * rulecache.c - entering rules, and tables that grow.
 *
 * Open addressing, at most half full: nearly every word lies in its first place, so that the search is one
 * branch that the CPU foresees.  A word that is entered while the table is copied may be lost: it is found out
 * again.  A table that was replaced stays mapped, as zeroes.
 *
 * Invariant: what was in the cache when hl_rules_flush began is not in it when that has returned and whoever was
 * making a table meanwhile is done.
 */
#include "preload/rulecache.h"
#include "preload/guest.h"
#include <sys/mman.h>

#define FIRST_BITS  11
#define FIRST_WORDS (1u << FIRST_BITS)

static _Atomic uint64_t first_words[FIRST_WORDS + HL_RULE_REACH];
static const struct hl_rule_table first = {first_words, FIRST_WORDS, 64 - FIRST_BITS, FIRST_WORDS / 2};
struct hl_rule_cache hl_rules = {.table = &first};

static void enter(const struct hl_rule_table *t, uint64_t word)
{
	uint64_t address = word >> 16;
	_Atomic uint64_t *w = (_Atomic uint64_t *)hl_rules_place(t, address);
	uint32_t i = 0;

	for (; i < HL_RULE_REACH; i++) {
		uint64_t old = atomic_load_explicit(&w[i], memory_order_relaxed);

		if (!old || old >> 16 == address)
			break;
	}
	atomic_store_explicit(&w[i % HL_RULE_REACH], word, memory_order_relaxed);
}

static void clear(const struct hl_rule_table *t)
{
	for (uint32_t k = 0; k < t->nwords + HL_RULE_REACH; k++)
		atomic_store_explicit(&t->word[k], 0, memory_order_relaxed);
}

static void grow(const struct hl_rule_table *old)
{
	uint32_t none = 0, tid = hl_thread_tid(), nwords = old->nwords * 2, flushes;
	size_t head = 64, bytes = head + (size_t)(nwords + HL_RULE_REACH) * sizeof(uint64_t);
	struct hl_rule_table *n;

	if (!atomic_compare_exchange_strong_explicit(&hl_rules.growing, &none, tid, memory_order_acquire,
						     memory_order_relaxed))
		return;
	n = atomic_load_explicit(&hl_rules.table, memory_order_relaxed) != old
		    ? NULL
		    : hl_sys_mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				  -1, 0);
	if (n) {
		n->word = (_Atomic uint64_t *)((char *)n + head);
		n->nwords = nwords;
		n->shift = old->shift - 1;
		n->full = nwords / 2;
		flushes = atomic_load_explicit(&hl_rules.flushes, memory_order_seq_cst);
		for (uint32_t k = 0; k < old->nwords + HL_RULE_REACH; k++) {
			uint64_t word = atomic_load_explicit(&old->word[k], memory_order_relaxed);

			if (word)
				enter(n, word);
		}
		/* release: the words (partner: hl_rules_find); seq_cst: either we see that a flush began or
		 * ended, or it sees this table */
		atomic_store_explicit(&hl_rules.table, n, memory_order_seq_cst);
		if (atomic_load_explicit(&hl_rules.flushes, memory_order_seq_cst) != flushes)
			clear(n);
		if (old != &first && old->nwords * sizeof(uint64_t) > hl_guest.page_bytes)
			hl_sys_madvise((char *)old + hl_guest.page_bytes,
				       old->nwords * sizeof(uint64_t) - hl_guest.page_bytes, MADV_DONTNEED);
	}
	atomic_store_explicit(&hl_rules.growing, 0, memory_order_release);
}

uint32_t hl_rules_put(uint64_t address, uint32_t rule)
{
	const struct hl_rule_table *now = atomic_load_explicit(&hl_rules.table, memory_order_acquire);

	enter(now, address << 16 | rule);
	if (HL_UNLIKELY(atomic_fetch_add_explicit(&hl_rules.count, 1, memory_order_relaxed) >= now->full))
		grow(now);
	return rule;
}

void hl_rules_flush(void)
{
	const struct hl_rule_table *t;

	/* seq_cst: partners in grow.  A growth copies words before, while and after we clear them: it sees the
	 * beginning or the end of it, or is seen. */
	atomic_fetch_add_explicit(&hl_rules.flushes, 1, memory_order_seq_cst);
	do {
		t = atomic_load_explicit(&hl_rules.table, memory_order_seq_cst);
		clear(t);
		atomic_fetch_add_explicit(&hl_rules.flushes, 1, memory_order_seq_cst);
	} while (atomic_load_explicit(&hl_rules.table, memory_order_seq_cst) != t);
	atomic_store_explicit(&hl_rules.count, 0, memory_order_relaxed);
}

void hl_rules_abandon(uint32_t tid)
{
	if (!tid || atomic_load_explicit(&hl_rules.growing, memory_order_relaxed) == tid)
		atomic_store_explicit(&hl_rules.growing, 0, memory_order_relaxed);
}
