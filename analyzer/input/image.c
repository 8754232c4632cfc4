/*
 * image.c - the streams of pointer images to their parts.  Floor: input.
 */
#include "analyzer/input/image.h"
#include "analyzer/base/buf.h"
#include "analyzer/input/image_words.h"
#include "analyzer/input/layer.h"
#include "analyzer/input/trace_impl.h"
#include "heapledger/tracefile.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parts {
	struct hl_image_at at;
	size_t maps_cap, threads_cap;
	uint64_t nmaps, nthreads; /* as its END says */
	int begun, ended, broken;
};

static int take_begin(struct parts *x, struct hl_fact_record *f)
{
	if (x->begun || !hl_fact_u32(f, &x->at.number) || !hl_fact_u32(f, &x->at.tid) ||
	    !hl_fact_u32(f, &x->at.flags))
		return 0;
	x->begun = 1;
	return 1;
}

static int take_regs(struct parts *x, struct hl_fact_record *f)
{
	struct hl_image_thread t = {0};
	uint32_t how;
	uint64_t n;

	if (!hl_fact_u32(f, &t.tid) || !hl_fact_u32(f, &how) || !hl_fact_uv(f, &t.sp) ||
	    !hl_fact_uv(f, &t.tp) || !hl_fact_uv(f, &n) || n > (uint64_t)(f->end - f->at))
		return 0;
	t.how = how >= HL_IMAGE_EXITING && how <= HL_IMAGE_UNKNOWN ? (int)how : HL_IMAGE_UNKNOWN;
	t.words = hl_xmalloc((size_t)n * sizeof(*t.words) + 1);
	for (; t.nwords < n; t.nwords++)
		if (!hl_fact_uv(f, &t.words[t.nwords])) {
			free(t.words);
			return 0;
		}
	/* images before format 2.3 end here */
	if (f->at < f->end &&
	    (!hl_fact_uv(f, &t.alt) || !hl_fact_uv(f, &t.alt_bytes) || t.alt + t.alt_bytes < t.alt)) {
		free(t.words);
		return 0;
	}
	x->at.threads = hl_grow(x->at.threads, &x->threads_cap, x->at.nthreads + 1, sizeof(*x->at.threads));
	x->at.threads[x->at.nthreads++] = t;
	return 1;
}

static int take_map(struct parts *x, struct hl_fact_record *f)
{
	struct hl_image_map m = {0};

	if (!hl_fact_uv(f, &m.start) || !hl_fact_uv(f, &m.end) || !hl_fact_u32(f, &m.flags) ||
	    m.start >= m.end || (x->at.nmaps && m.start < x->at.maps[x->at.nmaps - 1].end))
		return 0;
	if (!hl_layer_string(f, &m.name)) {
		free(m.name);
		return 0;
	}
	x->at.maps = hl_grow(x->at.maps, &x->maps_cap, x->at.nmaps + 1, sizeof(*x->at.maps));
	x->at.maps[x->at.nmaps++] = m;
	return 1;
}

static int take_end(struct parts *x, struct hl_fact_record *f)
{
	uint32_t number;

	if (x->ended || !hl_fact_u32(f, &number) || number != x->at.number || !hl_fact_uv(f, &x->at.stamp) ||
	    !hl_fact_uv(f, &x->at.nwords) || !hl_fact_uv(f, &x->nmaps) || !hl_fact_uv(f, &x->nthreads))
		return 0;
	x->ended = 1;
	return 1;
}

/* 0: malformed. */
static int take(struct parts *x, struct hl_fact_record *f)
{
	if (f->kind == HL_FACT_IMAGE_BEGIN)
		return take_begin(x, f);
	if (!x->begun)
		return 0;
	switch (f->kind) {
	case HL_FACT_IMAGE_REGS:
		return take_regs(x, f);
	case HL_FACT_IMAGE_MAP:
		return take_map(x, f);
	case HL_FACT_IMAGE_END:
		return take_end(x, f);
	}
	return f->kind == HL_FACT_IMAGE_WORDS || !f->must;
}

/* What a piece takes in the file. */
static uint64_t stored(const struct hl_source *s, const struct hl_piece *p)
{
	struct hl_block_header h;

	if (s->bare || pread(s->fd, &h, sizeof(h), (off_t)p->position) != (ssize_t)sizeof(h))
		return p->bytes;
	return sizeof(h) + (uint64_t)(h.stored_bytes < h.raw_bytes ? h.stored_bytes : h.raw_bytes);
}

static void release(struct hl_image_at *im)
{
	for (size_t i = 0; i < im->nmaps; i++)
		free(im->maps[i].name);
	for (size_t i = 0; i < im->nthreads; i++)
		free(im->threads[i].words);
	free(im->maps);
	free(im->threads);
}

