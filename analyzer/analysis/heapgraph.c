/*
 * heapgraph.c - a replay and an image put together.  Floor: analysis.
 */
#include "analyzer/analysis/heapgraph.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

struct load {
	struct hl_heapgraph *h;
	const struct hl_facts *facts;
	const struct hl_area *area; /* of the words that come now */
	size_t hint;
	struct hl_told told;
	struct dead { /* of signal stacks, by start: frames that were left, and the handler's of the library */
		uint64_t start, end;
	} * dead;
	size_t ndead, past;
	struct kept { /* owners whose blocks are kept */
		uint32_t *owner;
		size_t n, room;
		const char *why;
	} loaders, ignored;
};

static int is_loaders(const struct hl_facts *f, uint32_t stack)
{
	const struct hl_module *m;

	if (!stack || stack >= f->nnodes || !f->nodes[stack].known)
		return 0;
	m = hl_facts_module(f, f->nodes[stack].pc - 1, f->nodes[stack].epoch);
	return m && hl_module_is_loader(m);
}

static void keep_owner(struct kept *k, uint32_t owner)
{
	k->owner = hl_grow(k->owner, &k->room, k->n + 1, sizeof(*k->owner));
	k->owner[k->n++] = owner;
}

static void see_live(void *ctx, const struct hl_block *b)
{
	struct load *l = ctx;
	struct hl_heapgraph *h = l->h;

	if (b->domain == HL_DOMAIN_MMAP)
		return;
	if (is_loaders(l->facts, b->stack))
		keep_owner(&l->loaders, (uint32_t)h->nowners);
	else if (hl_told_keeps(&l->told, b))
		keep_owner(&l->ignored, (uint32_t)h->nowners);
	h->owner = hl_grow(h->owner, &h->owners_room, h->nowners + 1, sizeof(*h->owner));
	h->owner[h->nowners] =
		(struct hl_owner){b->stamp, b->stack, b->thread, b->entry, b->domain, b->inherited};
	hl_graph_add_block(h->graph, b->address, b->size, (uint32_t)h->nowners++);
}

static uint32_t next_root(struct hl_heapgraph *h, uint64_t slot, const struct hl_area *area)
{
	h->root = hl_grow(h->root, &h->roots_room, h->nroots + 1, sizeof(*h->root));
	h->root[h->nroots] = (struct hl_root){.area = area, .slot = slot};
	return (uint32_t)h->nroots;
}

/* One for all that is kept for that reason. */
static uint32_t next_reason(struct hl_heapgraph *h, const char *why)
{
	uint32_t root = next_root(h, 0, NULL);

	h->root[h->nroots++].why = why;
	return root;
}

