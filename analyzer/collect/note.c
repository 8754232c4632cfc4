/*
 * note.c - coding of the collector's own records.  Floor: collect.
 *
 * Invariant: data[0, bytes) are whole records.  A record that does not fit is left out, which the
 * sizes used here never reach: file names are at most 255 bytes, labels 103.
 */
#include "analyzer/collect/note.h"
#include <string.h>

#define STRING_MAX 255u

void hl_note_start(struct hl_note *n, uint64_t base_stamp)
{
	n->base_stamp = base_stamp;
	n->bytes = 0;
	n->facts = 0;
}

static uint8_t *put_string(uint8_t *p, const void *s, size_t bytes)
{
	if (bytes > STRING_MAX)
		bytes = STRING_MAX;
	p = hl_put_uv(p, bytes);
	memcpy(p, s, bytes);
	return p + bytes;
}

static void add_fact(struct hl_note *n, enum hl_fact fact, const uint8_t *payload, const uint8_t *end)
{
	uint64_t bytes = (uint64_t)(end - payload);
	uint8_t *p = n->data + n->bytes;

	if (n->bytes + 11 + bytes > HL_NOTE_ROOM)
		return;
	*p++ = (uint8_t)(HL_TAG_FACT | fact << 2);
	p = hl_put_uv(p, bytes);
	memcpy(p, payload, bytes);
	n->bytes = (uint32_t)(p + bytes - n->data);
	n->facts++;
}

void hl_note_parent(struct hl_note *n, const char *file, const uint8_t uuid[16], uint32_t image_id)
{
	uint8_t b[STRING_MAX + 48], *p = put_string(b, file, strlen(file));

	p = put_string(p, uuid, 16);
	add_fact(n, HL_FACT_PARENT, b, hl_put_uv(p, image_id));
}

void hl_note_sync(struct hl_note *n, uint64_t stamp)
{
	uint8_t b[10];

	add_fact(n, HL_FACT_SYNC, b, hl_put_uv(b, stamp));
}

void hl_note_lost(struct hl_note *n, enum hl_lost kind, uint64_t count)
{
	uint8_t b[20];

	add_fact(n, HL_FACT_LOST, b, hl_put_uv(hl_put_uv(b, kind), count));
}

void hl_note_end(struct hl_note *n, enum hl_end end, uint64_t status, uint64_t stamp)
{
	uint8_t b[30];

	add_fact(n, HL_FACT_END, b, hl_put_uv(hl_put_uv(hl_put_uv(b, end), status), stamp));
}

void hl_note_mark(struct hl_note *n, uint64_t stamp, enum hl_mark reason, const char *label)
{
	uint8_t *p = n->data + n->bytes;

	if (n->bytes + 33 + STRING_MAX > HL_NOTE_ROOM)
		return;
	*p++ = (uint8_t)(HL_TAG_EVENT | HL_OP_MARK << 2);
	p = hl_put_uv(p, stamp - n->base_stamp);
	p = hl_put_uv(p, reason);
	p = put_string(p, label, strlen(label));
	n->bytes = (uint32_t)(p - n->data);
}

/* Past a record that is no event of the program: a fact, or the name of the thread that writes on;
 * NULL: it is one, or damaged. */
static const uint8_t *skip_silent(const uint8_t *p, const uint8_t *end, struct hl_glance *g)
{
	uint8_t tag = *p++;
	uint64_t n;

	if (tag == (HL_TAG_EVENT | HL_OP_THREAD << 2)) {
		p = hl_get_uv(p, end, &n);
		return p ? hl_get_uv(p, end, &n) : NULL;
	}
	if ((tag & 3) != HL_TAG_FACT)
		return NULL;
	p = hl_get_uv(p, end, &n);
	if (!p || n > (uint64_t)(end - p))
		return NULL;
	g->hello |= (tag >> 2 & 31) == HL_FACT_HELLO;
	return p + n;
}

struct hl_glance hl_note_glance(const uint8_t *data, size_t bytes)
{
	struct hl_glance g = {0, 0};
	const uint8_t *p = data, *end = data + bytes;

	while (p && p < end)
		p = skip_silent(p, end, &g);
	g.event = !p;
	return g;
}
