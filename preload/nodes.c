/*
 * nodes.c - interning stacks; the SITE and CHAIN records of what is new.
 *
 * Invariant: a node or site that a table finds has its record, and those of all its ancestors, committed.
 */
#include "preload/nodes.h"
#include "preload/modmap.h"
#include "preload/modrec.h"
#include "preload/rulecache.h"
#include "preload/slots.h"

#define PIECE 256u /* nodes of one CHAIN record at most */

struct hl_idtab hl_node_ids;
static struct hl_idtab sites;

int hl_nodes_init(void)
{
	int r = hl_idtab_init(&hl_node_ids, (1u << 28) - 1);

	return r < 0 ? r : hl_idtab_init(&sites, (1u << 28) - 1);
}

void hl_nodes_abandon(uint32_t tid)
{
	hl_idtab_abandon(&hl_node_ids, tid);
	hl_idtab_abandon(&sites, tid);
	hl_rules_abandon(tid);
	hl_modmap_abandon(tid);
}

/* The id of a frame's pc and flags in that epoch; 0: *r says why. */
static uint32_t site_of(struct hl_thread *t, struct hl_stream *s, uint64_t frame, uint32_t epoch,
			enum hl_interned *r)
{
	uint64_t hash = hl_stack_hash(hl_stack_seed(epoch), frame), pc = HL_PC(frame);
	uint32_t id = hl_idtab_find(&sites, hash), flags = frame >> HL_PC_FLAG_SHIFT;
	uint8_t *start, *p;

	if (HL_LIKELY(id != 0))
		return id;
	if (pc) {
		*r = hl_modrec_note(t, pc - 1);
		if (*r != HL_INTERNED)
			return 0;
	}
	start = hl_slots_room(t, s, 64);
	id = start ? hl_idtab_take(&sites, 1) : 0;
	if (!id) {
		*r = HL_INTERN_FAILED;
		return 0;
	}
	p = hl_put_uv(start + 2, (uint64_t)id - s->site_id);
	p = hl_put_uv(p, hl_zigzag((int64_t)(pc - s->site_pc)));
	if (flags)
		p = hl_put_uv(p, flags);
	start[0] = HL_TAG_FACT | HL_FACT_SITE << 2;
	start[1] = (uint8_t)(p - start - 2);
	s->site_id = id;
	s->site_pc = pc;
	hl_slots_count_fact(s);
	hl_slots_commit(s, p);
	hl_idtab_put(&sites, hash, id);
	return id;
}

/* n <= PIECE new nodes in a row, their sites in f[].node, which become their own ids. */
static enum hl_interned put_chain(struct hl_thread *t, struct hl_stream *s, struct hl_frame *f, uint32_t n,
				  uint32_t parent, uint32_t epoch)
{
	/* the payload's length takes one byte when it must fit, else two */
	uint32_t most = 20 + 5 * n, wide = most > 127, first;
	uint8_t *start = hl_slots_room(t, s, most + 16), *p;
	size_t bytes;

	first = start ? hl_idtab_take(&hl_node_ids, n) : 0;
	if (!first)
		return HL_INTERN_FAILED;
	if (s->claim_epoch != epoch) {
		p = hl_put_uv(start + 2, epoch);
		start[0] = HL_TAG_FACT | HL_FACT_EPOCH << 2;
		start[1] = (uint8_t)(p - start - 2);
		hl_slots_commit(s, p);
		s->claim_epoch = epoch;
		start = p;
	}
	p = hl_put_uv(start + 2 + wide, first - s->node_id);
	p = hl_put_uv(p, first - parent);
	for (uint32_t k = 0; k < n; k++)
		p = hl_put_uv(p, f[k].node);
	bytes = (size_t)(p - start) - 2 - wide;
	start[0] = HL_TAG_FACT | HL_FACT_CHAIN << 2;
	start[1] = (uint8_t)(wide ? 0x80 | bytes : bytes);
	if (wide)
		start[2] = (uint8_t)(bytes >> 7);
	s->node_id = first + n - 1;
	hl_slots_count_fact(s);
	hl_slots_commit(s, p);
	for (uint32_t k = 0; k < n; k++) {
		f[k].node = first + k;
		hl_idtab_put(&hl_node_ids, f[k].hash, first + k);
	}
	return HL_INTERNED;
}

static enum hl_interned make(struct hl_thread *t, struct hl_stream *s, struct hl_frame *f, uint32_t n,
			     uint32_t parent, uint32_t epoch)
{
	enum hl_interned r = HL_INTERNED;

	for (uint32_t k = 0; k < n; k++) {
		f[k].node = site_of(t, s, f[k].pc, epoch, &r);
		if (!f[k].node)
			return r;
	}
	for (uint32_t k = 0; k < n && r == HL_INTERNED; k += PIECE) {
		r = put_chain(t, s, f + k, n - k < PIECE ? n - k : PIECE, parent, epoch);
		parent = f[k + PIECE <= n ? k + PIECE - 1 : n - 1].node;
	}
	return r;
}

/* Walk back to the longest prefix that is known, and make the rest. */
static __attribute__((noinline)) enum hl_interned extend(struct hl_thread *t, struct hl_stream *s,
							 struct hl_frame *f, uint32_t n, uint32_t epoch,
							 uint32_t *node)
{
	enum hl_interned r;
	uint32_t k;

	for (k = n - 1; k && f[k - 1].node == HL_STACK_NONE; k--)
		hl_idtab_prefetch(&hl_node_ids, f[k - 1].hash);
	for (k = n - 1; k; k--) {
		if (f[k - 1].node == HL_STACK_NONE)
			f[k - 1].node = hl_idtab_find(&hl_node_ids, f[k - 1].hash);
		if (f[k - 1].node != HL_STACK_NONE)
			break;
	}
	r = make(t, s, f + k, n - k, k ? f[k - 1].node : HL_STACK_NONE, epoch);
	if (r == HL_INTERNED)
		*node = f[n - 1].node;
	return r;
}

enum hl_interned hl_nodes_intern(struct hl_thread *t, struct hl_stream *s, struct hl_frame *f, uint32_t n,
				 uint32_t epoch, uint32_t *node)
{
	struct hl_frame *leaf = &f[n - 1];
	struct hl_near_node *near = &s->near.nodes[leaf->hash >> s->near.shift];
	enum hl_interned r = HL_INTERNED;

	*node = leaf->node;
	if (HL_UNLIKELY(*node != HL_STACK_NONE))
		return HL_INTERNED;
	if (HL_LIKELY(near->hash == leaf->hash)) {
		s->near.missed = 0;
		*node = leaf->node = near->node;
		return HL_INTERNED;
	}
	s->near.missed = 1;
	*node = leaf->node = hl_idtab_find(&hl_node_ids, leaf->hash);
	if (HL_UNLIKELY(*node == HL_STACK_NONE))
		r = extend(t, s, f, n, epoch, node);
	if (HL_LIKELY(r == HL_INTERNED)) {
		/* a handler that leaves by a jump must not leave one's hash with another's node */
		near->hash = 0;
		atomic_signal_fence(memory_order_seq_cst);
		near->node = *node;
		atomic_signal_fence(memory_order_seq_cst);
		near->hash = leaf->hash;
	}
	return r;
}
