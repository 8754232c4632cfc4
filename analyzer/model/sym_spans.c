/*
 * sym_spans.c - sorted ranges and a bounded walk back over those that overlap.  Floor: model.
 */
#include "analyzer/model/sym_spans.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

#define SPANS_MAX (1u << 26) /* 2 GiB of them: more are an attack, not a program */
#define WALK_MAX  64         /* overlapping ranges looked at; real files nest a few deep */

void hl_spans_add(struct hl_spans *s, uint64_t low, uint64_t high, uint64_t value)
{
	if (low >= high || s->n >= SPANS_MAX)
		return;
	s->v = hl_grow(s->v, &s->room, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct hl_span){.low = low, .high = high, .value = value};
}

/* Equal beginnings: the longer first, so that the innermost is the last. */
static int by_low(const void *x, const void *y)
{
	const struct hl_span *a = x, *b = y;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high > b->high ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

void hl_spans_sort(struct hl_spans *s)
{
	uint64_t reach = 0;

	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_low);
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].high > reach)
			reach = s->v[i].high;
		s->v[i].reach = reach;
	}
}

const struct hl_span *hl_spans_find(const struct hl_spans *s, uint64_t addr)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->v[mid].low <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	for (int i = 0; i < WALK_MAX && low > 0; i++) {
		const struct hl_span *at = &s->v[--low];

		if (at->high > addr)
			return at;
		if (at->reach <= addr)
			break;
	}
	return NULL;
}

void hl_spans_release(struct hl_spans *s)
{
	free(s->v);
	*s = (struct hl_spans){0};
}
