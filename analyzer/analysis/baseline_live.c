/*
 * baseline_live.c - what lived at a moment as a baseline.  Floor: analysis.
 */
#include "analyzer/analysis/baseline_live.h"

void hl_baseline_add_live(struct hl_baseline *b, const struct hl_heap *h)
{
	const struct hl_names *names = hl_stacks_names(h->stacks);

	for (uint32_t i = 0; i < h->nsites; i++) {
		const struct hl_site *s = &h->sites[i];

		if (s->stat.count && s->kind != HL_KIND_MMAP)
			hl_baseline_add(b, HL_LEAK_REACHABLE, hl_stacks_traceback(h->stacks, s->stack),
					s->stat.size, s->stat.count, names);
	}
}

enum hl_baseline_state hl_baseline_compare_live(const struct hl_baseline *was, const struct hl_baseline *now,
						unsigned kinds, uint64_t hash,
						const struct hl_baseline_entry **old)
{
	uint64_t bytes = 0;

	*old = hl_baseline_find(was, HL_LEAK_REACHABLE, hash);
	if (!*old)
		return HL_BASELINE_NEW;
	for (unsigned k = 0; k < HL_LEAK_KINDS; k++) {
		const struct hl_baseline_entry *e =
			kinds >> k & 1 ? hl_baseline_find(now, (enum hl_leak_kind)k, hash) : NULL;

		bytes += e ? e->bytes : 0;
	}
	return bytes > (*old)->bytes ? HL_BASELINE_GROWN : HL_BASELINE_KNOWN;
}
