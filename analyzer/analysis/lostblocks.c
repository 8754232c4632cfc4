/*
 * lostblocks.c - groups of blocks summed up by the stack of their heads.  Floor: analysis.
 */
#include "analyzer/analysis/lostblocks.h"
#include "analyzer/analysis/baseline.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>
#include <string.h>

struct find {
	struct hl_losses *out;
	struct hl_heapgraph *h;
	const struct hl_calls *calls;
	struct hl_idset set;
	size_t room;
	int inherited;
	const struct hl_suppressed *suppressed;
};

static const struct hl_owner *owner_of(const struct find *f, const struct hl_graph_block *b)
{
	return &f->h->owner[b->user];
}

static uint32_t traceback_of(const struct find *f, uint32_t block)
{
	struct hl_graph_block b = hl_graph_block(f->h->graph, block);
	uint32_t stack = owner_of(f, &b)->stack;

	return stack ? hl_stacks_traceback(f->calls->stacks, stack) : 0;
}

/* The loss of that kind and stack, made when it is new: *fresh then.  suppression: as in hl_loss. */
static struct hl_loss *loss_at(struct find *f, enum hl_leak_kind kind, int cycle, uint32_t suppression,
			       uint32_t traceback, int *fresh)
{
	struct hl_losses *l = f->out;
	uint32_t id, key = traceback ? hl_names_canonical(f->calls->names, traceback) : 0;
	uint64_t hash = hl_mix(((uint64_t)key << 3 | (uint64_t)kind << 1 | (uint64_t)cycle) + 1);
	size_t pos = 0;

	*fresh = 0;
	while ((id = hl_idset_next(&f->set, hash, &pos)) != HL_ID_NONE) {
		struct hl_loss *old = &l->loss[id];

		if (old->kind == kind && old->cycle == cycle && old->suppression == suppression &&
		    (old->traceback ? hl_names_canonical(f->calls->names, old->traceback) : 0) == key)
			return old;
	}
	l->loss = hl_grow(l->loss, &f->room, l->n + 1, sizeof(*l->loss));
	hl_idset_add(&f->set, hash, (uint32_t)l->n);
	l->loss[l->n] = (struct hl_loss){.kind = kind,
					 .cycle = cycle,
					 .suppression = suppression,
					 .traceback = traceback,
					 .hash = hl_baseline_hash(f->calls->names, traceback)};
	*fresh = 1;
	return &l->loss[l->n++];
}

static void show(struct find *f, struct hl_loss *l, uint32_t block)
{
	struct hl_graph_block b = hl_graph_block(f->h->graph, block);

	l->address = b.address;
	l->entry = owner_of(f, &b)->entry;
	l->addresses = hl_stacks_addresses(f->calls->stacks, owner_of(f, &b)->stack);
	l->function = hl_call_function(owner_of(f, &b)->entry, owner_of(f, &b)->domain);
}

static void show_ring(struct find *f, struct hl_loss *l, uint32_t group)
{
	size_t n;
	struct hl_graph_step *step = hl_graph_ring(f->h->graph, group, &n);
	struct hl_ring_member *ring;

	if (!step)
		return;
	ring = hl_xmalloc(n * sizeof(*ring));
	for (size_t i = 0; i < n; i++)
		ring[i] = (struct hl_ring_member){traceback_of(f, step[i].block),
						  hl_graph_block(f->h->graph, step[i].block).size,
						  step[i].offset};
	l->ring = ring;
	l->nring = n;
	free(step);
}

static void add_groups(struct find *f)
{
	size_t n;
	const struct hl_graph_group *group = hl_graph_groups(f->h->graph, &n);

	for (size_t i = 0; i < n; i++) {
		const struct hl_graph_group *g = &group[i];
		struct hl_graph_block head = hl_graph_block(f->h->graph, g->head);
		struct hl_loss *l;
		int fresh;

		if (owner_of(f, &head)->inherited && !f->inherited)
			continue;
		l = loss_at(f, HL_LEAK_DEFINITE, g->cycle, 0, traceback_of(f, g->head), &fresh);
		l->bytes += g->bytes;
		l->blocks += g->heads;
		l->indirect_bytes += g->indirect_bytes;
		l->indirect_blocks += g->indirect_blocks;
		if (!fresh)
			continue;
		show(f, l, g->head);
		if (g->cycle)
			show_ring(f, l, (uint32_t)i);
	}
}

static void add_block(struct find *f, uint32_t block, enum hl_leak_kind kind, uint32_t suppression)
{
	int fresh;
	struct hl_loss *l = loss_at(f, kind, 0, suppression, traceback_of(f, block), &fresh);

	l->bytes += hl_graph_block(f->h->graph, block).size;
	l->blocks++;
	if (fresh)
		show(f, l, block);
}

static void add_suppressed(struct find *f, uint32_t block, uint64_t bytes, unsigned kinds)
{
	const struct hl_suppressed *s = f->suppressed;

	f->out->suppressed_bytes += bytes;
	f->out->suppressed_blocks++;
	if (s->entry[block] && (kinds >> s->was[block] & 1))
		add_block(f, block, (enum hl_leak_kind)s->was[block], s->entry[block]);
}

void hl_lost_find(struct hl_losses *out, struct hl_heapgraph *h, const struct hl_calls *calls, unsigned kinds,
		  int inherited, const struct hl_suppressed *suppressed)
{
	static const struct hl_suppressed none;
	struct find f = {.out = out,
			 .h = h,
			 .calls = calls,
			 .inherited = inherited,
			 .suppressed = suppressed ? suppressed : &none};

	out->names = calls->names;
	if (kinds & 1u << HL_LEAK_DEFINITE)
		add_groups(&f);
	for (uint32_t i = 0; i < hl_graph_nblocks(h->graph); i++) {
		struct hl_graph_block b = hl_graph_block(h->graph, i);

		if (owner_of(&f, &b)->inherited && !inherited)
			continue;
		if (hl_suppressed_hides(f.suppressed, i, b.kind)) {
			add_suppressed(&f, i, b.size, kinds);
			continue;
		}
		out->bytes[b.kind] += b.size;
		out->blocks[b.kind]++;
		/* definite ones are in losses already, by groups */
		if (b.kind != HL_LEAK_DEFINITE && kinds >> b.kind & 1)
			add_block(&f, i, b.kind, 0);
	}
	hl_idset_release(&f.set);
	hl_losses_sort(out);
}

void hl_lost_release(struct hl_losses *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((struct hl_ring_member *)l->loss[i].ring);
		free((uint64_t *)l->loss[i].addresses);
	}
	free(l->loss);
	l->loss = NULL;
	l->n = 0;
}
