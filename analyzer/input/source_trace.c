/*
 * source_trace.c - the index of a trace file, from its end or by a scan, and its blocks.
 * Floor: input.
 *
 * The scan takes only blocks whose CRC holds.  The index is believed when its own CRC holds; a block
 * that contradicts it is found when it is loaded.
 */
#include "analyzer/input/source.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/columns.h"
#include "analyzer/base/crc32c.h"
#include "heapledger/tracefile.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define WINDOW_BYTES     (256u * 1024)
#define HEADER_BYTES     sizeof(struct hl_block_header)
#define HEADER_BYTES_MAX 65536u /* of a file header of a later minor version */

static uint32_t block_crc(const struct hl_block_header *h, const void *payload, size_t n)
{
	struct hl_block_header zeroed = *h;

	zeroed.crc = 0;
	return hl_crc32c(hl_crc32c(0, &zeroed, sizeof(zeroed)), payload, n);
}

static int chunk_is_sane(const struct hl_block_header *h)
{
	return h->magic == HL_BLOCK_MAGIC && h->type == HL_BLOCK_CHUNK && h->codec <= HL_CODEC_COLUMNS &&
	       h->raw_bytes > 0 && h->stored_bytes > 0 && h->stored_bytes <= h->raw_bytes &&
	       h->raw_bytes <= HL_SLOT_ROOM && h->offset <= HL_SLOT_ROOM - h->raw_bytes &&
	       (h->codec != HL_CODEC_RAW || h->stored_bytes == h->raw_bytes) &&
	       (h->codec != HL_CODEC_COLUMNS || h->offset == 0);
}

int hl_source_load_block(struct hl_source *s, struct hl_loader *l, const struct hl_piece *p, uint8_t *out,
			 size_t *facts, const char **what)
{
	ssize_t got = hl_source_read(s, l->block, HEADER_BYTES + p->bytes, p->position);
	struct hl_block_header h;
	const uint8_t *payload = l->block + HEADER_BYTES;

	if (got < (ssize_t)HEADER_BYTES)
		return 0;
	memcpy(&h, l->block, sizeof(h));
	*what = "its header contradicts the index";
	if (!chunk_is_sane(&h) || h.raw_bytes != p->bytes || h.stream != p->stream || h.claim != p->claim ||
	    h.offset != p->offset || h.base_stamp != p->base_stamp)
		return 0;
	*what = "is cut";
	if ((size_t)got < HEADER_BYTES + h.stored_bytes)
		return 0;
	*what = "its checksum is wrong";
	if (block_crc(&h, payload, h.stored_bytes) != h.crc)
		return 0;
	if (h.codec == HL_CODEC_RAW) {
		memcpy(out, payload, p->bytes);
		return 1;
	}
	*what = "cannot be decompressed";
	if (h.codec == HL_CODEC_COLUMNS) {
		if (!l->unpacker)
			l->unpacker = hl_unpacker_new();
		if (facts)
			return hl_unpacker_facts(l->unpacker, payload, h.stored_bytes, out, p->bytes, facts);
		return hl_unpacker_unpack(l->unpacker, payload, h.stored_bytes, out, p->bytes);
	}
	return ZSTD_decompressDCtx(l->zstd, out, p->bytes, payload, h.stored_bytes) == p->bytes;
}

/* ---- the index at the end ---- */

static int entry_is_sane(const struct hl_index_entry *e, uint64_t first, uint64_t index_offset)
{
	return e->file_offset >= first && e->file_offset < index_offset &&
	       index_offset - e->file_offset > HEADER_BYTES && e->raw_bytes > 0 &&
	       e->raw_bytes <= HL_SLOT_ROOM && e->offset <= HL_SLOT_ROOM - e->raw_bytes;
}

static int add_entries(struct hl_source *s, const struct hl_index_entry *e, size_t n, uint64_t index_offset)
{
	uint64_t first = s->header.header_bytes;

	for (size_t i = 0; i < n; i++)
		if (!entry_is_sane(&e[i], first, index_offset))
			return 0;
	for (size_t i = 0; i < n; i++)
		hl_source_add(s, &(struct hl_piece){
					 .position = e[i].file_offset,
					 .base_stamp = e[i].base_stamp,
					 .stream = e[i].stream,
					 .claim = e[i].claim,
					 .offset = e[i].offset,
					 .facts = e[i].facts,
					 .tid = e[i].tid,
					 .bytes = (uint16_t)e[i].raw_bytes,
				 });
	return 1;
}

