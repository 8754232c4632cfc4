/*
 * facts_build.c - layers laid over each other: the oldest ancestor below, the program's own on top.
 * Floor: input.
 *
 * Invariant of the result: parent < id for every node, so that a walk to the root ends.
 */
#include "analyzer/input/facts_build.h"
#include "analyzer/input/module_span.h"
#include "heapledger/image.h"
#include <stdlib.h>

/* What ids may be, in proportion to the bytes that were recorded: a node takes one at least, a site
 * three, and some are lost.  Bounds the memory that a damaged id can make us take. */
#define NODE_ID_FLOOR (1u << 22)
static uint32_t node_id_limit(const struct hl_layer *layers, size_t n)
{
	uint64_t bytes = 0;

	for (size_t k = 0; k < n; k++)
		bytes += layers[k].source->health.raw_bytes;
	return bytes > (1u << 28) - NODE_ID_FLOOR ? 1u << 28 : (uint32_t)bytes + NODE_ID_FLOOR;
}

/* The largest id of nodes (which 0) or sites; those beyond the limit are named as a problem. */
static uint32_t last_id(struct hl_layer *layers, size_t n, uint32_t limit, int of_sites)
{
	uint32_t last = 0;

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < (of_sites ? layers[k].nsites : layers[k].nnodes); i++) {
			uint32_t id = of_sites ? layers[k].sites[i].id : layers[k].nodes[i].id;

			if (id > limit)
				hl_source_problem(layers[k].source,
						  "%s: stack id %u is out of all proportion",
						  layers[k].source->path, id);
			else if (last < id)
				last = id;
		}
	return last;
}

/* Sites by id, for as long as the nodes are built. */
struct sites {
	struct site {
		uint64_t pc;
		uint8_t flags, known;
	} * at;
	uint32_t n;
};

static void put_site(struct sites *s, const struct hl_site_record *r)
{
	if (r->id < s->n)
		s->at[r->id] = (struct site){r->pc, r->flags, 1};
}

/* A parent's id of after the fork is the child's too only when its record was on its way. */
static struct sites build_sites(struct hl_layer *layers, size_t n, uint32_t limit)
{
	struct sites s = {.n = last_id(layers, n, limit, 1) + 1};

	s.at = hl_xcalloc(s.n, sizeof(*s.at));
	for (size_t k = n; k-- > 0;)
		for (size_t i = 0; i < layers[k].nsites; i++)
			if (!layers[k].sites[i].late)
				put_site(&s, &layers[k].sites[i]);
	for (size_t k = 1; k < n; k++)
		for (size_t i = 0; i < layers[k].nsites; i++) {
			const struct hl_site_record *r = &layers[k].sites[i];

			if (r->id < s.n && !s.at[r->id].known)
				put_site(&s, r);
		}
	return s;
}

static void put_node(struct hl_facts *f, const struct sites *s, const struct hl_node_record *r)
{
	static const struct site lost;
	const struct site *site = r->site < s->n ? &s->at[r->site] : &lost;

	if (r->id < f->nnodes)
		f->nodes[r->id] = (struct hl_node){.pc = site->pc,
						   .parent = r->parent,
						   .epoch = r->epoch,
						   .flags = site->flags,
						   .known = 1};
}

static void build_nodes(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	uint32_t limit = node_id_limit(layers, n), last = last_id(layers, n, limit, 0);
	struct sites s = build_sites(layers, n, limit);

	f->nnodes = last + 1;
	f->nodes = hl_xcalloc((unsigned long)last + 2, sizeof(*f->nodes));
	f->nodes[0].known = 1;
	for (size_t k = n; k-- > 0;)
		for (size_t i = 0; i < layers[k].nnodes; i++)
			if (!layers[k].nodes[i].late)
				put_node(f, &s, &layers[k].nodes[i]);
	/* as for sites */
	for (size_t k = 1; k < n; k++)
		for (size_t i = 0; i < layers[k].nnodes; i++) {
			const struct hl_node_record *r = &layers[k].nodes[i];

			if (r->id < f->nnodes && !f->nodes[r->id].known)
				put_node(f, &s, r);
		}
	f->nnodes++; /* the one for ids beyond all records */
	free(s.at);
}

