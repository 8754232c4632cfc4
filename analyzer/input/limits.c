/*
 * limits.c - the cursors of a fork.  Floor: input.
 */
#include "analyzer/input/limits.h"
#include "analyzer/base/buf.h"
#include "analyzer/input/source.h"
#include <stdlib.h>

void hl_limits_add(struct hl_limits *l, const struct hl_limit *one)
{
	l->list = hl_grow(l->list, &l->cap, l->n + 1, sizeof(*l->list));
	l->list[l->n++] = *one;
}

static int by_stream(const void *pa, const void *pb)
{
	const struct hl_limit *a = pa, *b = pb;

	if (a->stream != b->stream)
		return a->stream < b->stream ? -1 : 1;
	if (a->claim != b->claim)
		return a->claim < b->claim ? -1 : 1;
	return (a->used > b->used) - (a->used < b->used);
}

void hl_limits_sort(struct hl_limits *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->list, l->n, sizeof(*l->list), by_stream);
	for (size_t i = 0; i < l->n; i++)
		if (!n || l->list[n - 1].stream != l->list[i].stream)
			l->list[n++] = l->list[i];
	l->n = n;
}

void hl_limits_release(struct hl_limits *l)
{
	free(l->list);
	*l = (struct hl_limits){0};
}

int hl_limits_of(const struct hl_limits *l, uint32_t stream, uint32_t *claim, uint32_t *used)
{
	size_t low = 0, high = l ? l->n : 0;

	*claim = *used = UINT32_MAX;
	if (!l)
		return 1;
	/* a child is not its parent */
	if (hl_stream_is_image(stream))
		return 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->list[mid].stream < stream)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->n && l->list[low].stream == stream) {
		*claim = l->list[low].claim;
		*used = l->list[low].used;
		return 1;
	}
	return HL_STREAM_THREAD(stream) < l->next_serial;
}

uint64_t hl_limits_missing(const struct hl_limits *l, const struct hl_source *s)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < s->nstreams; i++) {
		const struct hl_stream *st = &s->streams[i];
		uint32_t claim, used;
		uint64_t expected = 0;

		if (!hl_limits_of(l, st->stream, &claim, &used))
			continue;
		for (uint32_t k = st->first; k < st->first + st->count; k++) {
			const struct hl_piece *p = &s->pieces[k];

			if (p->claim > claim)
				break;
			if (p->offset == 0) {
				missing += p->claim - expected;
				expected = (uint64_t)p->claim + 1;
			}
		}
	}
	return missing;
}