/* 1: the file is finished and its index is taken. */
static int read_index(struct hl_source *s)
{
	struct hl_file_trailer t;
	struct hl_block_header h;
	uint64_t end = s->file_bytes - sizeof(t);
	uint8_t *stored = NULL, *raw = NULL;
	const uint8_t *entries;
	int ok = 0;

	if (s->file_bytes < s->header.header_bytes + sizeof(h) + sizeof(t) ||
	    hl_source_read(s, &t, sizeof(t), end) != sizeof(t) || t.magic != HL_TRAILER_MAGIC ||
	    t.file_bytes != s->file_bytes || t.index_offset < s->header.header_bytes ||
	    t.index_offset > end - sizeof(h) ||
	    hl_source_read(s, &h, sizeof(h), t.index_offset) != sizeof(h) || h.magic != HL_BLOCK_MAGIC ||
	    h.type != HL_BLOCK_INDEX || h.codec > HL_CODEC_ZSTD ||
	    h.stored_bytes != end - sizeof(h) - t.index_offset ||
	    h.raw_bytes % sizeof(struct hl_index_entry) ||
	    /* bounds the memory by the file: each entry has a block of its own */
	    h.raw_bytes / sizeof(struct hl_index_entry) > t.index_offset / HEADER_BYTES ||
	    (h.codec == HL_CODEC_RAW && h.stored_bytes != h.raw_bytes))
		return 0;
	stored = hl_xmalloc(h.stored_bytes);
	if (hl_source_read(s, stored, h.stored_bytes, t.index_offset + sizeof(h)) != h.stored_bytes ||
	    block_crc(&h, stored, h.stored_bytes) != h.crc)
		goto out;
	entries = stored;
	if (h.codec == HL_CODEC_ZSTD) {
		entries = raw = hl_xmalloc(h.raw_bytes);
		if (ZSTD_decompress(raw, h.raw_bytes, stored, h.stored_bytes) != h.raw_bytes)
			goto out;
	}
	ok = add_entries(s, (const void *)entries, h.raw_bytes / sizeof(struct hl_index_entry),
			 t.index_offset);
out:
	free(stored);
	free(raw);
	return ok;
}

/* ---- the scan ---- */

struct window {
	uint8_t *data;
	uint64_t start;
	size_t len;
};

/* n bytes at position, at most WINDOW_BYTES; NULL: the file ends before. */
static const uint8_t *look(struct hl_source *s, struct window *w, uint64_t position, size_t n)
{
	ssize_t got;

	if (position < w->start || position - w->start > w->len || w->len - (position - w->start) < n) {
		got = hl_source_read(s, w->data, WINDOW_BYTES, position);
		w->start = position;
		w->len = got < 0 ? 0 : (size_t)got;
	}
	return w->len - (position - w->start) < n ? NULL : w->data + (position - w->start);
}

/* The next block magic at or after position; file_bytes: none. */
static uint64_t find_magic(struct hl_source *s, struct window *w, uint64_t position)
{
	static const uint8_t magic[4] = {'H', 'L', 'B', 'K'};

	_Static_assert(HL_BLOCK_MAGIC == 0x4b424c48u, "the bytes above");
	while (look(s, w, position, sizeof(magic))) {
		const uint8_t *p = w->data + (position - w->start);
		size_t n = w->len - (size_t)(position - w->start);
		const uint8_t *hit = memmem(p, n, magic, sizeof(magic));
		uint64_t next;

		if (hit)
			return position + (uint64_t)(hit - p);
		/* it may lie across the window's end; and a hole holds none */
		position += n - (sizeof(magic) - 1);
		next = hl_source_data(s, position);
		if (next > position + WINDOW_BYTES)
			position = next;
	}
	return s->file_bytes;
}

enum verdict { BLOCK_GOOD, BLOCK_BAD, BLOCK_CUT };

/* Judge the block at position.  *work: bytes that were summed. */
static enum verdict judge(struct hl_source *s, struct window *w, uint64_t position, struct hl_block_header *h,
			  uint64_t *work)
{
	const uint8_t *p = look(s, w, position, HEADER_BYTES);
	uint64_t left, done = 0;
	struct hl_block_header zeroed;
	uint32_t crc;

	if (!p)
		return BLOCK_CUT;
	memcpy(h, p, sizeof(*h));
	if (h->magic != HL_BLOCK_MAGIC || (h->type == HL_BLOCK_CHUNK && !chunk_is_sane(h)))
		return BLOCK_BAD;
	left = s->file_bytes - position - HEADER_BYTES;
	if (h->stored_bytes > left)
		return BLOCK_CUT;
	zeroed = *h;
	zeroed.crc = 0;
	crc = hl_crc32c(0, &zeroed, sizeof(zeroed));
	while (done < h->stored_bytes) {
		size_t n = h->stored_bytes - done < WINDOW_BYTES / 2 ? (size_t)(h->stored_bytes - done)
								     : WINDOW_BYTES / 2;

		p = look(s, w, position + HEADER_BYTES + done, n);
		if (!p)
			return BLOCK_CUT;
		crc = hl_crc32c(crc, p, n);
		done += n;
	}
	*work += HEADER_BYTES + done;
	return crc == h->crc ? BLOCK_GOOD : BLOCK_BAD;
}

