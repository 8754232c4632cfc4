/*
 * writer.c - chunks to blocks of a trace file.  Floor: collect.
 *
 * Invariant: the file's first `bytes` bytes are whole blocks.  What is behind them is being written, or
 * was cut off again; so a full disk costs what could not be written and nothing before it.
 */
#include "analyzer/collect/writer.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/columns.h"
#include "analyzer/base/crc32c.h"
#include "heapledger/tracefile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* the columns' lengths alone take 24 bytes */
#define COLUMNS_MIN 200

struct hl_writer {
	int fd;
	char *path;
	uint64_t bytes; /* whole blocks */
	uint64_t refused;
	struct hl_file_header header;
	struct hl_index_entry *index;
	size_t nindex, index_cap;
	ZSTD_CCtx *zstd;
	struct hl_packer *packer; /* from the first piece on that is worth it */
	struct hl_diag failure;   /* the first one; err HL_OK: none */
	uint8_t block[sizeof(struct hl_block_header) + HL_SLOT_ROOM];
};

static int write_at(int fd, const void *data, size_t n, uint64_t position)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put = pwrite(fd, (const char *)data + done, n - done, (off_t)(position + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		if (put == 0) {
			errno = ENOSPC;
			return -1;
		}
		done += (size_t)put;
	}
	return 0;
}

/* Note the first failure and cut the file back to its last whole block. */
static int fail(struct hl_writer *w, struct hl_diag *d)
{
	if (!w->failure.err) {
		hl_fail(&w->failure, HL_ERR_IO, "%s: %s", w->path, strerror(errno));
		/* when this fails too a reader finds the half block by its checksum */
		if (ftruncate(w->fd, (off_t)w->bytes) < 0)
			w->failure.err = HL_ERR_IO;
	}
	*d = w->failure;
	return w->failure.err;
}

/* Remove what is in the way when it is a plain file of ours. */
static int clear_way(const char *path, struct hl_diag *d)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? HL_OK : hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return hl_fail(d, HL_ERR_IO, "%s: exists and is not a regular file", path);
	if (st.st_uid != geteuid())
		return hl_fail(d, HL_ERR_IO, "%s: exists and belongs to another user", path);
	if (unlink(path) < 0)
		return hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
	return HL_OK;
}

static void seal_header(struct hl_file_header *h)
{
	h->magic = HL_FILE_MAGIC;
	h->major = HL_FORMAT_MAJOR;
	h->minor = HL_FORMAT_MINOR;
	h->header_bytes = sizeof(*h);
	h->crc = hl_crc32c(0, h, sizeof(*h) - sizeof(h->crc));
}

int hl_writer_open(struct hl_writer **out, const char *path, const struct hl_file_header *h, int force,
		   struct hl_diag *d)
{
	struct hl_file_header header = *h;
	struct hl_writer *w;
	int fd, err = force ? clear_way(path, d) : HL_OK;

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
	seal_header(&header);
	if (write_at(fd, &header, sizeof(header), 0) < 0) {
		err = hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
		close(fd);
		unlink(path); /* made by us a moment ago, and useless */
		return err;
	}
	w = hl_xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->header = header;
	w->path = hl_xstrdup(path);
	w->bytes = sizeof(header);
	w->zstd = ZSTD_createCCtx();
	*out = w;
	return HL_OK;
}

/* The chunk to out in the best form that it has; how many bytes, less than it has itself; 0: as it is. */
static size_t compress(struct hl_writer *w, const struct hl_chunk *c, uint8_t *out, uint8_t *codec)
{
	static const int level[] = {[HL_HURRY_NONE] = 1, [HL_HURRY_SOME] = 1, [HL_HURRY_MUCH] = -5};
	size_t n;

	/* words of an image have columns of their own already */
	if (c->hurry == HL_HURRY_NONE && !hl_stream_is_image(c->stream) && c->offset == 0 &&
	    c->bytes >= COLUMNS_MIN) {
		if (!w->packer)
			w->packer = hl_packer_new();
		*codec = HL_CODEC_COLUMNS;
		n = hl_packer_pack(w->packer, c->data, c->bytes, out, c->bytes - 1);
		if (n)
			return n;
	}
	if (c->hurry == HL_HURRY_ASIDE)
		return 0;
	*codec = HL_CODEC_ZSTD;
	n = ZSTD_compressCCtx(w->zstd, out, c->bytes - 1, c->data, c->bytes, level[c->hurry]);
	return ZSTD_isError(n) ? 0 : n;
}

