/*
 * stacks.c - recorded stacks as frames and tracebacks.  Floor: analysis.
 *
 * Each node is expanded once into frame ids (its inlined frames first); walks run over these.
 */
#include "analyzer/analysis/stacks.h"
#include <stdlib.h>
#include <string.h>

struct expansion {
	uint32_t first, n; /* in frames; n 0: not expanded yet */
};

struct hl_stacks {
	struct hl_names *names;
	const struct hl_facts *facts;
	struct hl_symbols *symbols;
	struct expansion *nodes; /* by node id */
	uint32_t *frames;
	uint8_t *allocator; /* of frames */
	size_t nframes, frames_room, allocator_room;
	uint32_t *tracebacks; /* by node id, 0: not made yet */
	uint32_t *scratch;
	size_t scratch_room;
	uint32_t depth; /* recorded frames that a walk passes at most */
};

struct hl_stacks *hl_stacks_new(struct hl_names *names, const struct hl_facts *facts,
				struct hl_symbols *symbols)
{
	struct hl_stacks *s = hl_xcalloc(1, sizeof(*s));

	s->names = names;
	s->facts = facts;
	s->symbols = symbols;
	s->depth = facts && facts->process.depth ? facts->process.depth : UINT32_MAX;
	if (facts) {
		s->nodes = hl_xcalloc((size_t)facts->nnodes + 1, sizeof(*s->nodes));
		s->tracebacks = hl_xcalloc((size_t)facts->nnodes + 1, sizeof(*s->tracebacks));
	}
	return s;
}

void hl_stacks_free(struct hl_stacks *s)
{
	if (!s)
		return;
	free(s->nodes);
	free(s->frames);
	free(s->allocator);
	free(s->tracebacks);
	free(s->scratch);
	free(s);
}

struct hl_names *hl_stacks_names(const struct hl_stacks *s)
{
	return s->names;
}

static void put_frame(struct hl_stacks *s, uint32_t frame, uint8_t allocator)
{
	s->frames = hl_grow(s->frames, &s->frames_room, s->nframes + 1, sizeof(*s->frames));
	s->allocator = hl_grow(s->allocator, &s->allocator_room, s->nframes + 1, 1);
	s->frames[s->nframes] = frame;
	s->allocator[s->nframes++] = allocator;
}

static const struct expansion *expand(struct hl_stacks *s, uint32_t node)
{
	struct expansion *e = &s->nodes[node];
	const struct hl_frame *f = NULL;
	uint32_t n = 0;

	if (e->n)
		return e;
	e->first = (uint32_t)s->nframes;
	if (node && s->facts->nodes[node].known)
		f = hl_symbols_frames(s->symbols, node, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct hl_name_frame g = {.file = hl_names_intern(s->names, f[i].file),
					  .line = f[i].line,
					  .function = hl_names_intern(s->names, f[i].function),
					  .module = hl_names_intern(s->names, f[i].module),
					  .kind = f[i].kind};

		put_frame(s, hl_names_frame(s->names, &g), f[i].allocator);
	}
	if (!n)
		put_frame(s, hl_names_unknown_frame(s->names), 0);
	e->n = (uint32_t)s->nframes - e->first;
	return e;
}

/* Move on to the frames of the next node.  0: there is none. */
static int load_node(struct hl_walk *w)
{
	const struct hl_facts *facts = w->stacks->facts;
	const struct expansion *e;

	if (!w->node)
		return 0;
	/* not a frame: it stands for those that were not recorded */
	if (facts->nodes[w->node].flags & HL_NODE_TRUNCATED && !facts->nodes[w->node].pc) {
		w->truncated = 1;
		w->node = 0;
		return 0;
	}
	if (w->steps >= HL_STACK_FRAMES_MAX || w->nodes == w->stacks->depth) {
		w->truncated = 1;
		return 0;
	}
	e = expand(w->stacks, w->node);
	w->nodes++;
	w->steps += e->n;
	w->next = e->first;
	w->end = e->first + e->n;
	w->pc = facts->nodes[w->node].known
			? facts->nodes[w->node].pc - !(facts->nodes[w->node].flags & HL_NODE_EXACT)
			: 0;
	w->node = facts->nodes[w->node].known ? facts->nodes[w->node].parent : 0;
	return 1;
}

void hl_walk_start(struct hl_walk *w, struct hl_stacks *s, uint32_t stack)
{
	uint32_t last = HL_ID_NONE;

	*w = (struct hl_walk){.stacks = s, .node = stack, .pending = HL_ID_NONE};
	if (!s->facts) {
		w->truncated = hl_names_truncated(s->names, stack);
		if (!stack)
			w->pending = hl_names_unknown_frame(s->names);
		return;
	}
	if (!stack) {
		const struct expansion *e = expand(s, 0);

		w->next = e->first;
		w->end = e->first + e->n;
	}
	for (;;) {
		if (w->next == w->end && !load_node(w))
			break;
		if (!s->allocator[w->next])
			return;
		last = s->frames[w->next++];
	}
	w->pending = last;
}

uint32_t hl_walk_next(struct hl_walk *w)
{
	uint32_t frame = w->pending;

	if (frame != HL_ID_NONE) {
		w->pending = HL_ID_NONE;
		return frame;
	}
	if (!w->stacks->facts) {
		if (!w->node)
			return HL_ID_NONE;
		frame = hl_names_newest(w->stacks->names, w->node);
		w->node = hl_names_older(w->stacks->names, w->node);
		return frame;
	}
	if (w->next == w->end && !load_node(w))
		return HL_ID_NONE;
	return w->stacks->frames[w->next++];
}

uint32_t hl_stacks_traceback(struct hl_stacks *s, uint32_t stack)
{
	struct hl_walk w;
	size_t n = 0;
	uint32_t frame, t = 0;

	if (!s->facts && stack)
		return stack;
	if (s->facts && s->tracebacks[stack])
		return s->tracebacks[stack];
	hl_walk_start(&w, s, stack);
	while ((frame = hl_walk_next(&w)) != HL_ID_NONE) {
		s->scratch = hl_grow(s->scratch, &s->scratch_room, n + 1, sizeof(*s->scratch));
		s->scratch[n++] = frame;
	}
	while (n)
		t = hl_names_traceback(s->names, t, s->scratch[--n]);
	if (w.truncated)
		hl_names_set_truncated(s->names, t);
	if (s->facts)
		s->tracebacks[stack] = t;
	return t;
}

uint64_t *hl_stacks_addresses(struct hl_stacks *s, uint32_t stack)
{
	struct hl_walk w;
	uint64_t *addresses = NULL;
	size_t n = 0, room = 0;

	if (!s->facts || !stack)
		return NULL;
	hl_walk_start(&w, s, stack);
	while (hl_walk_next(&w) != HL_ID_NONE) {
		addresses = hl_grow(addresses, &room, n + 1, sizeof(*addresses));
		addresses[n++] = w.pc;
	}
	return addresses;
}