static int by_epoch(const void *pa, const void *pb)
{
	const struct hl_module *a = pa, *b = pb;

	if (a->first_epoch != b->first_epoch)
		return a->first_epoch < b->first_epoch ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static void build_modules(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	struct hl_layer all = {0}; /* only its modules are used */
	size_t kept = 0;

	hl_map_init(&all.module_at);
	for (size_t k = n; k-- > 0;)
		for (size_t i = 0; i < layers[k].nmodules; i++) {
			struct hl_module_record *from = &layers[k].modules[i];
			struct hl_module_record *to = hl_layer_module(&all, from->m.id);

			if (from->m.path) {
				free(to->m.path);
				to->m = from->m;
				from->m.path = NULL;
			} else if (from->unloaded) {
				to->m.last_epoch = from->m.last_epoch;
			}
		}
	f->modules = hl_xcalloc(all.nmodules, sizeof(*f->modules));
	for (size_t i = 0; i < all.nmodules; i++) {
		struct hl_module *m = &all.modules[i].m;

		if (m->path && m->start < m->end && m->first_epoch <= m->last_epoch)
			f->modules[kept++] = *m;
		else
			free(m->path);
	}
	f->nmodules = (uint32_t)kept;
	if (kept)
		qsort(f->modules, kept, sizeof(*f->modules), by_epoch);
	f->spans = hl_module_spans(f->modules, f->nmodules);
	free(all.modules);
	hl_map_release(&all.module_at);
}

static int by_serial(const void *pa, const void *pb)
{
	const struct hl_thread *a = pa, *b = pb;

	return (a->serial > b->serial) - (a->serial < b->serial);
}

/* What the newer file says of a thread that both know: the one that called fork. */
static void lay_over(struct hl_thread *t, struct hl_thread *newer)
{
	if (newer->tid)
		t->tid = newer->tid;
	if (newer->stack_high) {
		t->stack_low = newer->stack_low;
		t->stack_high = newer->stack_high;
	}
	if (newer->start_stamp)
		t->start_stamp = newer->start_stamp;
	t->end_stamp = newer->end_stamp;
	if (newer->name) {
		free(t->name);
		t->name = newer->name;
		newer->name = NULL;
	}
}

static void build_threads(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	struct hl_layer all = {0}; /* only its threads are used */

	hl_map_init(&all.thread_at);
	for (size_t k = n; k-- > 0;)
		for (size_t i = 0; i < layers[k].nthreads; i++) {
			struct hl_thread *t = &layers[k].threads[i].t;

			lay_over(&hl_layer_thread(&all, t->serial)->t, t);
		}
	f->nthreads = (uint32_t)all.nthreads;
	f->threads = hl_xcalloc(all.nthreads, sizeof(*f->threads));
	for (size_t i = 0; i < all.nthreads; i++) {
		f->threads[i] = all.threads[i].t;
		if (!f->threads[i].name)
			f->threads[i].name = hl_xstrdup("");
	}
	if (f->nthreads)
		qsort(f->threads, f->nthreads, sizeof(*f->threads), by_serial);
	free(all.threads);
	hl_map_release(&all.thread_at);
}

static char *take_string(char **s)
{
	char *p = *s ? *s : hl_xstrdup("");

	*s = NULL;
	return p;
}

static void build_process(struct hl_facts *f, struct hl_layer *own)
{
	struct hl_process *p = &f->process;

	*p = own->process;
	p->exe = take_string(&own->process.exe);
	p->cmdline = take_string(&own->process.cmdline);
	p->options = take_string(&own->process.options);
	own->process.exec_path = NULL; /* moved by the assignment */
	if (!p->seen) {
		p->image_id = own->source->header.image_id;
		p->pid = own->source->header.pid;
	}
}

/* A child samples as its parent does: of two statements that differ the nearer counts. */
static void build_sample(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		uint64_t bytes = layers[k].sample_bytes;

		if (!f->sample_bytes)
			f->sample_bytes = bytes;
		else if (bytes && bytes != f->sample_bytes)
			hl_source_problem(layers[0].source,
					  "%s: a sample of one in %llu bytes, its parent's is one in %llu",
					  layers[0].source->path, (unsigned long long)f->sample_bytes,
					  (unsigned long long)bytes);
	}
}