/* Header and payload to w->block; how many bytes. */
static size_t make_block(struct hl_writer *w, const struct hl_chunk *c)
{
	struct hl_block_header h = {
		.magic = HL_BLOCK_MAGIC,
		.type = HL_BLOCK_CHUNK,
		.raw_bytes = c->bytes,
		.stream = c->stream,
		.claim = c->claim,
		.offset = c->offset,
		.facts = c->facts,
		.base_stamp = c->base_stamp,
		.tid = c->tid,
	};
	uint8_t *payload = w->block + sizeof(h);
	size_t n = compress(w, c, payload, &h.codec);

	if (!n) {
		h.codec = HL_CODEC_RAW;
		memcpy(payload, c->data, c->bytes);
		n = c->bytes;
	}
	h.stored_bytes = (uint32_t)n;
	h.crc = hl_crc32c(hl_crc32c(0, &h, sizeof(h)), payload, n);
	memcpy(w->block, &h, sizeof(h));
	return sizeof(h) + n;
}

int hl_writer_add(struct hl_writer *w, const struct hl_chunk *c, struct hl_diag *d)
{
	size_t n;

	if (!c->bytes)
		return HL_OK;
	if (c->bytes > HL_SLOT_ROOM || c->offset > HL_SLOT_ROOM - c->bytes) {
		w->refused += c->bytes;
		return hl_fail(d, HL_ERR_FORMAT, "%s: a chunk of %u bytes at %u exceeds a slot", w->path,
			       c->bytes, c->offset);
	}
	if (w->failure.err) {
		w->refused += c->bytes;
		return fail(w, d);
	}
	n = make_block(w, c);
	if (write_at(w->fd, w->block, n, w->bytes) < 0) {
		w->refused += c->bytes;
		return fail(w, d);
	}
	w->index = hl_grow(w->index, &w->index_cap, w->nindex + 1, sizeof(*w->index));
	w->index[w->nindex++] = (struct hl_index_entry){
		.file_offset = w->bytes,
		.base_stamp = c->base_stamp,
		.stream = c->stream,
		.claim = c->claim,
		.offset = c->offset,
		.raw_bytes = c->bytes,
		.facts = c->facts,
		.tid = c->tid,
	};
	w->bytes += n;
	return HL_OK;
}

void hl_writer_set_rate(struct hl_writer *w, uint64_t ticks_per_s)
{
	struct hl_file_header h = w->header;

	h.ticks_per_s = ticks_per_s;
	seal_header(&h);
	/* when it fails the first estimate stays */
	if (!w->failure.err && write_at(w->fd, &h, sizeof(h), 0) == 0)
		w->header = h;
}

/* The end of a whole file.  A file that lost something gets none: a reader must see that. */
static int write_end(struct hl_writer *w, struct hl_diag *d)
{
	size_t n = w->nindex * sizeof(*w->index);
	struct hl_block_header h = {.magic = HL_BLOCK_MAGIC, .type = HL_BLOCK_INDEX, .codec = HL_CODEC_RAW};
	struct hl_file_trailer t = {.index_offset = w->bytes, .magic = HL_TRAILER_MAGIC};

	if (w->failure.err)
		return fail(w, d);
	if (n > UINT32_MAX) {
		errno = EFBIG;
		return fail(w, d);
	}
	h.raw_bytes = h.stored_bytes = (uint32_t)n;
	h.crc = hl_crc32c(hl_crc32c(0, &h, sizeof(h)), w->index, n);
	t.file_bytes = w->bytes + sizeof(h) + n + sizeof(t);
	if (write_at(w->fd, &h, sizeof(h), w->bytes) < 0 ||
	    write_at(w->fd, w->index, n, w->bytes + sizeof(h)) < 0 ||
	    write_at(w->fd, &t, sizeof(t), w->bytes + sizeof(h) + n) < 0)
		return fail(w, d);
	w->bytes = t.file_bytes;
	return HL_OK;
}

int hl_writer_finish(struct hl_writer *w, struct hl_diag *d)
{
	int err = write_end(w, d);

	if (close(w->fd) < 0 && !err)
		err = hl_fail(d, HL_ERR_IO, "%s: %s", w->path, strerror(errno));
	ZSTD_freeCCtx(w->zstd);
	hl_packer_free(w->packer);
	free(w->index);
	free(w->path);
	free(w);
	return err;
}

uint64_t hl_writer_bytes(const struct hl_writer *w)
{
	return w->bytes;
}

uint64_t hl_writer_refused(const struct hl_writer *w)
{
	return w->refused;
}
