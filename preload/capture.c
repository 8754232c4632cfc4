/*
 * capture.c - from the thread's stack to a node id, and the records of what is seen for the first time.
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
	return hl_record_fact3(t, HL_FACT_MODULE, head, (size_t)(p - head), m->path, n, tail,
			       (size_t)(q - tail));
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
static int emit_node(void *ctx, uint32_t id, uint32_t parent, uint64_t frame, uint32_t epoch)
{
	uint64_t pc = HL_PC(frame), flags = frame >> HL_PC_FLAG_SHIFT;
	struct emitter *e = ctx;
	struct hl_stream *s = e->s;
	const struct hl_mod *m, *gone = NULL;
	uint8_t *start, *p;

	if (pc) {
		m = hl_modmap_note(pc - 1, &gone);
		if (gone)
			put_unload(e->t, gone);
		if (m && !put_module(e->t, m)) {
			/* no slot: a node would be without its module for good */
			hl_modmap_unnote(m);
			m = NULL;
			if (!gone)
				return 0;
		}
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
	hl_slots_count_fact(s);
	hl_slots_commit(s, p);
	return 1;
}

#define CUT ((uint64_t)HL_NODE_TRUNCATED << HL_PC_FLAG_SHIFT)

/* Only the newest frames are known: a chain of its own, under a node that says so. */
static uint32_t intern_truncated(struct emitter *e, uint32_t epoch)
{
	const uint64_t *pcs = e->s->pcs;
	uint32_t depth = hl_guest.config.depth, node;
	uint64_t root = hl_stack_hash(hl_stack_seed(epoch), CUT), h = root;

	for (uint32_t k = depth; k; k--)
		h = hl_stack_hash(h, pcs[k - 1]);
	node = hl_stacktab_find(h, pcs[0]);
	if (HL_LIKELY(node != HL_STACK_NONE))
		return node;
	h = root;
	node = hl_stacktab_add(h, HL_STACK_NONE, CUT, epoch, emit_node, e);
	for (uint32_t k = depth; k && node != HL_STACK_NONE; k--) {
		h = hl_stack_hash(h, pcs[k - 1]);
		node = hl_stacktab_add(h, node, pcs[k - 1], epoch, emit_node, e);
	}
	return node;
}

/* One look-up finds a stack that was seen before; else walk back to the longest prefix that was, and
 * make the rest.  The kept frames have their hashes; their nodes are known where they were needed. */
static uint32_t intern(struct emitter *e, uint32_t kept, uint32_t epoch)
{
	struct hl_trail *trail = &e->s->trail;
	struct hl_frame *f = trail->frames;
	uint32_t n = trail->n, k, node;
	uint64_t h = kept ? f[kept - 1].hash : hl_stack_seed(epoch);

	for (k = kept; k < n; k++) {
		f[k].hash = h = hl_stack_hash(h, f[k].pc);
		f[k].node = HL_STACK_NONE;
	}
	if (f[n - 1].node == HL_STACK_NONE)
		f[n - 1].node = hl_stacktab_find(h, f[n - 1].pc);
	if (HL_LIKELY(f[n - 1].node != HL_STACK_NONE))
		return f[n - 1].node;
	for (k = n - 1; k; k--) {
		if (f[k - 1].node == HL_STACK_NONE)
			f[k - 1].node = hl_stacktab_find(f[k - 1].hash, f[k - 1].pc);
		if (f[k - 1].node != HL_STACK_NONE)
			break;
	}
	node = k ? f[k - 1].node : HL_STACK_NONE;
	for (; k < n; k++) {
		node = hl_stacktab_add(f[k].hash, node, f[k].pc, epoch, emit_node, e);
		if (node == HL_STACK_NONE) {
			trail->n = 0;
			return HL_STACK_NONE;
		}
		f[k].node = node;
	}
	return node;
}

uint32_t hl_capture(struct hl_thread *t, struct hl_stream *s, uint64_t caller)
{
	struct emitter e = {t, s, 0};
	struct hl_unwound u;
	uint32_t epoch, node;

	do {
		epoch = atomic_load_explicit(&hl_guest.epoch, memory_order_acquire);
		/* Another epoch: a module went, and code at the same addresses may be another's. */
		if (HL_UNLIKELY(s->trail.epoch != epoch)) {
			s->trail.n = 0;
			s->trail.epoch = epoch;
		}
		hl_unwind(t, s, t->at[t->level - 1], caller, &u);
		e.epoch_moved = 0;
		node = u.truncated ? intern_truncated(&e, epoch) : intern(&e, u.kept, epoch);
	} while (HL_UNLIKELY(e.epoch_moved));
	if (HL_UNLIKELY(node == HL_STACK_NONE))
		hl_lost(HL_LOST_STACK, 1);
	return node;
}
