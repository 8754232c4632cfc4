/*
 * ranges.c - intervals in libc's balanced tree.  Floor: model.
 *
 * Two intervals compare equal when they overlap; among those in the tree none do, so it is an order,
 * and a search finds whatever overlaps a range.
 */
#include "analyzer/model/ranges.h"
#include "analyzer/base/diag.h"
#include <search.h>
#include <stdlib.h>

struct piece {
	uint64_t start, end;
	uint32_t block;
};

static int compare(const void *pa, const void *pb)
{
	const struct piece *a = pa, *b = pb;

	if (a->end <= b->start)
		return -1;
	return a->start >= b->end;
}

void hl_ranges_release(struct hl_ranges *r)
{
	tdestroy(r->root, free);
	r->root = NULL;
}

void hl_ranges_add(struct hl_ranges *r, uint64_t start, uint64_t end, uint32_t block)
{
	struct piece *p = hl_xmalloc(sizeof(*p));

	*p = (struct piece){start, end, block};
	if (!tsearch(p, &r->root, compare))
		hl_xmalloc(SIZE_MAX); /* its node could not be had: the one way out of memory */
}

static struct piece *find(const struct hl_ranges *r, uint64_t start, uint64_t end)
{
	struct piece key = {start, end, 0};
	struct piece **found = tfind(&key, &r->root, compare);

	return found ? *found : NULL;
}

int hl_ranges_cut(struct hl_ranges *r, uint64_t start, uint64_t end, struct hl_cut *c)
{
	struct piece *p = start < end ? find(r, start, end) : NULL, *lower, was;

	if (!p)
		return 0;
	/* the lowest of them, so that the order says nothing about the tree's shape */
	while (p->start > start && (lower = find(r, start, p->start)))
		p = lower;
	was = *p;
	tdelete(p, &r->root, compare);
	free(p);
	*c = (struct hl_cut){.block = was.block, .piece = was.start};
	c->bytes = (was.end < end ? was.end : end) - (was.start > start ? was.start : start);
	if (was.end > end) {
		hl_ranges_add(r, end, was.end, was.block);
		c->left = end;
	}
	if (was.start < start) {
		hl_ranges_add(r, was.start, start, was.block);
		c->left = was.start;
	}
	return 1;
}

int hl_ranges_at(const struct hl_ranges *r, uint64_t start, uint64_t *end)
{
	struct piece *p = start < UINT64_MAX ? find(r, start, start + 1) : NULL;

	if (!p || p->start != start)
		return 0;
	*end = p->end;
	return 1;
}
