/*
 * cursor.c - one stream's pieces to its events.  Floor: input.
 *
 * Damage costs the rest of its claim, because the coding state is gone; the next claim starts anew.
 */
#include "analyzer/input/cursor.h"
#include <stdlib.h>

struct hl_cursor *hl_cursor_new(struct hl_source *s, struct hl_loader *l, size_t i, size_t first,
				const struct hl_limits *limits, uint32_t nnodes)
{
	const struct hl_stream *st = &s->streams[i];
	struct hl_cursor *c = hl_xcalloc(1, sizeof(*c));

	c->source = s;
	c->loader = l;
	c->next = c->end = first;
	if (hl_limits_of(limits, st->stream, &c->limit_claim, &c->limit_used))
		c->end = (size_t)st->first + st->count;
	/* what a claim left open before us is not known */
	c->broken = 1;
	c->event.stream = st->stream;
	c->thread = st->stream == HL_STREAM_COLLECTOR ? 0 : HL_STREAM_THREAD(st->stream);
	hl_decode_init(&c->decoder, nnodes);
	return c;
}

void hl_cursor_free(struct hl_cursor *c)
{
	free(c->data);
	free(c);
}

static void make_room(struct hl_cursor *c, size_t n)
{
	/* many streams are open at once: give back what a short piece does not need */
	if (c->cap >= n && c->cap / 4 <= n)
		return;
	free(c->data);
	c->data = hl_xmalloc(n);
	c->cap = n;
}

/* Hand the next readable piece to the decoder.  0: none is left. */
static int next_piece(struct hl_cursor *c)
{
	while (c->next < c->end) {
		const struct hl_piece *p = &c->source->pieces[c->next];
		uint32_t n = p->bytes;

		if (p->claim > c->limit_claim || (p->claim == c->limit_claim && p->offset >= c->limit_used))
			break;
		if (p->claim == c->limit_claim && n > c->limit_used - p->offset)
			n = c->limit_used - p->offset;
		if (p->offset == 0) {
			hl_decode_claim(&c->decoder, p->base_stamp, !c->broken && p->claim == c->claim + 1);
			c->claim = p->claim;
			c->broken = 0;
		} else if (c->broken) {
			hl_source_bad_piece(c->source, c->next++, "damage before it in its claim");
			continue;
		}
		make_room(c, p->bytes);
		if (hl_source_load(c->source, c->loader, c->next++, c->data)) {
			hl_decode_chunk(&c->decoder, c->data, n);
			return 1;
		}
		c->broken = 1;
	}
	c->next = c->end;
	return 0;
}

int hl_cursor_next(struct hl_cursor *c)
{
	for (;;) {
		int got = hl_decode_event(&c->decoder, &c->event);

		if (got > 0)
			break;
		if (got < 0) {
			hl_source_bad_piece(c->source, c->next - 1, "its records cannot be decoded");
			c->broken = 1;
		}
		if (!next_piece(c))
			return 0;
	}
	c->event.thread = c->decoder.switched ? c->decoder.thread : c->thread;
	if (c->event.stamp < c->stamp)
		c->event.stamp = c->stamp;
	c->stamp = c->event.stamp;
	return 1;
}