static int by_stamp(const void *a, const void *b)
{
	const struct hl_mapping *x = a, *y = b;

	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	/* what was unmapped at the same tick made room for it, or moved there */
	return x->mapped - y->mapped;
}

/* The parents' first: what they mapped before the fork is mapped in the child. */
static void build_mappings(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	struct hl_map index;
	size_t all = 0;

	for (size_t k = 0; k < n; k++)
		all += layers[k].nmappings;
	if (!all)
		return;
	hl_map_init(&index);
	for (uint32_t i = 0; i < f->nmodules; i++)
		*hl_map_slot(&index, f->modules[i].id) = i + 1;
	f->mappings = hl_xmalloc(all * sizeof(*f->mappings));
	for (size_t k = n; k-- > 0;)
		for (size_t i = 0; i < layers[k].nmappings; i++) {
			struct hl_mapping *m = &f->mappings[f->nmappings++];
			uint32_t at;

			*m = layers[k].mappings[i];
			at = m->module ? hl_map_get(&index, m->module - 1) : 0;
			m->module = at ? at - 1 : UINT32_MAX;
		}
	qsort(f->mappings, f->nmappings, sizeof(*f->mappings), by_stamp);
	hl_map_release(&index);
}

static int by_note_stamp(const void *a, const void *b)
{
	const struct hl_leak_note_at *x = a, *y = b;

	return (x->stamp > y->stamp) - (x->stamp < y->stamp);
}

/* What a parent said before the fork holds for what the child inherited. */
static void build_leak_notes(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	size_t all = 0;

	for (size_t k = 0; k < n; k++)
		all += layers[k].nleak_notes;
	f->leak_notes = hl_xmalloc(all * sizeof(*f->leak_notes) + 1);
	for (size_t k = n; k-- > 0;) {
		for (size_t i = 0; i < layers[k].nleak_notes; i++)
			f->leak_notes[f->nleak_notes++] = layers[k].leak_notes[i];
		if (layers[k].suppressions) {
			free(f->suppressions);
			f->suppressions = layers[k].suppressions;
			layers[k].suppressions = NULL;
		}
	}
	if (f->nleak_notes)
		qsort(f->leak_notes, f->nleak_notes, sizeof(*f->leak_notes), by_note_stamp);
	f->leaks_off = layers[0].leaks_off;
}

void hl_facts_build(struct hl_facts *f, struct hl_layer *layers, size_t n)
{
	*f = (struct hl_facts){.sync_stamp = layers[0].sync_stamp};
	build_sample(f, layers, n);
	for (int k = 0; k < HL_LOST_KINDS; k++)
		f->lost[k] = layers[0].lost[k];
	build_nodes(f, layers, n);
	build_modules(f, layers, n);
	build_threads(f, layers, n);
	build_mappings(f, layers, n);
	build_leak_notes(f, layers, n);
	build_process(f, &layers[0]);
	f->unseen = layers[0].unseen;
	f->nunseen = layers[0].nunseen;
	layers[0].unseen = NULL;
	layers[0].nunseen = 0;
}

void hl_facts_release(struct hl_facts *f)
{
	for (uint32_t i = 0; i < f->nmodules; i++)
		free(f->modules[i].path);
	for (uint32_t i = 0; i < f->nthreads; i++)
		free(f->threads[i].name);
	for (size_t i = 0; i < f->nunseen; i++) {
		free(f->unseen[i].path);
		free(f->unseen[i].from);
	}
	free(f->unseen);
	free(f->mappings);
	free(f->leak_notes);
	free(f->suppressions);
	free(f->nodes);
	free(f->modules);
	free(f->threads);
	free(f->spans);
	free(f->process.exe);
	free(f->process.cmdline);
	free(f->process.options);
	free(f->process.exec_path);
	free(f->process.parent_file);
	*f = (struct hl_facts){0};
}
