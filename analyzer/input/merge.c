/*
 * merge.c - the events of all streams in stamp order.  Floor: input.
 *
 * Ancestors' prefixes come first, the oldest ancestor's before all: all of it was before the fork.
 * Within one file a heap holds a cursor for each stream that has begun and not ended; a stream is
 * opened when the stamps reach its first claim, so threads that live one after another cost one.
 *
 * Invariant: the heap's top is the smallest (stamp, stream) of all events not yet returned, and no
 * stream that waits begins at or before it.
 */
#include "analyzer/base/buf.h"
#include "analyzer/input/cursor.h"
#include "analyzer/input/trace_impl.h"
#include <stdlib.h>
#include <string.h>

struct waiting {
	uint64_t base_stamp;
	uint32_t stream; /* its index in the source */
};

struct entry {
	uint64_t stamp;
	struct hl_cursor *cursor;
};

struct hl_merge {
	struct hl_trace *trace;
	struct hl_loader loader;
	size_t level; /* of the source being read: 0 the file itself */
	struct waiting *waiting;
	size_t nwaiting, next; /* next to open */
	struct entry *heap;
	size_t nheap, heap_cap;
	int returned; /* the top was handed out: move it on first */
	struct hl_buf label;
};

static inline int before(const struct entry *a, const struct entry *b)
{
	if (a->stamp != b->stamp)
		return a->stamp < b->stamp;
	return a->cursor->event.stream < b->cursor->event.stream;
}

static void sift_down(struct hl_merge *m)
{
	struct entry *h = m->heap, moving = h[0];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= m->nheap)
			break;
		if (child + 1 < m->nheap && before(&h[child + 1], &h[child]))
			child++;
		if (!before(&h[child], &moving))
			break;
		h[i] = h[child];
		i = child;
	}
	h[i] = moving;
}

static void push(struct hl_merge *m, struct hl_cursor *c)
{
	struct entry one = {c->event.stamp, c};
	size_t i = m->nheap;

	m->heap = hl_grow(m->heap, &m->heap_cap, m->nheap + 1, sizeof(*m->heap));
	m->nheap++;
	for (; i && before(&one, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
		m->heap[i] = m->heap[(i - 1) / 2];
	m->heap[i] = one;
}

static void pop(struct hl_merge *m)
{
	hl_cursor_free(m->heap[0].cursor);
	m->heap[0] = m->heap[--m->nheap];
	if (m->nheap)
		sift_down(m);
}

static int by_begin(const void *pa, const void *pb)
{
	const struct waiting *a = pa, *b = pb;

	if (a->base_stamp != b->base_stamp)
		return a->base_stamp < b->base_stamp ? -1 : 1;
	return (a->stream > b->stream) - (a->stream < b->stream);
}

static const struct hl_limits *limits_of(const struct hl_merge *m)
{
	return m->level ? &m->trace->limits[m->level] : NULL;
}

static void start_level(struct hl_merge *m, size_t level)
{
	struct hl_source *s = m->trace->sources[level];
	uint32_t claim, used;

	m->level = level;
	m->nwaiting = m->next = 0;
	free(m->waiting);
	m->waiting = hl_xmalloc(s->nstreams * sizeof(*m->waiting));
	for (size_t i = 0; i < s->nstreams; i++)
		if (!hl_stream_is_image(s->streams[i].stream) &&
		    hl_limits_of(limits_of(m), s->streams[i].stream, &claim, &used))
			m->waiting[m->nwaiting++] =
				(struct waiting){s->pieces[s->streams[i].first].base_stamp, (uint32_t)i};
	if (m->nwaiting)
		qsort(m->waiting, m->nwaiting, sizeof(*m->waiting), by_begin);
}

static void open_next(struct hl_merge *m)
{
	struct hl_source *s = m->trace->sources[m->level];
	size_t i = m->waiting[m->next++].stream;
	struct hl_cursor *c =
		hl_cursor_new(s, &m->loader, i, s->streams[i].first, limits_of(m), m->trace->facts.nnodes);

	c->event.inherited = m->level != 0;
	/* others were returned up to here: what comes after a damaged claim must not be below */
	c->stamp = s->pieces[s->streams[i].first].base_stamp;
	if (hl_cursor_next(c))
		push(m, c);
	else
		hl_cursor_free(c);
}

struct hl_merge *hl_merge_new(struct hl_trace *t)
{
	struct hl_merge *m = hl_xcalloc(1, sizeof(*m));

	m->trace = t;
	hl_loader_init(&m->loader);
	start_level(m, t->nsources - 1);
	return m;
}

static void advance(struct hl_merge *m)
{
	struct hl_cursor *c = m->heap[0].cursor;

	if (!hl_cursor_next(c)) {
		pop(m);
		return;
	}
	m->heap[0].stamp = c->event.stamp;
	if (m->nheap > 1)
		sift_down(m);
}

int hl_merge_next(struct hl_merge *m, struct hl_event *e)
{
	if (m->returned)
		advance(m);
	m->returned = 0;
	for (;;) {
		while (m->next < m->nwaiting &&
		       (!m->nheap || m->waiting[m->next].base_stamp <= m->heap[0].stamp))
			open_next(m);
		if (m->nheap)
			break;
		if (!m->level)
			return 0;
		start_level(m, m->level - 1);
	}
	*e = m->heap[0].cursor->event;
	m->returned = 1;
	e->label = e->type == HL_EV_MARK ? e->label : NULL;
	if (e->type == HL_EV_MARK) {
		m->label.len = 0;
		hl_buf_append(&m->label, e->label, e->size);
		e->label = hl_buf_string(&m->label);
		e->size = 0;
	}
	return 1;
}

void hl_merge_free(struct hl_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nheap; i++)
		hl_cursor_free(m->heap[i].cursor);
	hl_loader_release(&m->loader);
	hl_buf_release(&m->label);
	free(m->waiting);
	free(m->heap);
	free(m);
}
