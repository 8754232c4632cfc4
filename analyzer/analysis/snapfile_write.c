/*
 * snapfile_write.c - a heap as the bytes of an .hls file.  Floor: analysis.
 *
 * Only what the sites use is written, renumbered in the order of use.
 */
#include "analyzer/analysis/snapfile.h"
#include "analyzer/analysis/utf8.h"
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <zstd.h>

/* Old id to new one, and the old ones in the order of the new. */
struct renumber {
	struct hl_idmap map;
	uint32_t *old;
	size_t n, room;
};

struct writer {
	yajl_gen g;
	struct hl_names *names;
	struct renumber strings, frames, tracebacks, threads;
};

static uint32_t number(struct renumber *r, uint32_t old)
{
	uint32_t id = hl_idmap_find(&r->map, old);

	if (id != HL_ID_NONE)
		return id;
	id = (uint32_t)r->n;
	hl_idmap_add(&r->map, old, id);
	r->old = hl_grow(r->old, &r->room, r->n + 1, sizeof(*r->old));
	r->old[r->n++] = old;
	return id;
}

static void renumber_release(struct renumber *r)
{
	hl_idmap_release(&r->map);
	free(r->old);
}

/* Older tracebacks first, so that a reader finds every reference below its own place. */
static uint32_t number_traceback(struct writer *w, uint32_t tb)
{
	uint32_t *way = NULL, last = 0;
	size_t n = 0, room = 0;

	for (uint32_t t = tb; t; t = hl_names_older(w->names, t)) {
		if (hl_idmap_find(&w->tracebacks.map, t) != HL_ID_NONE)
			break;
		way = hl_grow(way, &room, n + 1, sizeof(*way));
		way[n++] = t;
	}
	while (n) {
		uint32_t t = way[--n];

		number(&w->tracebacks, t);
		number(&w->frames, hl_names_newest(w->names, t));
	}
	last = number(&w->tracebacks, tb);
	free(way);
	return last;
}

static void put_key(struct writer *w, const char *s)
{
	yajl_gen_string(w->g, (const unsigned char *)s, strlen(s));
}

static void put_string(struct writer *w, const char *s)
{
	char *clean = hl_utf8_escape(s, HL_ESCAPE_INVALID);

	put_key(w, clean ? clean : s);
	free(clean);
}

static void put_number(struct writer *w, uint64_t v)
{
	yajl_gen_integer(w->g, v > INT64_MAX ? INT64_MAX : (long long)v);
}

static void put_member(struct writer *w, const char *name, uint64_t v)
{
	put_key(w, name);
	put_number(w, v);
}

/* What a damaged trace makes infinite is written as the largest number there is. */
static void put_real(struct writer *w, double v)
{
	yajl_gen_double(w->g, v < 1e300 ? v : 1e300);
}

static void put_text(struct writer *w, const char *name, const char *s)
{
	put_key(w, name);
	put_string(w, s);
}

static void put_provenance(struct writer *w, const struct hl_provenance *p)
{
	put_key(w, "provenance");
	yajl_gen_map_open(w->g);
	put_text(w, "version", p->version);
	put_text(w, "trace", p->trace);
	put_text(w, "uuid", p->uuid);
	put_member(w, "image", p->image);
	put_member(w, "pid", p->pid);
	put_text(w, "exe", p->exe);
	put_text(w, "cmdline", p->cmdline);
	put_member(w, "complete", p->complete != 0);
	yajl_gen_map_close(w->g);
	put_key(w, "snapshot");
	yajl_gen_map_open(w->g);
	put_text(w, "at", p->at);
	put_member(w, "number", p->number);
	put_text(w, "label", p->label);
	put_key(w, "seconds");
	yajl_gen_double(w->g, p->seconds);
	yajl_gen_map_close(w->g);
	put_key(w, "totals");
	yajl_gen_map_open(w->g);
	put_member(w, "size", p->totals.size);
	put_member(w, "count", p->totals.count);
	put_member(w, "peak", p->totals.peak);
	put_member(w, "total", p->totals.total);
	put_member(w, "allocations", p->totals.allocations);
	put_member(w, "frees", p->totals.frees);
	put_member(w, "temporary", p->totals.temporary);
	put_member(w, "lost", p->totals.lost);
	yajl_gen_map_close(w->g);
}

static void put_sample(struct writer *w, const struct hl_totals *t)
{
	const struct {
		const char *name;
		double error;
	} errors[] = {{"size", t->error.size},
		      {"count", t->error.count},
		      {"peak", t->error.peak},
		      {"total", t->error.total},
		      {"allocations", t->error.allocations},
		      {"temporary", t->error.temporary}};

	put_key(w, "sample");
	yajl_gen_map_open(w->g);
	put_member(w, "bytes", t->sample_bytes);
	put_member(w, "recorded", t->recorded);
	put_key(w, "errors");
	yajl_gen_map_open(w->g);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		put_key(w, errors[i].name);
		put_real(w, errors[i].error);
	}
	yajl_gen_map_close(w->g);
	yajl_gen_map_close(w->g);
}

static void put_variances(struct writer *w, const struct hl_errors *v)
{
	put_real(w, v->size);
	put_real(w, v->count);
	put_real(w, v->total);
	put_real(w, v->allocations);
	put_real(w, v->temporary);
}

