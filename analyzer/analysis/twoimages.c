/*
 * twoimages.c - one set of lost blocks held against another.  Floor: analysis.
 */
#include "analyzer/analysis/twoimages.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

static int is_lost(enum hl_leak_kind kind)
{
	return kind != HL_LEAK_REACHABLE;
}

/* The graph has its blocks by address. */
void hl_lost_set_take(struct hl_lost_set *s, const struct hl_heapgraph *h)
{
	size_t room = 0;

	*s = (struct hl_lost_set){0};
	for (uint32_t i = 0; i < hl_graph_nblocks(h->graph); i++) {
		struct hl_graph_block b = hl_graph_block(h->graph, i);

		if (!is_lost(b.kind))
			continue;
		s->id = hl_grow(s->id, &room, s->n + 1, sizeof(*s->id));
		s->id[s->n++] = (struct hl_lost_id){b.address, h->owner[b.user].stamp};
	}
}

void hl_lost_set_release(struct hl_lost_set *s)
{
	free(s->id);
	*s = (struct hl_lost_set){0};
}

/* A pool's first object has its address from the block of the heap that holds it. */
static int has(const struct hl_lost_set *s, uint64_t address, uint64_t stamp)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->id[mid].address < address)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < s->n && s->id[low].address == address; low++)
		if (s->id[low].stamp == stamp)
			return 1;
	return 0;
}

int hl_lost_set_confirm(const struct hl_lost_set *s, struct hl_heapgraph *h, struct hl_diag *d)
{
	uint32_t *keep = NULL;
	size_t n = 0, room = 0;
	int err = HL_OK;

	for (uint32_t i = 0; i < hl_graph_nblocks(h->graph); i++) {
		struct hl_graph_block b = hl_graph_block(h->graph, i);

		if (!is_lost(b.kind) || has(s, b.address, h->owner[b.user].stamp))
			continue;
		keep = hl_grow(keep, &room, n + 1, sizeof(*keep));
		keep[n++] = i;
	}
	if (n)
		err = hl_heapgraph_keep(h, keep, n, "the other image: it is not lost there", d);
	free(keep);
	return err;
}
