/*
 * told.c - of what was said, what holds at one moment.  Floor: analysis.
 */
#include "analyzer/analysis/told.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
	const struct hl_told_keep *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static void take_back(struct hl_told *t, const struct hl_leak_note_at *n)
{
	for (size_t i = t->nregions; i-- > 0;)
		if (t->region[i].start == n->address && t->region[i].end == n->address + n->bytes) {
			t->region[i] = t->region[--t->nregions];
			return;
		}
}

void hl_told_load(struct hl_told *t, const struct hl_facts *f, uint64_t stamp)
{
	size_t keeps = 0, regions = 0;

	*t = (struct hl_told){0};
	for (size_t i = 0; i < f->nleak_notes; i++) {
		keeps += f->leak_notes[i].what == HL_LEAK_KEEP;
		regions += f->leak_notes[i].what == HL_LEAK_ROOT;
	}
	t->keep = hl_xmalloc(keeps * sizeof(*t->keep) + 1);
	t->region = hl_xmalloc(regions * sizeof(*t->region) + 1);
	for (size_t i = 0; i < f->nleak_notes && f->leak_notes[i].stamp <= stamp; i++) {
		const struct hl_leak_note_at *n = &f->leak_notes[i];

		if (n->what == HL_LEAK_KEEP)
			t->keep[t->nkeep++] = (struct hl_told_keep){n->address, n->stamp};
		else if (n->what == HL_LEAK_ROOT)
			t->region[t->nregions++] = (struct hl_told_region){n->address, n->address + n->bytes};
		else
			take_back(t, n);
	}
	if (t->nkeep)
		qsort(t->keep, t->nkeep, sizeof(*t->keep), by_address);
}

void hl_told_release(struct hl_told *t)
{
	free(t->keep);
	free(t->region);
	*t = (struct hl_told){0};
}

int hl_told_keeps(const struct hl_told *t, const struct hl_block *b)
{
	size_t low = 0, high = t->nkeep;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->keep[mid].address < b->address)
			low = mid + 1;
		else
			high = mid;
	}
	/* a block that had the address before is not this one */
	for (; low < t->nkeep && t->keep[low].address - b->address < (b->size ? b->size : 1); low++)
		if (t->keep[low].stamp >= b->stamp)
			return 1;
	return 0;
}

int hl_told_is_root(const struct hl_told *t, uint64_t slot)
{
	for (size_t i = 0; i < t->nregions; i++)
		if (slot >= t->region[i].start && slot < t->region[i].end)
			return 1;
	return 0;
}
