/*
 * rulecache.c - entering rules, and tables that grow.
 *
 * At three quarters the next table has half as many lines again.  A word that is entered while the table is copied
 * may be lost: it is found out again.  A table that was replaced stays mapped, as zeroes.
 */
#include "preload/rulecache.h"
#include <sys/mman.h>

#define FIRST_LINES 256u

static struct hl_rule_line first_lines[FIRST_LINES + HL_RULE_REACH];
static const struct hl_rule_table first = {first_lines, FIRST_LINES, FIRST_LINES *HL_RULE_WAYS / 4 * 3};
struct hl_rule_cache hl_rules = {.table = &first};

static void enter(const struct hl_rule_table *t, uint64_t word)
{
	uint64_t address = word >> 16;
	_Atomic uint64_t *w = t->line[(address * 0x9e3779b97f4a7c15ull >> 32) * t->nlines >> 32].word;
	uint32_t i = 0;

	for (; i < HL_RULE_REACH * HL_RULE_WAYS; i++) {
		uint64_t old = atomic_load_explicit(&w[i], memory_order_relaxed);

		if (!old || old >> 16 == address)
			break;
	}
	if (i == HL_RULE_REACH * HL_RULE_WAYS)
		i = (uint32_t)(address * 0x9e3779b97f4a7c15ull) % HL_RULE_WAYS;
	atomic_store_explicit(&w[i], word, memory_order_relaxed);
}

static void grow(const struct hl_rule_table *old)
{
	uint32_t none = 0, nlines = old->nlines + old->nlines / 2;
	size_t bytes = 4096 + (size_t)(nlines + HL_RULE_REACH) * sizeof(struct hl_rule_line);
	struct hl_rule_table *n;

	/* who leaves by a jump in here has made the last table */
	if (!atomic_compare_exchange_strong_explicit(&hl_rules.growing, &none, 1, memory_order_acquire,
						     memory_order_relaxed))
		return;
	n = atomic_load_explicit(&hl_rules.table, memory_order_relaxed) != old
		    ? NULL
		    : hl_sys_mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				  -1, 0);
	if (n) {
		n->line = (struct hl_rule_line *)((char *)n + 4096);
		n->nlines = nlines;
		n->full = nlines * HL_RULE_WAYS / 4 * 3;
		for (uint32_t k = 0; k < old->nlines + HL_RULE_REACH; k++)
			for (uint32_t i = 0; i < HL_RULE_WAYS; i++) {
				uint64_t word =
					atomic_load_explicit(&old->line[k].word[i], memory_order_relaxed);

				if (word)
					enter(n, word);
			}
		/* release: the words (partner: hl_rules_line) */
		atomic_store_explicit(&hl_rules.table, n, memory_order_release);
		if (old != &first)
			hl_sys_madvise(old->line, old->nlines * sizeof(struct hl_rule_line), MADV_DONTNEED);
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
	const struct hl_rule_table *t = atomic_load_explicit(&hl_rules.table, memory_order_acquire);

	for (uint32_t k = 0; k < t->nlines + HL_RULE_REACH; k++)
		for (uint32_t i = 0; i < HL_RULE_WAYS; i++)
			atomic_store_explicit(&t->line[k].word[i], 0, memory_order_relaxed);
	atomic_store_explicit(&hl_rules.count, 0, memory_order_relaxed);
}

void hl_rules_forked(void)
{
	atomic_store_explicit(&hl_rules.growing, 0, memory_order_relaxed);
}
