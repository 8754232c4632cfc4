/*
 * leaks.c - the order of losses, and which of them count.  Floor: analysis.
 */
#include "analyzer/analysis/leaks.h"
#include <stdlib.h>

const char *const hl_leak_kind_names[HL_LEAK_KINDS] = {"definite", "indirect", "possible", "reachable"};
const char *const hl_loss_state_names[HL_LOSS_STATES] = {"new", "grown", "known"};

static int compare(const void *x, const void *y)
{
	static const int order[HL_LEAK_KINDS] = {[HL_LEAK_DEFINITE] = 0,
						 [HL_LEAK_POSSIBLE] = 1,
						 [HL_LEAK_INDIRECT] = 2,
						 [HL_LEAK_REACHABLE] = 3};
	const struct hl_loss *a = x, *b = y;
	uint64_t of_a = a->bytes + a->indirect_bytes, of_b = b->bytes + b->indirect_bytes;

	if (a->kind != b->kind)
		return order[a->kind] < order[b->kind] ? -1 : 1;
	if (of_a != of_b)
		return of_a > of_b ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->traceback < b->traceback ? -1 : a->traceback > b->traceback;
}

void hl_losses_sort(struct hl_losses *l)
{
	if (l->n)
		qsort(l->loss, l->n, sizeof(*l->loss), compare);
}

void hl_losses_judge(struct hl_losses *l)
{
	/* else what failing heads hold is counted as losses of its own */
	int with_held = !(l->fail_kinds >> HL_LEAK_INDIRECT & 1);

	l->failing = 0;
	l->failing_bytes = l->failing_blocks = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct hl_loss *loss = &l->loss[i];

		loss->fails = (l->fail_kinds >> loss->kind & 1) && !loss->suppression &&
			      loss->state != HL_LOSS_KNOWN;
		if (!loss->fails)
			continue;
		l->failing++;
		l->failing_bytes += loss->bytes + (with_held ? loss->indirect_bytes : 0);
		l->failing_blocks += loss->blocks + (with_held ? loss->indirect_blocks : 0);
	}
}
