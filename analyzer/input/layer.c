/*
 * layer.c - one pass over a file's facts: nodes, modules, threads.  Floor: input.
 */
#include "analyzer/input/layer.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>
#include <string.h>

#define NODE_ID_MAX (1u << 28)

/* The coding state of CHAIN and SITE records within a claim. */
struct node_state {
	uint64_t node, site, pc;
	uint32_t epoch;
};

struct hl_thread_record *hl_layer_thread(struct hl_layer *l, uint32_t serial)
{
	uint32_t *at = hl_map_slot(&l->thread_at, serial);

	if (!*at) {
		l->threads = hl_grow(l->threads, &l->threads_cap, l->nthreads + 1, sizeof(*l->threads));
		l->threads[l->nthreads] = (struct hl_thread_record){.t.serial = serial};
		*at = (uint32_t)++l->nthreads;
	}
	return &l->threads[*at - 1];
}

struct hl_module_record *hl_layer_module(struct hl_layer *l, uint32_t id)
{
	uint32_t *at = hl_map_slot(&l->module_at, id);

	if (!*at) {
		l->modules = hl_grow(l->modules, &l->modules_cap, l->nmodules + 1, sizeof(*l->modules));
		l->modules[l->nmodules] = (struct hl_module_record){.m.id = id, .m.last_epoch = UINT32_MAX};
		*at = (uint32_t)++l->nmodules;
	}
	return &l->modules[*at - 1];
}

static int take_chain(struct hl_layer *l, struct hl_fact_record *f, struct node_state *state, int late)
{
	uint64_t id, up, parent;
	uint32_t site;

	if (!hl_fact_uv(f, &id) || !hl_fact_uv(f, &up))
		return 0;
	if (__builtin_add_overflow(state->node, id, &id) || id == 0 || id > NODE_ID_MAX || up == 0 || up > id)
		return 0;
	for (parent = id - up; f->at != f->end; parent = id++) {
		if (id > NODE_ID_MAX || !hl_fact_u32(f, &site))
			return 0;
		l->nodes = hl_grow(l->nodes, &l->nodes_cap, l->nnodes + 1, sizeof(*l->nodes));
		l->nodes[l->nnodes++] = (struct hl_node_record){
			.id = (uint32_t)id,
			.parent = (uint32_t)parent,
			.site = site,
			.epoch = state->epoch,
			.late = (uint8_t)late,
		};
	}
	state->node = parent;
	return 1;
}

static int take_site(struct hl_layer *l, struct hl_fact_record *f, struct node_state *state, int late)
{
	uint64_t id, pc, flags = 0;

	if (!hl_fact_uv(f, &id) || !hl_fact_uv(f, &pc))
		return 0;
	if (f->at != f->end && !hl_fact_uv(f, &flags))
		return 0;
	if (__builtin_add_overflow(state->site, id, &id) || id == 0 || id > NODE_ID_MAX)
		return 0;
	state->site = id;
	state->pc += (uint64_t)hl_unzigzag(pc);
	l->sites = hl_grow(l->sites, &l->sites_cap, l->nsites + 1, sizeof(*l->sites));
	l->sites[l->nsites++] = (struct hl_site_record){
		.pc = state->pc,
		.id = (uint32_t)id,
		.flags = (uint8_t)flags,
		.late = (uint8_t)late,
	};
	return 1;
}

static int take_module(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_module m = {0};
	struct hl_module_record *r;
	const uint8_t *id;
	size_t n;

	if (!hl_fact_u32(f, &m.id) || !hl_fact_u32(f, &m.first_epoch) || !hl_fact_uv(f, &m.start) ||
	    !hl_fact_uv(f, &m.end) || !hl_fact_uv(f, &m.bias) || !hl_layer_string(f, &m.path) ||
	    !hl_fact_string(f, &id, &n)) {
		free(m.path);
		return 0;
	}
	/* a longer one than any known linker makes is not used rather than cut */
	if (n <= sizeof(m.build_id)) {
		memcpy(m.build_id, id, n);
		m.build_id_bytes = (uint32_t)n;
	}
	r = hl_layer_module(l, m.id);
	m.last_epoch = r->m.last_epoch;
	free(r->m.path);
	r->m = m;
	return 1;
}

static int take_unload(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_module_record *r;
	uint32_t id, epoch;

	if (!hl_fact_u32(f, &id) || !hl_fact_u32(f, &epoch))
		return 0;
	r = hl_layer_module(l, id);
	r->m.last_epoch = epoch;
	r->unloaded = 1;
	return 1;
}