static void add_block(struct hl_source *s, const struct hl_block_header *h, uint64_t position)
{
	if (h->type == HL_BLOCK_CHUNK)
		hl_source_add(s, &(struct hl_piece){
					 .position = position,
					 .base_stamp = h->base_stamp,
					 .stream = h->stream,
					 .claim = h->claim,
					 .offset = h->offset,
					 .facts = h->facts,
					 .tid = h->tid,
					 .bytes = (uint16_t)h->raw_bytes,
				 });
}

/* After a bad block: where its header says the next one is, if there is one, else any next one. */
static uint64_t after_bad(struct hl_source *s, struct window *w, uint64_t position,
			  const struct hl_block_header *h, enum verdict v)
{
	uint64_t next = position + HEADER_BYTES + h->stored_bytes;
	uint32_t magic;

	if (v == BLOCK_BAD && h->magic == HL_BLOCK_MAGIC &&
	    hl_source_read(s, &magic, sizeof(magic), next) == sizeof(magic) && magic == HL_BLOCK_MAGIC)
		return next;
	return find_magic(s, w, position + 1);
}

static int ends_file(const struct hl_source *s, uint64_t position, const struct hl_block_header *h)
{
	return h->magic == HL_BLOCK_MAGIC && position + HEADER_BYTES + h->stored_bytes == s->file_bytes;
}

/* Nothing more can be read from position on; whole: because it is the end. */
static void stop_at(struct hl_source *s, uint64_t position, int whole)
{
	if (whole)
		return;
	s->health.cut_offset = position;
	hl_source_problem(s, "%s: is cut at offset %llu", s->path, (unsigned long long)position);
}

static void scan(struct hl_source *s)
{
	struct window w = {.data = hl_xmalloc(WINDOW_BYTES)};
	uint64_t position = s->header.header_bytes, work = 0, wasted = 0;
	struct hl_block_header h = {0};

	while (position < s->file_bytes) {
		uint64_t before = work, next;
		enum verdict v = judge(s, &w, position, &h, &work);

		if (v == BLOCK_GOOD) {
			add_block(s, &h, position);
			if (h.type == HL_BLOCK_INDEX)
				break; /* nothing but the trailer is after it */
			position += HEADER_BYTES + h.stored_bytes;
			continue;
		}
		next = after_bad(s, &w, position, &h, v);
		wasted += work - before;
		if (v == BLOCK_BAD || next < s->file_bytes)
			hl_source_bad_block(s, position, "is damaged");
		/* A file made of headers could make us sum the same bytes again and again. */
		if (next >= s->file_bytes || wasted > 4 * s->file_bytes + (1u << 20)) {
			stop_at(s, position, v == BLOCK_BAD && ends_file(s, position, &h));
			break;
		}
		position = next;
	}
	free(w.data);
}

int hl_source_index_trace(struct hl_source *s, struct hl_diag *d)
{
	struct hl_file_header *h = &s->header;
	ssize_t n = hl_source_read(s, h, sizeof(*h), 0);

	if (n < 0)
		return hl_fail(d, HL_ERR_IO, "%s: %s", s->path, strerror(errno));
	if (n != sizeof(*h))
		return hl_fail(d, HL_ERR_FORMAT, "%s: is cut in its header, at offset %zd", s->path, n);
	if (h->major > HL_FORMAT_MAJOR)
		return hl_fail(
			d, HL_ERR_FORMAT,
			"%s: was written by a newer heapledger (format %u.%u at offset 8, this one reads %u)",
			s->path, h->major, h->minor, HL_FORMAT_MAJOR);
	if (hl_crc32c(0, h, sizeof(*h) - sizeof(h->crc)) != h->crc)
		return hl_fail(d, HL_ERR_FORMAT, "%s: header at offset 0: its checksum is wrong", s->path);
	if (h->major != HL_FORMAT_MAJOR || h->header_bytes < sizeof(*h) || h->header_bytes > HEADER_BYTES_MAX)
		return hl_fail(d, HL_ERR_FORMAT, "%s: header at offset 0 is damaged", s->path);
	s->health.finished = read_index(s);
	if (!s->health.finished)
		scan(s);
	return HL_OK;
}
