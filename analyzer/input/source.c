/*
 * source.c - a file of records: opening, health, and from pieces to streams.  Floor: input.
 *
 * Invariant after opening: pieces are sorted, and those of one claim follow each other from offset 0
 * without a gap or an overlap; pieces that did not fit were counted as bad and dropped.
 */
#include "analyzer/input/source.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/columns.h"
#include "heapledger/tracefile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

void hl_source_problem(struct hl_source *s, const char *fmt, ...)
{
	char *text = s->health.first_problem;
	size_t room = sizeof(s->health.first_problem);
	va_list ap;

	if (*text)
		return;
	va_start(ap, fmt);
	vsnprintf(text, room, fmt, ap);
	va_end(ap);
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void hl_source_bad_block(struct hl_source *s, uint64_t position, const char *what)
{
	if (!s->health.bad_blocks++)
		s->health.bad_offset = position;
	hl_source_problem(s, "%s: block at offset %llu: %s", s->path, (unsigned long long)position, what);
}

void hl_source_bad_piece(struct hl_source *s, size_t i, const char *what)
{
	if (s->pieces[i].bad)
		return;
	s->pieces[i].bad = 1;
	hl_source_bad_block(s, s->pieces[i].position, what);
}

ssize_t hl_source_read(const struct hl_source *s, void *buf, size_t n, uint64_t position)
{
	size_t done = 0;

	if (position >= s->file_bytes)
		return 0;
	if (n > s->file_bytes - position)
		n = (size_t)(s->file_bytes - position);
	while (done < n) {
		ssize_t got = pread(s->fd, (char *)buf + done, n - done, (off_t)(position + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

uint64_t hl_source_data(const struct hl_source *s, uint64_t position)
{
	off_t at;

	if (position >= s->file_bytes)
		return s->file_bytes;
	at = lseek(s->fd, (off_t)position, SEEK_DATA);
	if (at < 0)
		return errno == ENXIO ? s->file_bytes : position;
	return (uint64_t)at < s->file_bytes ? (uint64_t)at : s->file_bytes;
}

void hl_source_add(struct hl_source *s, const struct hl_piece *p)
{
	s->pieces = hl_grow(s->pieces, &s->pieces_cap, s->npieces + 1, sizeof(*s->pieces));
	s->pieces[s->npieces++] = *p;
}

static int by_place(const void *pa, const void *pb)
{
	const struct hl_piece *a = pa, *b = pb;

	if (a->stream != b->stream)
		return a->stream < b->stream ? -1 : 1;
	if (a->claim != b->claim)
		return a->claim < b->claim ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return (a->position > b->position) - (a->position < b->position);
}

/* Drop what does not continue its claim, and count the claims that are not there. */
static void check_pieces(struct hl_source *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->npieces; i++) {
		struct hl_piece p = s->pieces[i];
		const struct hl_piece *last = n ? &s->pieces[n - 1] : NULL;
		int same_stream = last && last->stream == p.stream;
		int same_claim = same_stream && last->claim == p.claim;

		if (p.offset != (same_claim ? last->offset + last->bytes : 0)) {
			hl_source_bad_block(s, p.position,
					    "does not continue its claim, a part of which is missing");
			continue;
		}
		if (!same_claim)
			s->health.missing_claims += p.claim - (same_stream ? last->claim + 1 : 0);
		s->health.raw_bytes += p.bytes;
		s->pieces[n++] = p;
	}
	s->npieces = s->health.chunks = n;
}

static void find_streams(struct hl_source *s)
{
	size_t cap = 0;

	for (size_t i = 0; i < s->npieces; i++) {
		struct hl_stream *last = s->nstreams ? &s->streams[s->nstreams - 1] : NULL;

		if (last && last->stream == s->pieces[i].stream) {
			last->count++;
			continue;
		}
		s->streams = hl_grow(s->streams, &cap, s->nstreams + 1, sizeof(*s->streams));
		s->streams[s->nstreams++] = (struct hl_stream){s->pieces[i].stream, (uint32_t)i, 1};
	}
}

static int index_file(struct hl_source *s, struct hl_diag *d)
{
	uint64_t magic = 0;
	ssize_t n = hl_source_read(s, &magic, sizeof(magic), 0);
	int err;

	if (n < 0)
		return hl_fail(d, HL_ERR_IO, "%s: %s", s->path, strerror(errno));
	if (n == 0)
		return hl_fail(d, HL_ERR_FORMAT, "%s: is empty, not a trace", s->path);
	if (magic == HL_FILE_MAGIC)
		err = hl_source_index_trace(s, d);
	else if (magic == HL_REGION_MAGIC)
		err = hl_source_index_region(s, d);
	else if (!magic && s->file_bytes >= hl_region_slots_off(HL_BACKING_FILE, 0))
		return hl_fail(d, HL_ERR_FORMAT,
			       "%s: nothing was recorded: its program ended before the library had written "
			       "the header",
			       s->path);
	else
		return hl_fail(d, HL_ERR_FORMAT, "%s: is not a trace of heapledger (offset 0)", s->path);
	if (err)
		return err;
	if (s->npieces > UINT32_MAX)
		return hl_fail(d, HL_ERR_FORMAT, "%s: holds too many blocks", s->path);
	if (!s->header.ticks_per_s)
		return hl_fail(d, HL_ERR_FORMAT, "%s: header at offset 0: has no clock rate", s->path);
	if (s->npieces)
		qsort(s->pieces, s->npieces, sizeof(*s->pieces), by_place);
	check_pieces(s);
	find_streams(s);
	if (!s->npieces && s->health.bad_blocks)
		return hl_fail(d, HL_ERR_FORMAT, "%s: nothing valid in it; first damage at offset %llu",
			       s->path, (unsigned long long)s->health.bad_offset);
	return HL_OK;
}

int hl_source_open(struct hl_source **out, const char *path, struct hl_diag *d)
{
	struct hl_source *s = hl_xcalloc(1, sizeof(*s));
	struct stat st;
	int err;

	s->path = hl_xstrdup(path);
	/* nonblocking: a pipe of that name must not stop us before we see what it is */
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->fd < 0 || fstat(s->fd, &st) < 0) {
		err = hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		err = hl_fail(d, HL_ERR_IO, "%s: %s", path,
			      S_ISDIR(st.st_mode) ? strerror(EISDIR) : "is not a regular file");
		goto fail;
	}
	s->device = st.st_dev;
	s->inode = st.st_ino;
	s->file_bytes = s->health.file_bytes = (uint64_t)st.st_size;
	s->health.disk_bytes = (uint64_t)st.st_blocks * 512; /* stat(2): in this unit everywhere */
	err = index_file(s, d);
	if (err)
		goto fail;
	*out = s;
	return HL_OK;

fail:
	hl_source_close(s);
	return err;
}

void hl_source_close(struct hl_source *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s->pieces);
	free(s->streams);
	free(s);
}

/* ---- reading ---- */

void hl_loader_init(struct hl_loader *l)
{
	l->zstd = ZSTD_createDCtx();
	l->unpacker = NULL;
	/* a stored payload is at most as long as the raw one */
	l->block = hl_xmalloc(sizeof(struct hl_block_header) + HL_SLOT_ROOM);
}

void hl_loader_release(struct hl_loader *l)
{
	ZSTD_freeDCtx(l->zstd);
	hl_unpacker_free(l->unpacker);
	free(l->block);
}

static int load(struct hl_source *s, struct hl_loader *l, size_t i, uint8_t *out, size_t *facts)
{
	const struct hl_piece *p = &s->pieces[i];
	const char *what = "is gone, the file was cut";

	if (p->bad)
		return 0;
	if (s->bare ? hl_source_read(s, out, p->bytes, p->position) == p->bytes
		    : hl_source_load_block(s, l, p, out, facts, &what))
		return 1;
	hl_source_bad_piece(s, i, what);
	return 0;
}

int hl_source_load(struct hl_source *s, struct hl_loader *l, size_t i, uint8_t *out)
{
	return load(s, l, i, out, NULL);
}

int hl_source_load_facts(struct hl_source *s, struct hl_loader *l, size_t i, uint8_t *out, size_t *bytes)
{
	*bytes = s->pieces[i].bytes;
	return load(s, l, i, out, bytes);
}