static int take_thread(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_thread_record *r;
	uint32_t serial, tid;
	uint64_t low, high, stamp;

	if (!hl_fact_u32(f, &serial) || !hl_fact_u32(f, &tid) || !hl_fact_uv(f, &low) ||
	    !hl_fact_uv(f, &high) || !hl_fact_uv(f, &stamp))
		return 0;
	r = hl_layer_thread(l, serial);
	r->t.tid = tid;
	r->t.stack_low = low;
	r->t.stack_high = high;
	r->t.start_stamp = stamp;
	return 1;
}

static int take_name(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_thread_record *r;
	char *name = NULL;
	uint32_t serial;
	uint64_t stamp;

	if (!hl_fact_u32(f, &serial) || !hl_layer_string(f, &name))
		return 0;
	if (!hl_fact_uv(f, &stamp)) {
		free(name);
		return 0;
	}
	r = hl_layer_thread(l, serial);
	if (r->t.name && stamp < r->name_stamp) {
		free(name);
		return 1;
	}
	free(r->t.name);
	r->t.name = name;
	r->name_stamp = stamp;
	return 1;
}

static int take_thread_end(struct hl_layer *l, struct hl_fact_record *f)
{
	uint32_t serial;
	uint64_t stamp;

	if (!hl_fact_u32(f, &serial) || !hl_fact_uv(f, &stamp))
		return 0;
	hl_layer_thread(l, serial)->t.end_stamp = stamp;
	return 1;
}

static int take_epoch(struct hl_fact_record *f, struct node_state *state)
{
	return hl_fact_u32(f, &state->epoch);
}

/* 1 taken or skipped, 0 malformed, -1 unknown, -2 unknown and must be known. */
static int take(struct hl_layer *l, struct hl_fact_record *f, struct node_state *state, int late)
{
	switch (f->kind) {
	case HL_FACT_CHAIN:
		return take_chain(l, f, state, late);
	case HL_FACT_SITE:
		return take_site(l, f, state, late);
	case HL_FACT_EPOCH:
		return take_epoch(f, state);
	case HL_FACT_FORK:
		return hl_layer_take_fork(l, f);
	case HL_FACT_PARENT:
		return hl_layer_take_parent(l, f);
	case HL_FACT_SAMPLE:
		return hl_layer_take_sample(l, f);
	case HL_FACT_IMAGE_BEGIN:
	case HL_FACT_IMAGE_REGS:
	case HL_FACT_IMAGE_WORDS:
	case HL_FACT_IMAGE_WORDS_2_2:
	case HL_FACT_IMAGE_END:
	case HL_FACT_IMAGE_MAP:
		return f->must ? -2 : 1; /* for those who search for leaks */
	}
	if (f->kind == 0 || f->kind > HL_FACT_IMAGE_WORDS)
		return f->must ? -2 : -1;
	if (late)
		return 1;
	switch (f->kind) {
	case HL_FACT_MODULE:
		return take_module(l, f);
	case HL_FACT_UNLOAD:
		return take_unload(l, f);
	case HL_FACT_THREAD:
		return take_thread(l, f);
	case HL_FACT_NAME:
		return take_name(l, f);
	case HL_FACT_THREAD_END:
		return take_thread_end(l, f);
	case HL_FACT_HELLO:
		return hl_layer_take_hello(l, f);
	case HL_FACT_EXEC:
		return hl_layer_take_exec(l, f);
	case HL_FACT_END:
		return hl_layer_take_end(l, f);
	case HL_FACT_SYNC:
		return hl_layer_take_sync(l, f);
	case HL_FACT_LOST:
		return hl_layer_take_lost(l, f);
	case HL_FACT_UNSEEN:
		return hl_layer_take_unseen(l, f);
	case HL_FACT_RANGE:
		return hl_layer_take_range(l, f);
	case HL_FACT_LEAK_NOTE:
		return hl_layer_take_leak_note(l, f);
	case HL_FACT_SUPPRESSIONS:
		return hl_layer_take_suppressions(l, f);
	}
	return 1;
}

/* Where the limits of one stream end. */
struct bound {
	uint32_t claim, used;
	int inside; /* 0: nothing of the stream is */
};

