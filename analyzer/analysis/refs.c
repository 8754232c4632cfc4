/*
 * refs.c - the neighbourhood of one block, with names.  Floor: analysis.
 */
#include "analyzer/analysis/refs.h"
#include "analyzer/base/buf.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct find {
	struct hl_refs *r;
	struct hl_heapgraph *h;
	const struct hl_calls *calls;
	struct hl_symbols *symbols;
};

static const char *root_text(const struct find *f, uint32_t root)
{
	const struct hl_root *at = &f->h->root[root];
	const struct hl_area *p = at->area;
	const char *name;
	uint64_t offset;
	char text[512];

	if (!p)
		return at->why;
	switch (p->kind) {
	case HL_AREA_MODULE:
		name = hl_symbols_variable(f->symbols, p->module, at->slot, &offset);
		snprintf(text, sizeof(text), "%.480s+0x%" PRIx64, name, offset);
		break;
	case HL_AREA_STACK:
		snprintf(text, sizeof(text), "stack of thread %" PRIu32, p->tid);
		break;
	case HL_AREA_TLS:
		snprintf(text, sizeof(text), "thread-local memory of thread %" PRIu32, p->tid);
		break;
	case HL_AREA_REGISTERS:
		snprintf(text, sizeof(text), "register of thread %" PRIu32, p->tid);
		break;
	case HL_AREA_TOLD:
		snprintf(text, sizeof(text), "registered root region 0x%" PRIx64, at->slot);
		break;
	case HL_AREA_SHARED:
		snprintf(text, sizeof(text), "shared memory 0x%" PRIx64, at->slot);
		break;
	default:
		snprintf(text, sizeof(text), "mapped memory 0x%" PRIx64, at->slot);
		break;
	}
	return hl_names_string(f->calls->names, hl_names_intern(f->calls->names, text));
}

static struct hl_ref block_ref(const struct find *f, uint32_t block, uint64_t offset, enum hl_point how)
{
	struct hl_graph_block b = hl_graph_block(f->h->graph, block);
	uint32_t stack = f->h->owner[b.user].stack;

	return (struct hl_ref){.address = b.address,
			       .size = b.size,
			       .traceback = stack ? hl_stacks_traceback(f->calls->stacks, stack) : 0,
			       .offset = offset,
			       .how = how};
}

static void see_referrer(void *ctx, const struct hl_graph_referrer *x)
{
	struct find *f = ctx;
	struct hl_refs *r = f->r;

	r->from = hl_grow(r->from, &r->from_room, r->nfrom + 1, sizeof(*r->from));
	r->from[r->nfrom++] = x->root != HL_GRAPH_NONE
				      ? (struct hl_ref){.root = root_text(f, x->root), .how = x->how}
				      : block_ref(f, x->block, x->offset, x->how);
}

static void see_referent(void *ctx, const struct hl_graph_referent *x)
{
	struct find *f = ctx;
	struct hl_refs *r = f->r;

	r->to = hl_grow(r->to, &r->to_room, r->nto + 1, sizeof(*r->to));
	r->to[r->nto++] = block_ref(f, x->block, x->offset, x->how);
}

static void add_path(struct find *f, uint32_t block)
{
	struct hl_refs *r = f->r;
	struct hl_graph_path path;

	if (!hl_graph_path(f->h->graph, block, &path))
		return;
	r->path = hl_xmalloc((path.nsteps + 1) * sizeof(*r->path));
	r->path[0] = (struct hl_ref){.root = root_text(f, path.root), .how = path.how};
	for (size_t i = 0; i < path.nsteps; i++)
		r->path[i + 1] = block_ref(f, path.step[i].block, path.step[i].offset, path.step[i].how);
	r->npath = path.nsteps + 1;
	free(path.step);
}

int hl_refs_find(struct hl_refs *r, struct hl_heapgraph *h, const struct hl_calls *calls,
		 struct hl_symbols *symbols, uint64_t address, struct hl_diag *d)
{
	struct find f = {r, h, calls, symbols};
	uint32_t block = hl_graph_find(h->graph, address);
	const struct hl_owner *o;
	struct hl_graph_block b;
	int err;

	if (block == HL_GRAPH_NONE)
		return hl_fail(d, HL_ERR_NOTFOUND, "refs: no block lives at 0x%" PRIx64, address);
	err = hl_graph_retain(h->graph, d);
	if (err)
		return err;
	b = hl_graph_block(h->graph, block);
	o = &h->owner[b.user];
	*r = (struct hl_refs){.names = calls->names,
			      .trace = hl_trace_path(calls->trace),
			      .asked = address,
			      .address = b.address,
			      .size = b.size,
			      .retained = hl_graph_retained(h->graph, block),
			      .kind = b.kind};
	r->allocated = hl_call_make(calls, o->entry, o->domain, o->stamp, o->stack, o->thread);
	add_path(&f, block);
	hl_graph_referrers(h->graph, block, see_referrer, &f);
	hl_graph_referents(h->graph, block, see_referent, &f);
	return HL_OK;
}

void hl_refs_release(struct hl_refs *r)
{
	free(r->path);
	free(r->from);
	free(r->to);
	*r = (struct hl_refs){0};
}
