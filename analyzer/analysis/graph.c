/*
 * graph.c - blocks, and the pointers between them as they come.  Floor: analysis.
 */
#include "analyzer/analysis/graph_impl.h"
#include "analyzer/analysis/graph_sort.h"
#include "analyzer/base/buf.h"
#include <string.h>

struct hl_graph *hl_graph_new(unsigned heuristics)
{
	struct hl_graph *g = hl_xcalloc(1, sizeof(*g));

	g->heuristics = heuristics;
	g->last = HL_GRAPH_NONE;
	return g;
}

void hl_graph_free(struct hl_graph *g)
{
	if (!g)
		return;
	free(g->in);
	free(g->spans);
	free(g->users);
	free(g->around);
	hl_index_release(&g->index);
	hl_heuristics_release(&g->explain);
	free(g->links);
	free(g->sources);
	free(g->far);
	free(g->roots);
	free(g->row);
	free(g->kinds);
	free(g->group_of);
	free(g->groups);
	free(g->via);
	free(g->dominators);
	free(g->retained);
	free(g);
}

void hl_graph_add_block(struct hl_graph *g, uint64_t address, uint64_t size, uint32_t user)
{
	if (g->nin >= HL_GRAPH_MAX_BLOCKS) {
		g->too_many_blocks = 1;
		return;
	}
	if (size > UINT64_MAX - address)
		size = UINT64_MAX - address;
	g->in = hl_grow(g->in, &g->in_room, g->nin + 1, sizeof(*g->in));
	g->in[g->nin++] = (struct hl_block_in){address, size, user};
}

void hl_graph_add_vtables(struct hl_graph *g, uint64_t start, uint64_t end)
{
	if (g->heuristics & HL_HEURISTIC_MULTIPLEINHERITANCE)
		hl_heuristics_add_range(&g->explain, start, end);
}

int hl_graph_sort(struct hl_graph *g, struct hl_diag *d)
{
	if (g->too_many_blocks)
		return hl_fail(d, HL_ERR_FORMAT, "more than %u live blocks", HL_GRAPH_MAX_BLOCKS);
	g->n = (uint32_t)g->nin;
	hl_blocks_sort(&g->in, g->nin);
	g->spans = hl_xmalloc(g->nin * sizeof(*g->spans));
	g->users = hl_xmalloc(g->nin * sizeof(*g->users));
	for (size_t i = 0; i < g->nin; i++) {
		g->spans[i] = (struct hl_graph_span){g->in[i].address, g->in[i].size};
		g->users[i] = g->in[i].user;
	}
	free(g->in);
	g->in = NULL;
	g->around = hl_blocks_around(g->spans, g->n);
	hl_index_init(&g->index, g->spans, g->n);
	hl_heuristics_ready(&g->explain, g->n);
	return 0;
}

/* From the last block that starts at or before address outwards: the first that holds `bytes` from there on. */
static inline uint32_t innermost(const struct hl_graph *g, uint32_t b, uint64_t address, uint64_t bytes)
{
	for (; b != HL_GRAPH_NONE; b = hl_graph_around(g, b)) {
		uint64_t offset = address - g->spans[b].address, size = hl_graph_span_bytes(&g->spans[b]);

		if (offset < size && size - offset >= bytes)
			return b;
	}
	return b;
}

uint32_t hl_graph_find(struct hl_graph *g, uint64_t address)
{
	return innermost(g, hl_index_find(&g->index, address), address, 1);
}

/* The target that a value points to; HL_GRAPH_NONE: to no block. */
static inline uint32_t target_of(struct hl_graph *g, uint32_t begun, uint64_t value, int64_t before8,
				 int64_t before24)
{
	int starts = 0;
	uint32_t b = hl_index_find_in(&g->index, begun, value, &starts), last = b;
	uint64_t offset;

	/* the last that starts there is the innermost: it needs no look at its span, which would not be cached */
	if (starts)
		return b << 2 | HL_POINT_START;
	b = innermost(g, b, value, 1);
	if (b == HL_GRAPH_NONE)
		return last != HL_GRAPH_NONE &&
				       hl_heuristic_no_array(g->heuristics, value - g->spans[last].address,
							     g->spans[last].size, before8)
			       ? last << 2 | HL_POINT_EXPLAINED
			       : b;
	offset = value - g->spans[b].address;
	if (offset == 0)
		return b << 2 | HL_POINT_START;
	if (hl_heuristic_by_length(g->heuristics, offset, g->spans[b].size, before8, before24))
		return b << 2 | HL_POINT_EXPLAINED;
	return b << 2 | HL_POINT_INTERIOR;
}

