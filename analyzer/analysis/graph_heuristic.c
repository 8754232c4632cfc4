/*
 * graph_heuristic.c - lengths and vtables that explain pointers.  Floor: analysis.
 */
#include "analyzer/analysis/graph_heuristic.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

int hl_heuristic_by_length(unsigned allowed, uint64_t offset, uint64_t size, int64_t before8,
			   int64_t before24)
{
	/* a length is below the size, so adding cannot wrap */
	if (offset == 24)
		return (allowed & HL_HEURISTIC_STDSTRING) && before24 >= 0 && (uint64_t)before24 < size &&
		       (uint64_t)before24 + 25 <= size;
	if (offset != 8 || before8 <= 0)
		return 0;
	if ((allowed & HL_HEURISTIC_LENGTH64) && (uint64_t)before8 == size - 8)
		return 1;
	return (allowed & HL_HEURISTIC_NEWARRAY) && (size - 8) % (uint64_t)before8 == 0;
}

int hl_heuristic_no_array(unsigned allowed, uint64_t offset, uint64_t size, int64_t before8)
{
	return (allowed & HL_HEURISTIC_NEWARRAY) && offset == 8 && size == 8 && before8 == 0;
}

void hl_heuristics_release(struct hl_heuristics *h)
{
	free(h->ranges);
	free(h->first);
	free(h->others);
	free(h->waiting);
	*h = (struct hl_heuristics){0};
}

void hl_heuristics_add_range(struct hl_heuristics *h, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	h->ranges = hl_grow(h->ranges, &h->ranges_room, h->nranges + 1, sizeof(*h->ranges));
	h->ranges[h->nranges++] = (struct hl_vtable_range){start, end};
}

static int by_start(const void *a, const void *b)
{
	const struct hl_vtable_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void hl_heuristics_ready(struct hl_heuristics *h, uint32_t n)
{
	size_t kept = 0;

	if (!h->nranges)
		return;
	qsort(h->ranges, h->nranges, sizeof(*h->ranges), by_start);
	for (size_t i = 1; i < h->nranges; i++) {
		if (h->ranges[i].start > h->ranges[kept].end)
			h->ranges[++kept] = h->ranges[i];
		else if (h->ranges[i].end > h->ranges[kept].end)
			h->ranges[kept].end = h->ranges[i].end;
	}
	h->nranges = kept + 1;
	h->first = hl_xcalloc((size_t)n / 64 + 1, sizeof(*h->first));
}

int hl_heuristics_is_vtable(const struct hl_heuristics *h, uint64_t value)
{
	size_t low = 0, n = h->nranges;

	if (!n || value < h->ranges[0].start || value >= h->ranges[n - 1].end)
		return 0;
	while (n > 1) {
		size_t half = n / 2;

		if (h->ranges[low + half].start <= value) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	return value < h->ranges[low].end;
}

void hl_heuristics_note_slot(struct hl_heuristics *h, uint64_t slot)
{
	h->others = hl_grow(h->others, &h->others_room, h->nothers + 1, sizeof(*h->others));
	h->others[h->nothers++] = slot;
}

void hl_heuristics_note_first(struct hl_heuristics *h, uint32_t block)
{
	h->first[block / 64] |= 1ull << (block % 64);
}

void hl_heuristics_wait(struct hl_heuristics *h, uint64_t value, size_t index, int is_root)
{
	if (!h->first || (value & 7))
		return;
	h->waiting = hl_grow(h->waiting, &h->waiting_room, h->nwaiting + 1, sizeof(*h->waiting));
	h->waiting[h->nwaiting++] = (struct hl_waiting){value, (uint32_t)index, is_root};
}

void hl_heuristics_close(struct hl_heuristics *h)
{
	for (size_t i = 1; i < h->nothers; i++)
		if (h->others[i - 1] > h->others[i]) {
			qsort(h->others, h->nothers, sizeof(*h->others), by_number);
			return;
		}
}

int hl_heuristic_by_vtables(const struct hl_heuristics *h, uint32_t b, uint64_t value)
{
	return h->first && (h->first[b / 64] >> (b % 64) & 1) && h->nothers &&
	       bsearch(&value, h->others, h->nothers, sizeof(*h->others), by_number) != NULL;
}
