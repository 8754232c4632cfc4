/*
 * capture.c - walk, skip our own frames, intern from the outermost frame inwards.
 *
 * Consecutive captures of a thread share most of their outer frames: as long as the pcs equal those of
 * the capture before, their nodes are taken from it without a look-up.
 */
#include "preload/capture.h"
#include "preload/modmap.h"
#include "preload/record.h"
#include "preload/slots.h"
#include "preload/stacktab.h"
#include "preload/unwind.h"

struct emitter {
	struct hl_thread *t;
	struct hl_stream *s;
	int epoch_moved;
};

static int put_module(struct hl_thread *t, const struct hl_mod *m)
{
	uint8_t head[72], tail[HL_BUILD_ID_MAX + 4], *p = head, *q = tail;
	size_t n = hl_strlen(m->path);

	if (n >= HL_PATH_MAX)
		n = HL_PATH_MAX - 1;
	p = hl_put_uv(p, m->id);
	p = hl_put_uv(p, m->first_epoch);
	p = hl_put_uv(p, m->start);
	p = hl_put_uv(p, m->end);
	p = hl_put_uv(p, m->bias);
	p = hl_put_uv(p, n);
	q = hl_put_string(q, (const char *)m->build_id, m->build_id_bytes);
	q = hl_put_uv(q, 0);
	return hl_record_fact3(t, HL_FACT_MODULE, head, (size_t)(p - head), m->path, n, tail, (size_t)(q - tail));
}

static int put_unload(struct hl_thread *t, const struct hl_mod *m)
{
	uint8_t buf[24], *p = hl_put_uv(buf, m->id);

	p = hl_put_uv(p, atomic_load_explicit(&hl_guest.epoch, memory_order_relaxed) - 1);
	return hl_record_fact(t, HL_FACT_UNLOAD, buf, (size_t)(p - buf));
}

void hl_record_unloads(struct hl_thread *t)
{
	const struct hl_mod *m;
	uint32_t cursor = 0;

	while ((m = hl_modmap_swept(&cursor))) {
		hl_unwind_flush();
		put_unload(t, m);
	}
}

/* hl_node_emit: the module first when it is new, then the node. */
static int emit_node(void *ctx, uint32_t id, uint32_t parent, uint64_t pc, uint32_t flags, uint32_t epoch)
{
	struct emitter *e = ctx;
	struct hl_stream *s = e->s;
	const struct hl_mod *m, *gone = NULL;
	uint8_t *start, *p;

	if (pc) {
		m = hl_modmap_note(pc - 1, &gone);
		if (gone)
			put_unload(e->t, gone);
		if (m)
			put_module(e->t, m);
		if (gone) {
			hl_unwind_flush();
			e->epoch_moved = 1;
			return 0;
		}
	}
	start = hl_slots_room(e->t, s, 64);
	if (!start)
		return 0;
	if (s->claim_epoch != epoch) {
		p = hl_put_uv(start + 2, epoch);
		start[0] = HL_TAG_FACT | HL_FACT_EPOCH << 2;
		start[1] = (uint8_t)(p - start - 2);
		hl_slots_commit(s, p);
		s->claim_epoch = epoch;
		s->node_id = 0;
		s->node_pc = 0;
		start = p;
	}
	p = hl_put_uv(start + 2, (uint64_t)id - s->node_id);
	p = hl_put_uv(p, id - parent);
	p = hl_put_uv(p, hl_zigzag((int64_t)(pc - s->node_pc)));
	if (flags)
		p = hl_put_uv(p, flags);
	start[0] = HL_TAG_FACT | HL_FACT_NODE << 2;
	start[1] = (uint8_t)(p - start - 2);
	s->node_id = id;
	s->node_pc = pc;
	atomic_fetch_add_explicit(&s->slot->facts, 1, memory_order_relaxed);
	hl_slots_commit(s, p);
	return 1;
}

static uint32_t intern(struct emitter *e, const uint64_t *pcs, uint32_t n, int truncated, uint32_t epoch)
{
	struct hl_trail *trail = &e->s->trail;
	uint32_t node = HL_STACK_NONE, k = 0;

	if (truncated) {
		trail->n = 0;
		node = hl_stacktab_intern(0, 0, HL_NODE_TRUNCATED, epoch, emit_node, e);
		if (node == HL_STACK_NONE)
			return HL_STACK_NONE;
	} else if (trail->epoch == epoch) {
		while (k < n && k < trail->n && trail->pcs[k] == pcs[n - 1 - k])
			k++;
		if (k)
			node = trail->nodes[k - 1];
	}
	for (; k < n; k++) {
		uint64_t pc = pcs[n - 1 - k];

		node = hl_stacktab_intern(node, HL_PC(pc), (uint32_t)(pc >> HL_PC_FLAG_SHIFT), epoch, emit_node, e);
		if (node == HL_STACK_NONE) {
			trail->n = 0;
			return HL_STACK_NONE;
		}
		trail->pcs[k] = pc;
		trail->nodes[k] = node;
	}
	trail->n = truncated ? 0 : n;
	trail->epoch = epoch;
	return node;
}

static int ours(uint64_t pc)
{
	return pc - hl_guest.text_start < hl_guest.text_end - hl_guest.text_start;
}

uint32_t hl_capture(struct hl_thread *t, struct hl_stream *s, uint64_t caller)
{
	uint32_t depth = hl_guest.config.depth, n = 0, skip = 0, node;
	struct emitter e = { t, s, 0 };

	if (depth > 1 && t->frame[t->level - 1])
		n = hl_unwind(t, s, t->frame[t->level - 1], depth + HL_FRAMES_EXTRA);
	/* operator new stands between two frames of ours: skip to behind the outermost of them. */
	for (uint32_t i = 0; i < n && i < HL_FRAMES_EXTRA - 2; i++)
		if (ours(s->pcs[i]))
			skip = i + 1;
	n -= skip;
	if (n == 0) {
		s->pcs[0] = caller;
		n = 1;
		skip = 0;
	}

	int truncated = n > depth;

	if (truncated)
		n = depth;
	do {
		e.epoch_moved = 0;
		node = intern(&e, s->pcs + skip, n, truncated,
			      atomic_load_explicit(&hl_guest.epoch, memory_order_acquire));
	} while (HL_UNLIKELY(e.epoch_moved));
	if (HL_UNLIKELY(node == HL_STACK_NONE))
		hl_lost(HL_LOST_STACK, 1);
	return node;
}