/* Words come in order mostly, so the block of the one before is near. */
static uint32_t block_of_slot(struct hl_graph *g, uint64_t slot)
{
	uint32_t b = g->last, steps = 0;

	if (b == HL_GRAPH_NONE || slot < g->spans[b].address)
		b = hl_index_find(&g->index, slot);
	while (b != HL_GRAPH_NONE && b + 1 < g->n && g->spans[b + 1].address <= slot) {
		if (++steps > 8) {
			b = hl_index_find(&g->index, slot);
			break;
		}
		b++;
	}
	g->last = b;
	return innermost(g, b, slot, 8);
}

static uint32_t place_in_block(struct hl_graph *g, uint32_t b, uint64_t slot)
{
	uint64_t at = slot / 8 - g->spans[b].address / 8;

	if (at < HL_LINK_FAR)
		return (uint32_t)at;
	if (g->nfar >= UINT32_MAX - HL_LINK_FAR) {
		g->too_many_links = 1;
		return UINT32_MAX;
	}
	g->far = hl_grow(g->far, &g->far_room, g->nfar + 1, sizeof(*g->far));
	g->far[g->nfar] = slot;
	return HL_LINK_FAR + (uint32_t)g->nfar++;
}

uint64_t hl_graph_slot(const struct hl_graph *g, uint32_t b, const struct hl_link *l)
{
	return l->at < HL_LINK_FAR ? (g->spans[b].address / 8 + l->at) * 8 : g->far[l->at - HL_LINK_FAR];
}

static void note_vtable(struct hl_graph *g, uint32_t b, uint64_t slot)
{
	if (slot != g->spans[b].address) {
		hl_heuristics_note_slot(&g->explain, slot);
		return;
	}
	for (; b != HL_GRAPH_NONE && g->spans[b].address == slot; b = hl_graph_around(g, b))
		hl_heuristics_note_first(&g->explain, b);
}

static void add_link(struct hl_graph *g, const struct hl_word *w)
{
	uint32_t target = target_of(g, w->begun, w->value, w->before8, w->before24);

	if (target == HL_GRAPH_NONE) {
		if (hl_heuristics_is_vtable(&g->explain, w->value))
			note_vtable(g, w->source, w->slot);
		return;
	}
	if (g->nlinks >= UINT32_MAX - 1) {
		g->too_many_links = 1;
		return;
	}
	if ((target & 3) == HL_POINT_INTERIOR)
		hl_heuristics_wait(&g->explain, w->value, g->nlinks, 0);
	g->unordered |= g->nlinks && g->sources[g->nlinks - 1] > w->source;
	g->links = hl_grow(g->links, &g->links_room, g->nlinks + 1, sizeof(*g->links));
	g->sources = hl_grow(g->sources, &g->sources_room, g->nlinks + 1, sizeof(*g->sources));
	g->sources[g->nlinks] = w->source;
	g->links[g->nlinks++] = (struct hl_link){target, place_in_block(g, w->source, w->slot)};
}

uint32_t hl_graph_add_word(struct hl_graph *g, uint64_t slot, uint64_t value, int64_t before8,
			   int64_t before24)
{
	struct hl_word *w = &g->words[g->nwords % HL_WORDS_WAITING];
	uint32_t b = block_of_slot(g, slot);

	if (b == HL_GRAPH_NONE)
		return b;
	if (g->nwords++ >= HL_WORDS_WAITING)
		add_link(g, w);
	*w = (struct hl_word){slot, value, before8, before24, b, hl_index_begin(&g->index, value)};
	return b;
}

static void add_waiting_words(struct hl_graph *g)
{
	size_t n = g->nwords < HL_WORDS_WAITING ? g->nwords : HL_WORDS_WAITING;

	for (size_t i = g->nwords - n; i < g->nwords; i++)
		add_link(g, &g->words[i % HL_WORDS_WAITING]);
}

