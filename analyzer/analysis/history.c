/*
 * history.c - one address followed through a replay.  Floor: analysis.
 */
#include "analyzer/analysis/history.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

/* A life by stamps and stacks. */
struct past {
	struct hl_block block;
	struct hl_death death;
	uint64_t unmapped;
	uint8_t dead;
};

/* past[first, n): those before are forgotten, and overwritten when there are as many as kept ones. */
struct search {
	uint64_t address, keep, lives;
	struct past *past;
	size_t first, n, room;
};

static int covers(const struct search *s, const struct hl_block *b)
{
	return s->address - b->address < (b->size ? b->size : 1);
}

static struct past *find(struct search *s, const struct hl_block *b)
{
	for (size_t i = s->n; i-- > s->first;) {
		struct past *p = &s->past[i];

		if (!p->dead && p->block.address == b->address && p->block.domain == b->domain)
			return p;
	}
	return NULL;
}

static void see_born(void *ctx, struct hl_block *b)
{
	struct search *s = ctx;

	if (!covers(s, b))
		return;
	s->lives++;
	if (s->keep && s->n - s->first == s->keep)
		s->first++;
	if (s->first && s->first == s->n - s->first) {
		for (size_t i = 0; s->first + i < s->n; i++)
			s->past[i] = s->past[s->first + i];
		s->n -= s->first;
		s->first = 0;
	}
	s->past = hl_grow(s->past, &s->room, s->n + 1, sizeof(*s->past));
	s->past[s->n++] = (struct past){.block = *b};
}

static void see_died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	struct past *p = covers(ctx, b) ? find(ctx, b) : NULL;

	if (!p)
		return;
	p->death = *death;
	p->dead = 1;
}

static void see_moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	struct hl_death death = {
		.stamp = now->stamp, .stack = now->stack, .thread = now->thread, .entry = HL_ENTRY_REALLOC};

	see_died(ctx, old, &death);
	see_born(ctx, now);
}

/* Of a mapping with a hole it is not told where the hole is: any that may have held the address is noted. */
static void see_shrunk(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp)
{
	struct past *p = find(ctx, b);

	(void)stamp;
	if (p)
		p->unmapped += lost;
}

static struct hl_life life_of(const struct hl_calls *c, const struct past *p)
{
	const struct hl_block *b = &p->block;
	const struct hl_death *end = &p->death;
	struct hl_life l = {.address = b->address,
			    .size = b->size,
			    .unmapped = p->unmapped,
			    .domain = b->domain,
			    .live = !p->dead,
			    .inherited = b->inherited};

	l.allocated = hl_call_make(c, b->entry, b->domain, b->stamp, b->stack, b->thread);
	if (p->dead && end->entry != HL_ENTRY_COUNT)
		l.ended = hl_call_make(c, end->entry, b->domain, end->stamp, end->stack, end->thread);
	return l;
}

int hl_history_load(struct hl_history *h, const struct hl_calls *calls, uint64_t address, uint64_t until,
		    uint64_t keep, struct hl_replay_counts *counts, struct hl_diag *d)
{
	static const struct hl_sink see = {
		.born = see_born, .died = see_died, .moved = see_moved, .shrunk = see_shrunk};
	struct search s = {.address = address, .keep = keep};
	int err = hl_replay(calls->trace, until, &see, &s, counts, d);

	if (!err) {
		*h = (struct hl_history){.names = calls->names,
					 .trace = hl_trace_path(calls->trace),
					 .address = address,
					 .lives = s.lives};
		h->life = hl_xmalloc((s.n - s.first + 1) * sizeof(*h->life));
		while (s.n > s.first) {
			h->life[h->n] = life_of(calls, &s.past[--s.n]);
			h->stackless |= h->life[h->n].ended.known && !h->life[h->n].ended.traceback;
			h->n++;
		}
	}
	free(s.past);
	return err;
}

void hl_history_release(struct hl_history *h)
{
	free(h->life);
	*h = (struct hl_history){0};
}
