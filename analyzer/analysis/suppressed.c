/*
 * suppressed.c - match blocks, keep them, look again.  Floor: analysis.
 */
#include "analyzer/analysis/suppressed.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>

struct find {
	struct hl_suppressed *out;
	struct hl_heapgraph *h;
	const struct hl_calls *calls;
	struct hl_suppressions *s;
	enum hl_suppress_pass pass;
	int inherited;
	struct hl_idmap known; /* of stack, kind and function: 1 + entry */
	uint32_t *kept;
	size_t nkept, room;
};

/* 1 + the entry that matches. */
static uint32_t entry_of(struct find *f, const struct hl_owner *o, enum hl_leak_kind kind)
{
	uint64_t key = (uint64_t)o->stack << 10 | (uint64_t)kind << 8 | o->entry;
	uint32_t id = hl_idmap_find(&f->known, key);
	uint32_t traceback;

	if (id != HL_ID_NONE)
		return id;
	traceback = o->stack ? hl_stacks_traceback(f->calls->stacks, o->stack) : 0;
	id = hl_suppressions_match(f->s, kind, o->entry, traceback, f->calls->names) + 1;
	hl_idmap_add(&f->known, key, id);
	return id;
}

/* Before the first block is kept. */
static void note_kinds(struct find *f)
{
	uint32_t n = hl_graph_nblocks(f->h->graph);

	f->out->entry = hl_xcalloc(n, sizeof(*f->out->entry));
	f->out->was = hl_xmalloc(n);
	for (uint32_t b = 0; b < n; b++)
		f->out->was[b] = (uint8_t)hl_graph_block(f->h->graph, b).kind;
}

static void see_block(struct find *f, uint32_t block)
{
	struct hl_graph_block b = hl_graph_block(f->h->graph, block);
	const struct hl_owner *o = &f->h->owner[b.user];
	uint32_t entry = entry_of(f, o, b.kind);

	if (!entry || (f->pass == HL_SUPPRESS_BUDGET && hl_suppressions_over(f->s, entry - 1)))
		return;
	if (!f->out->entry)
		note_kinds(f);
	f->out->entry[block] = entry;
	f->out->was[block] = (uint8_t)b.kind;
	if (f->pass == HL_SUPPRESS_COUNT && (f->inherited || !o->inherited))
		hl_suppressions_count(f->s, entry - 1, b.size, 1);
	if (b.kind == HL_LEAK_REACHABLE)
		return;
	f->kept = hl_grow(f->kept, &f->room, f->nkept + 1, sizeof(*f->kept));
	f->kept[f->nkept++] = block;
}

/* One look at all blocks; what was kept before is reachable, and no more of it matches. */
static void see_blocks(struct find *f, int reachable)
{
	uint32_t n = hl_graph_nblocks(f->h->graph);

	f->nkept = 0;
	for (uint32_t b = 0; b < n; b++)
		if (reachable || hl_graph_block(f->h->graph, b).kind != HL_LEAK_REACHABLE)
			see_block(f, b);
}

int hl_suppressed_find(struct hl_suppressed *out, struct hl_heapgraph *h, const struct hl_calls *calls,
		       struct hl_suppressions *s, enum hl_suppress_pass pass, int reachable, int inherited,
		       struct hl_diag *d)
{
	struct find f = {.out = out, .h = h, .calls = calls, .s = s, .pass = pass, .inherited = inherited};
	int err = HL_OK;

	*out = (struct hl_suppressed){0};
	if (!s->n)
		return HL_OK;
	do {
		see_blocks(&f, reachable);
		reachable = 0;
		if (f.nkept)
			err = hl_heapgraph_keep(h, f.kept, f.nkept, "a suppression", d);
	} while (!err && f.nkept);
	hl_idmap_release(&f.known);
	free(f.kept);
	return err;
}

void hl_suppressed_release(struct hl_suppressed *s)
{
	free(s->entry);
	free(s->was);
	*s = (struct hl_suppressed){0};
}