static void put_sites(struct writer *w, const struct hl_heap *h, int all)
{
	put_key(w, "sites");
	yajl_gen_array_open(w->g);
	for (uint32_t i = 0; i < h->nsites; i++) {
		const struct hl_site *s = &h->sites[i];

		if (!all && !s->stat.count)
			continue;
		yajl_gen_array_open(w->g);
		put_number(w, number_traceback(w, hl_stacks_traceback(h->stacks, s->stack)) + 1ull);
		put_number(w, number(&w->threads, s->thread));
		put_number(w, s->kind);
		put_number(w, s->stat.size);
		put_number(w, s->stat.count);
		put_number(w, s->stat.total);
		put_number(w, s->stat.allocations);
		put_number(w, s->stat.temporary);
		if (h->sample_bytes)
			put_variances(w, &h->variances[i]);
		yajl_gen_array_close(w->g);
	}
	yajl_gen_array_close(w->g);
}

static void put_tables(struct writer *w, const struct hl_heap *h)
{
	put_key(w, "threads");
	yajl_gen_array_open(w->g);
	for (size_t i = 0; i < w->threads.n; i++) {
		const struct hl_heap_thread *t = &h->threads[w->threads.old[i]];

		yajl_gen_array_open(w->g);
		put_number(w, number(&w->strings, t->name));
		put_number(w, t->tid);
		yajl_gen_array_close(w->g);
	}
	yajl_gen_array_close(w->g);
	put_key(w, "tracebacks");
	yajl_gen_array_open(w->g);
	for (size_t i = 0; i < w->tracebacks.n; i++) {
		uint32_t t = w->tracebacks.old[i], older = hl_names_older(w->names, t);

		yajl_gen_array_open(w->g);
		put_number(w, older ? number(&w->tracebacks, older) + 1ull : 0);
		put_number(w, number(&w->frames, hl_names_newest(w->names, t)));
		put_number(w, hl_names_truncated(w->names, t) != 0);
		yajl_gen_array_close(w->g);
	}
	yajl_gen_array_close(w->g);
	put_key(w, "frames");
	yajl_gen_array_open(w->g);
	for (size_t i = 0; i < w->frames.n; i++) {
		const struct hl_name_frame *f = hl_names_frame_at(w->names, w->frames.old[i]);

		yajl_gen_array_open(w->g);
		put_number(w, number(&w->strings, f->file));
		put_number(w, f->line);
		put_number(w, number(&w->strings, f->function));
		put_number(w, number(&w->strings, f->module));
		put_number(w, f->kind);
		yajl_gen_array_close(w->g);
	}
	yajl_gen_array_close(w->g);
	put_key(w, "strings");
	yajl_gen_array_open(w->g);
	for (size_t i = 0; i < w->strings.n; i++)
		put_string(w, hl_names_string(w->names, w->strings.old[i]));
	yajl_gen_array_close(w->g);
}

/* With zstd's checksum: a damaged file must not give wrong numbers. */
static int compress(const unsigned char *json, size_t json_bytes, uint8_t **bytes, size_t *n,
		    struct hl_diag *d)
{
	size_t room = ZSTD_compressBound(json_bytes), got;
	ZSTD_CCtx *z;
	uint8_t *out;

	if (json_bytes > HL_SNAPFILE_BYTES_MAX)
		return hl_fail(d, HL_ERR_REFUSED, "the snapshot is too large to extract");
	z = ZSTD_createCCtx();
	if (!z)
		return hl_fail(d, HL_ERR_NOMEM, "out of memory");
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, 6);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	out = hl_xmalloc(HL_SNAPFILE_MAGIC_BYTES + room);
	memcpy(out, HL_SNAPFILE_MAGIC, HL_SNAPFILE_MAGIC_BYTES);
	got = ZSTD_compress2(z, out + HL_SNAPFILE_MAGIC_BYTES, room, json, json_bytes);
	ZSTD_freeCCtx(z);
	if (ZSTD_isError(got)) {
		free(out);
		return hl_fail(d, HL_ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(got));
	}
	*bytes = out;
	*n = HL_SNAPFILE_MAGIC_BYTES + got;
	return HL_OK;
}

int hl_snapfile_write(const struct hl_provenance *p, const struct hl_heap *h, uint8_t **bytes, size_t *n,
		      struct hl_diag *d)
{
	struct writer w = {.g = yajl_gen_alloc(NULL), .names = hl_stacks_names(h->stacks)};
	const unsigned char *json;
	size_t json_bytes;
	int err;

	if (!w.g)
		return hl_fail(d, HL_ERR_NOMEM, "out of memory");
	yajl_gen_map_open(w.g);
	put_member(&w, "schema", h->sample_bytes ? 2 : 1);
	put_provenance(&w, p);
	if (h->sample_bytes)
		put_sample(&w, &p->totals);
	put_sites(&w, h, p->complete);
	put_tables(&w, h);
	yajl_gen_map_close(w.g);
	yajl_gen_get_buf(w.g, &json, &json_bytes);
	err = compress(json, json_bytes, bytes, n, d);
	yajl_gen_free(w.g);
	renumber_release(&w.strings);
	renumber_release(&w.frames);
	renumber_release(&w.tracebacks);
	renumber_release(&w.threads);
	return err;
}