static void add_root(struct hl_graph *g, uint32_t target, uint32_t root)
{
	if (g->nroots >= INT32_MAX - 1) {
		g->too_many_links = 1;
		return;
	}
	g->roots = hl_grow(g->roots, &g->roots_room, g->nroots + 1, sizeof(*g->roots));
	g->roots[g->nroots++] = (struct hl_root){target, root};
}

uint32_t hl_graph_add_root(struct hl_graph *g, uint64_t value, uint32_t root, int64_t before8,
			   int64_t before24)
{
	uint32_t target = target_of(g, hl_index_begin(&g->index, value), value, before8, before24);

	if (target == HL_GRAPH_NONE)
		return target;
	if ((target & 3) == HL_POINT_INTERIOR)
		hl_heuristics_wait(&g->explain, value, g->nroots, 1);
	add_root(g, target, root);
	return target >> 2;
}

void hl_graph_keep(struct hl_graph *g, uint32_t block, uint32_t root)
{
	add_root(g, block << 2 | HL_POINT_START, root);
}

static void explain_by_vtables(struct hl_graph *g)
{
	struct hl_heuristics *h = &g->explain;

	hl_heuristics_close(h);
	for (size_t i = 0; i < h->nwaiting; i++) {
		const struct hl_waiting *w = &h->waiting[i];
		uint32_t *target = w->is_root ? &g->roots[w->index].target : &g->links[w->index].target;

		if (hl_heuristic_by_vtables(h, *target >> 2, w->value))
			*target = (*target & ~3u) | HL_POINT_EXPLAINED;
	}
	hl_heuristics_release(h);
}

/* Words of a block around others come before and after theirs: bring each block's together. */
static void order_links(struct hl_graph *g)
{
	struct hl_link *links = hl_xmalloc(g->nlinks * sizeof(*links));

	for (size_t i = 0; i < g->nlinks; i++)
		links[g->row[g->sources[i]]++] = g->links[i];
	/* each row now begins where the next one should */
	memmove(g->row + 1, g->row, (size_t)g->n * sizeof(*g->row));
	g->row[0] = 0;
	free(g->links);
	g->links = links;
}

void hl_graph_make_rows(struct hl_graph *g)
{
	uint32_t before = 0;

	g->row = hl_xcalloc((size_t)g->n + 1, sizeof(*g->row));
	for (size_t i = 0; i < g->nlinks; i++)
		g->row[g->sources[i]]++;
	for (uint32_t b = 0; b <= g->n; b++) {
		uint32_t here = g->row[b];

		g->row[b] = before;
		before += here;
	}
	if (g->unordered)
		order_links(g);
	free(g->sources);
	g->sources = NULL;
}

static void forget_groups(struct hl_graph *g)
{
	free(g->group_of);
	free(g->groups);
	free(g->dominators);
	free(g->retained);
	g->group_of = g->dominators = NULL;
	g->groups = NULL;
	g->retained = NULL;
	g->ngroups = g->groups_room = 0;
}

int hl_graph_solve(struct hl_graph *g, struct hl_diag *d)
{
	if (!g->row)
		add_waiting_words(g);
	if (g->too_many_links)
		return hl_fail(d, HL_ERR_FORMAT, "more pointers than can be followed");
	if (!g->row) {
		explain_by_vtables(g);
		hl_graph_make_rows(g);
		g->links = hl_xrealloc(g->links, g->nlinks * sizeof(*g->links) + 1);
	}
	forget_groups(g);
	hl_graph_mark(g);
	hl_graph_make_groups(g);
	return 0;
}

uint32_t hl_graph_nblocks(const struct hl_graph *g)
{
	return g->n;
}

struct hl_graph_block hl_graph_block(const struct hl_graph *g, uint32_t b)
{
	return (struct hl_graph_block){.address = g->spans[b].address,
				       .size = g->spans[b].size,
				       .user = g->users[b],
				       .around = hl_graph_around(g, b),
				       .group = g->group_of ? g->group_of[b] : HL_GRAPH_NONE,
				       .kind = g->kinds ? (enum hl_leak_kind)g->kinds[b] : HL_LEAK_INDIRECT};
}
