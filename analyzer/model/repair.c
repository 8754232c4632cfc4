/*
 * repair.c - a queue of oddities, found by address.  Floor: model.
 *
 * Each costs O(1): it enters once, is settled once, and leaves when the window has passed it.
 */
#include "analyzer/model/repair.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>

void hl_repair_init(struct hl_repair *r, uint64_t window, struct hl_book *book)
{
	*r = (struct hl_repair){.window = window, .book = book};
	hl_map_init(&r->at[0]);
	hl_map_init(&r->at[1]);
}

void hl_repair_release(struct hl_repair *r)
{
	hl_map_release(&r->at[0]);
	hl_map_release(&r->at[1]);
	free(r->ring);
}

static struct hl_map *map_of(struct hl_repair *r, uint8_t domain)
{
	return &r->at[domain == HL_DOMAIN_POOL];
}

static struct hl_oddity *at(const struct hl_repair *r, uint64_t i)
{
	return &r->ring[i & (r->cap - 1)];
}

static void grow(struct hl_repair *r)
{
	size_t cap = r->cap ? r->cap * 2 : 64;
	struct hl_oddity *ring = hl_xmalloc(cap * sizeof(*ring));

	for (uint64_t i = r->head; i != r->tail; i++)
		ring[i & (cap - 1)] = *at(r, i);
	free(r->ring);
	r->ring = ring;
	r->cap = cap;
}

/* Its other half never came. */
static void give_up(struct hl_repair *r, struct hl_oddity *o)
{
	struct hl_book *b = r->book;

	if (o->kind == HL_ODD_ALLOC) {
		b->counts.violations++;
	} else {
		b->counts.unexplained_frees++;
		if (b->sink->bad_free && !b->silent)
			b->sink->bad_free(b->ctx, &o->bad);
	}
	o->kind = HL_ODD_SETTLED;
}

void hl_repair_note(struct hl_repair *r, enum hl_odd kind, const struct hl_event *e)
{
	const struct hl_book *b = r->book;
	struct hl_oddity odd = {.bad = {.address = e->address,
					.stamp = e->stamp,
					.stack = e->stack,
					.thread = e->thread,
					.entry = e->entry,
					.domain = e->domain},
				.stream = e->stream,
				.kind = (uint8_t)kind};
	uint32_t *place;

	if (kind != HL_ODD_ALLOC && b->sink->odd_free && !b->silent)
		b->sink->odd_free(b->ctx, &odd.bad);

	if (r->tail - r->head >= r->cap)
		grow(r);
	place = hl_map_slot(map_of(r, e->domain), e->address);
	if (*place)
		give_up(r, at(r, *place - 1));
	/* 31 bits of the position are enough: the ring is shorter, so they stay right when it grows */
	*place = (uint32_t)(r->tail & INT32_MAX) + 1;
	*at(r, r->tail++) = odd;
}

int hl_repair_match(struct hl_repair *r, const struct hl_event *e, struct hl_oddity *found)
{
	uint32_t place = hl_map_get(map_of(r, e->domain), e->address);
	struct hl_oddity *o = place ? at(r, place - 1) : NULL;
	int alloc = e->type == HL_EV_ALLOC || e->type == HL_EV_REALLOC || e->type == HL_EV_RESTORE;

	/* what is older than the window has expired before e */
	if (!o || alloc == (o->kind == HL_ODD_ALLOC) || o->stream == e->stream ||
	    (o->bad.thread == e->thread && o->bad.stamp != e->stamp))
		return 0;
	*found = *o;
	o->kind = HL_ODD_SETTLED;
	hl_map_remove(map_of(r, e->domain), e->address);
	if (e->stamp != found->bad.stamp)
		r->book->counts.repaired++;
	return 1;
}

void hl_repair_expire_some(struct hl_repair *r, uint64_t now)
{
	for (; r->head != r->tail; r->head++) {
		struct hl_oddity *o = at(r, r->head);

		if (now != UINT64_MAX && now - o->bad.stamp <= r->window)
			break;
		if (o->kind == HL_ODD_SETTLED)
			continue;
		hl_map_remove(map_of(r, o->bad.domain), o->bad.address);
		give_up(r, o);
	}
}