/* The facts of piece i.  0: the rest of its claim cannot be read. */
static int take_piece(struct hl_layer *l, struct hl_loader *loader, size_t i, uint8_t *data,
		      const struct bound *b, struct node_state *state, struct hl_diag *d)
{
	struct hl_source *s = l->source;
	const struct hl_piece *p = &s->pieces[i];
	struct hl_fact_reader r = {data, data + p->bytes};
	size_t n;
	struct hl_fact_record f;
	int got, taken;

	/* where the bound lies within the claim, the place of each record is asked for */
	if (b->inside && p->claim == b->claim) {
		if (!hl_source_load(s, loader, i, data))
			return 0;
	} else {
		if (!hl_source_load_facts(s, loader, i, data, &n))
			return 0;
		r.end = data + n;
	}
	while ((got = hl_decode_fact(&r, &f)) > 0) {
		uint64_t end = p->offset + (uint64_t)(r.at - data);
		int late = !b->inside || p->claim > b->claim || (p->claim == b->claim && end > b->used);
		unsigned kind = f.kind;

		taken = take(l, &f, state, late);
		if (taken == 0) {
			got = -1;
			break;
		}
		if (taken < 0)
			s->health.unknown_facts++;
		if (taken == -2 && !d->err)
			hl_fail(d, HL_ERR_FORMAT,
				"%s: block at offset %llu: needs a newer heapledger (record of kind %u)",
				s->path, (unsigned long long)p->position, kind);
	}
	if (got < 0)
		hl_source_bad_piece(s, i, "its facts cannot be decoded");
	return got == 0;
}

static void take_stream(struct hl_layer *l, const struct hl_stream *st, struct hl_loader *loader,
			uint8_t *data, struct hl_diag *d)
{
	struct node_state state = {0};
	struct bound b;
	int broken = 0;

	if (hl_stream_is_image(st->stream))
		return;
	b.inside = hl_limits_of(l->limits, st->stream, &b.claim, &b.used);
	if (b.inside && st->stream != HL_STREAM_COLLECTOR && HL_STREAM_THREAD(st->stream) && !l->limits) {
		struct hl_thread_record *r = hl_layer_thread(l, HL_STREAM_THREAD(st->stream));

		/* what its slots say, should its THREAD record be lost */
		if (!r->t.tid)
			r->t.tid = l->source->pieces[st->first].tid;
	}
	for (size_t i = st->first; i < (size_t)st->first + st->count; i++) {
		const struct hl_piece *p = &l->source->pieces[i];

		if (p->offset == 0) {
			state = (struct node_state){0};
			broken = 0;
		}
		if (!p->facts)
			continue;
		if (broken || !take_piece(l, loader, i, data, &b, &state, d)) {
			hl_source_bad_piece(l->source, i, "damage before it in its claim");
			broken = 1;
		}
	}
}

int hl_layer_load(struct hl_layer *l, struct hl_source *s, const struct hl_limits *limits, struct hl_diag *d)
{
	struct hl_diag must = {.err = HL_OK};
	struct hl_loader loader;
	uint8_t *data = hl_xmalloc(HL_SLOT_ROOM);

	*l = (struct hl_layer){.source = s, .limits = limits};
	hl_map_init(&l->module_at);
	hl_map_init(&l->thread_at);
	memcpy(l->lost, s->lost, sizeof(l->lost));
	hl_loader_init(&loader);
	for (size_t i = 0; i < s->nstreams; i++)
		take_stream(l, &s->streams[i], &loader, data, &must);
	hl_limits_sort(&l->inherited);
	hl_loader_release(&loader);
	free(data);
	if (!must.err || limits)
		return HL_OK;
	hl_layer_release(l);
	*d = must;
	return must.err;
}

void hl_layer_release(struct hl_layer *l)
{
	for (size_t i = 0; i < l->nmodules; i++)
		free(l->modules[i].m.path);
	for (size_t i = 0; i < l->nthreads; i++)
		free(l->threads[i].t.name);
	free(l->nodes);
	free(l->sites);
	free(l->modules);
	free(l->threads);
	free(l->process.exe);
	free(l->process.cmdline);
	free(l->process.options);
	free(l->process.exec_path);
	free(l->parent_name);
	for (size_t i = 0; i < l->nunseen; i++) {
		free(l->unseen[i].path);
		free(l->unseen[i].from);
	}
	free(l->unseen);
	free(l->mappings);
	free(l->leak_notes);
	free(l->suppressions);
	hl_limits_release(&l->inherited);
	hl_map_release(&l->module_at);
	hl_map_release(&l->thread_at);
	*l = (struct hl_layer){0};
}