/* The parts of stream i but its words.  0: it is no whole image. */
static int load_one(struct parts *x, struct hl_source *s, struct hl_loader *l, size_t i, uint8_t *data)
{
	const struct hl_stream *st = &s->streams[i];

	x->at.stream = i;
	for (size_t k = st->first; k < (size_t)st->first + st->count; k++) {
		const struct hl_piece *p = &s->pieces[k];
		struct hl_fact_reader r = {data, data + p->bytes};
		struct hl_fact_record f;
		int got;

		if (!hl_source_load(s, l, k, data)) {
			x->broken = 1;
			continue;
		}
		x->at.record_bytes += p->bytes;
		x->at.stored_bytes += stored(s, p);
		while ((got = hl_decode_fact(&r, &f)) > 0)
			if (x->ended || !take(x, &f)) {
				got = -1;
				break;
			}
		if (got < 0) {
			hl_source_bad_piece(s, k, "its part of an image cannot be decoded");
			x->broken = 1;
		}
	}
	/* words that were lost are missed when they are read; a map or a thread would not be */
	return x->begun && x->ended && !x->broken && x->at.nmaps == x->nmaps &&
	       x->at.nthreads == x->nthreads && x->at.number == HL_STREAM_THREAD(st->stream);
}

int hl_images_load(struct hl_images *out, struct hl_trace *t, struct hl_diag *d)
{
	struct hl_source *s = t->sources[0];
	uint8_t *data = hl_xmalloc(HL_SLOT_ROOM);
	struct hl_loader l;
	size_t cap = 0;

	(void)d;
	*out = (struct hl_images){0};
	hl_loader_init(&l);
	/* streams are sorted, so images are */
	for (size_t i = 0; i < s->nstreams; i++) {
		struct parts x = {0};

		if (!hl_stream_is_image(s->streams[i].stream))
			continue;
		if (!load_one(&x, s, &l, i, data)) {
			release(&x.at);
			continue;
		}
		out->image = hl_grow(out->image, &cap, out->n + 1, sizeof(*out->image));
		out->image[out->n++] = x.at;
	}
	hl_loader_release(&l);
	free(data);
	return HL_OK;
}

void hl_images_release(struct hl_images *images)
{
	for (size_t i = 0; i < images->n; i++)
		release(&images->image[i]);
	free(images->image);
	*images = (struct hl_images){0};
}

static int damaged(struct hl_source *s, const struct hl_image_at *im, const struct hl_piece *p,
		   const char *what, struct hl_diag *d)
{
	return hl_fail(d, HL_ERR_FORMAT, "%s: block at offset %llu: image %u: %s", s->path,
		       (unsigned long long)(p ? p->position : 0), im->number, what);
}

static int words_of(struct hl_word_reader *w, const uint8_t *data, size_t n, const char **what)
{
	struct hl_fact_reader r = {data, data + n};
	struct hl_fact_record f;
	int got;

	while ((got = hl_decode_fact(&r, &f)) > 0)
		if (f.kind == HL_FACT_IMAGE_WORDS && !hl_words_decode(w, f.at, (size_t)(f.end - f.at), what))
			return 0;
	if (got < 0)
		*what = "its records cannot be decoded";
	return got == 0;
}

int hl_image_words(struct hl_trace *t, const struct hl_image_at *im,
		   void (*word)(void *ctx, const struct hl_image_word *w), void *ctx, struct hl_diag *d)
{
	struct hl_source *s = t->sources[0];
	const struct hl_stream *st = &s->streams[im->stream];
	struct hl_word_reader *w = hl_xcalloc(1, sizeof(*w));
	uint8_t *data = hl_xmalloc(HL_SLOT_ROOM);
	const char *what = NULL;
	struct hl_loader l;
	uint32_t claim = 0;
	int err = HL_OK;

	w->word = word;
	w->ctx = ctx;
	hl_loader_init(&l);
	for (size_t k = st->first; !err && k < (size_t)st->first + st->count; k++) {
		const struct hl_piece *p = &s->pieces[k];

		if (p->claim > claim + (p->offset == 0 && k > st->first))
			what = "a piece before it is missing";
		claim = p->claim;
		if (!what && !hl_source_load(s, &l, k, data))
			what = "is damaged";
		if (what || !words_of(w, data, p->bytes, &what))
			err = damaged(s, im, p, what, d);
	}
	if (!err && w->nwords != im->nwords)
		err = damaged(s, im, NULL, "does not have all of its words", d);
	hl_loader_release(&l);
	free(data);
	free(w);
	return err;
}

/* What others share is not frozen with a process that is copied; only the rest is promised to be of one moment. */
const char *hl_image_tier(const struct hl_image_at *im)
{
	for (size_t i = 0; i < im->nmaps; i++)
		if (im->maps[i].flags & HL_IMAGE_MAP_TORN &&
		    !(im->flags & HL_IMAGE_FROZEN && im->maps[i].flags & HL_IMAGE_MAP_SHARED))
			return "torn";
	for (size_t i = 0; i < im->nthreads; i++)
		if (im->threads[i].how != HL_IMAGE_EXITING && im->threads[i].how != HL_IMAGE_PARKED)
			return "conservative";
	return "exact";
}