static int by_start(const void *a, const void *b)
{
	const struct dead *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void find_dead(struct load *l, const struct hl_image_at *image)
{
	l->dead = hl_xmalloc(image->nthreads * sizeof(*l->dead) + 1);
	for (size_t i = 0; i < image->nthreads; i++) {
		const struct hl_image_thread *t = &image->threads[i];
		uint64_t end = t->sp - t->alt < t->alt_bytes ? t->sp : t->alt + t->alt_bytes;

		if (t->alt && t->sp && end > t->alt)
			l->dead[l->ndead++] = (struct dead){t->alt, end};
	}
	if (l->ndead)
		qsort(l->dead, l->ndead, sizeof(*l->dead), by_start);
}

/* Words come by ascending address. */
static int is_dead(struct load *l, uint64_t slot)
{
	while (l->past < l->ndead && l->dead[l->past].end <= slot)
		l->past++;
	return l->past < l->ndead && l->dead[l->past].start <= slot;
}

static void see_word(void *ctx, const struct hl_image_word *w)
{
	struct load *l = ctx;
	struct hl_heapgraph *h = l->h;
	const struct hl_area *area;
	uint32_t target;

	if (is_dead(l, w->slot))
		return;
	if (hl_told_is_root(&l->told, w->slot))
		h->nroots += hl_graph_add_root(h->graph, w->value, next_root(h, w->slot, &h->told),
					       w->before8, w->before24) != HL_GRAPH_NONE;
	if (hl_graph_add_word(h->graph, w->slot, w->value, w->before8, w->before24) != HL_GRAPH_NONE)
		return;
	area = hl_areas_at(&h->areas, w->slot, &l->hint);
	if (!area)
		return;
	if (area->exact) {
		target = hl_graph_find(h->graph, w->value);
		if (target == HL_GRAPH_NONE || hl_graph_block(h->graph, target).address != w->value)
			return;
	}
	target = hl_graph_add_root(h->graph, w->value, next_root(h, w->slot, area), w->before8, w->before24);
	h->nroots += target != HL_GRAPH_NONE;
}

/* A register's word says nothing of what lies before its target. */
static void add_registers(struct hl_heapgraph *h, const struct hl_image_at *image)
{
	h->registers = hl_xcalloc(image->nthreads + 1, sizeof(*h->registers));
	for (size_t i = 0; i < image->nthreads; i++) {
		const struct hl_image_thread *t = &image->threads[i];

		h->registers[i] = (struct hl_area){.kind = HL_AREA_REGISTERS, .tid = t->tid, .name = ""};
		for (size_t k = 0; k < t->nwords; k++)
			h->nroots +=
				hl_graph_add_root(h->graph, t->words[k], next_root(h, 0, &h->registers[i]),
						  -1, -1) != HL_GRAPH_NONE;
	}
}

static void add_kept(struct hl_heapgraph *h, const struct kept *k)
{
	uint32_t *block_of = NULL, root;

	if (!k->n)
		return;
	block_of = hl_xmalloc(h->nowners * sizeof(*block_of));
	for (uint32_t b = 0; b < hl_graph_nblocks(h->graph); b++)
		block_of[hl_graph_block(h->graph, b).user] = b;
	root = next_reason(h, k->why);
	for (size_t i = 0; i < k->n; i++)
		hl_graph_keep(h->graph, block_of[k->owner[i]], root);
	free(block_of);
}

static int holds_block(void *ctx, uint64_t start, uint64_t end)
{
	struct hl_graph *g = ctx;
	uint32_t low = 0, high = hl_graph_nblocks(g);

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (hl_graph_block(g, mid).address < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < hl_graph_nblocks(g) && hl_graph_block(g, low).address < end;
}

int hl_heapgraph_load(struct hl_heapgraph *h, struct hl_trace *t, const struct hl_image_at *image,
		      unsigned heuristics, const struct hl_sink *sink, void *ctx, struct hl_diag *d)
{
	struct load l = {.h = h,
			 .facts = hl_trace_facts(t),
			 .loaders = {.why = "the dynamic loader"},
			 .ignored = {.why = "the program: not to be taken for a leak"}};
	int err;

	*h = (struct hl_heapgraph){.graph = hl_graph_new(heuristics),
				   .told = {.kind = HL_AREA_TOLD, .name = ""}};
	hl_told_load(&l.told, l.facts, image->stamp);
	for (size_t i = 0; i < image->nmaps; i++)
		if (!(image->maps[i].flags & (HL_IMAGE_MAP_WRITE | HL_IMAGE_MAP_SEALED)))
			hl_graph_add_vtables(h->graph, image->maps[i].start, image->maps[i].end);
	err = hl_replay_live(t, image->stamp, sink, ctx, see_live, &l, &h->counts, d);
	if (!err)
		err = hl_graph_sort(h->graph, d);
	if (!err) {
		hl_areas_build(&h->areas, image, l.facts, holds_block, h->graph);
		find_dead(&l, image);
		err = hl_image_words(t, image, see_word, &l, d);
	}
	if (!err) {
		add_registers(h, image);
		add_kept(h, &l.loaders);
		add_kept(h, &l.ignored);
		err = hl_graph_solve(h->graph, d);
	}
	free(l.dead);
	free(l.loaders.owner);
	free(l.ignored.owner);
	hl_told_release(&l.told);
	if (err)
		hl_heapgraph_release(h);
	return err;
}

int hl_heapgraph_keep(struct hl_heapgraph *h, const uint32_t *block, size_t n, const char *why,
		      struct hl_diag *d)
{
	uint32_t root = next_reason(h, why);

	for (size_t i = 0; i < n; i++)
		hl_graph_keep(h->graph, block[i], root);
	return hl_graph_solve(h->graph, d);
}

void hl_heapgraph_release(struct hl_heapgraph *h)
{
	hl_graph_free(h->graph);
	hl_areas_release(&h->areas);
	free(h->registers);
	free(h->owner);
	free(h->root);
	*h = (struct hl_heapgraph){0};
}
