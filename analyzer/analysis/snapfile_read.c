/*
 * snapfile_read.c - the bytes of an .hls file as a heap.  Floor: analysis.
 *
 * Every index is checked here, once, against the table it points into.
 */
#include "analyzer/analysis/snapfile.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct reader {
	const char *name;
	struct hl_names *names;
	struct hl_heap *heap;
	json_t *root;
	uint32_t *strings, *frames, *tracebacks; /* index in the file -> id in names */
	size_t nstrings, nframes, ntracebacks;
	struct hl_diag *d;
};

static int bad(const struct reader *r, const char *what)
{
	return hl_fail(r->d, HL_ERR_FORMAT, "%s: damaged snapshot file: %s", r->name, what);
}

void hl_provenance_release(struct hl_provenance *p)
{
	free(p->version);
	free(p->trace);
	free(p->exe);
	free(p->cmdline);
	free(p->at);
	free(p->label);
	*p = (struct hl_provenance){0};
}

int hl_snapfile_is(const uint8_t *bytes, size_t n)
{
	return n >= HL_SNAPFILE_MAGIC_BYTES && !memcmp(bytes, HL_SNAPFILE_MAGIC, HL_SNAPFILE_MAGIC_BYTES);
}

/* Element i of an array as a number in [0, limit); 0: it is none. */
static int at(const json_t *array, size_t i, uint64_t limit, uint64_t *v)
{
	const json_t *e = json_array_get(array, i);

	if (!json_is_integer(e) || json_integer_value(e) < 0 || (uint64_t)json_integer_value(e) >= limit)
		return 0;
	*v = (uint64_t)json_integer_value(e);
	return 1;
}

static char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return hl_xstrdup(s ? s : "");
}

static uint64_t number_of(const json_t *object, const char *name)
{
	json_int_t v = json_integer_value(json_object_get(object, name));

	return v < 0 ? 0 : (uint64_t)v;
}

/* Element i of an array as a number that a variance can be; 0: it is none. */
static int real_at(const json_t *array, size_t i, double *v)
{
	const json_t *e = json_array_get(array, i);

	*v = json_number_value(e);
	return json_is_number(e) && *v > -1e300 && *v <= 1e300;
}

static double error_of(const json_t *object, const char *name)
{
	double v = json_number_value(json_object_get(object, name));

	return v > 0 && v <= 1e300 ? v : 0;
}

static int decompress(const uint8_t *bytes, size_t n, char **json, size_t *json_bytes, struct reader *r)
{
	unsigned long long size;
	size_t got;
	char *out;

	if (!hl_snapfile_is(bytes, n))
		return bad(r, "it has not the first bytes of one");
	bytes += HL_SNAPFILE_MAGIC_BYTES;
	n -= HL_SNAPFILE_MAGIC_BYTES;
	size = ZSTD_getFrameContentSize(bytes, n);
	/* zstd reaches about 1:30000, so a small file cannot make us reserve much more than that */
	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
	    size > HL_SNAPFILE_BYTES_MAX || size / 32768 > n)
		return bad(r, "not a zstd frame of a sensible size");
	out = hl_xmalloc(size + 1);
	got = ZSTD_decompress(out, size, bytes, n);
	if (ZSTD_isError(got) || got != size) {
		free(out);
		return bad(r, ZSTD_isError(got) ? ZSTD_getErrorName(got) : "its zstd frame is short");
	}
	*json = out;
	*json_bytes = size;
	return HL_OK;
}

static int read_strings(struct reader *r)
{
	const json_t *a = json_object_get(r->root, "strings");

	r->strings = hl_xcalloc(json_array_size(a) + 1, sizeof(*r->strings));
	for (size_t i = 0; i < json_array_size(a); i++) {
		const char *s = json_string_value(json_array_get(a, i));

		if (!s)
			return bad(r, "strings");
		r->strings[r->nstrings++] = hl_names_intern(r->names, s);
	}
	return HL_OK;
}

static int read_frames(struct reader *r)
{
	const json_t *a = json_object_get(r->root, "frames");

	r->frames = hl_xcalloc(json_array_size(a) + 1, sizeof(*r->frames));
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *f = json_array_get(a, i);
		uint64_t file, line, function, module, kind;

		if (!at(f, 0, r->nstrings, &file) || !at(f, 1, UINT32_MAX, &line) ||
		    !at(f, 2, r->nstrings, &function) || !at(f, 3, r->nstrings, &module) ||
		    !at(f, 4, HL_NAME_UNKNOWN + 1, &kind))
			return bad(r, "frames");
		r->frames[r->nframes++] =
			hl_names_frame(r->names, &(struct hl_name_frame){.file = r->strings[file],
									 .line = (uint32_t)line,
									 .function = r->strings[function],
									 .module = r->strings[module],
									 .kind = (uint8_t)kind});
	}
	return HL_OK;
}

static int read_tracebacks(struct reader *r)
{
	const json_t *a = json_object_get(r->root, "tracebacks");

	r->tracebacks = hl_xcalloc(json_array_size(a) + 1, sizeof(*r->tracebacks));
	r->ntracebacks = 1; /* 0: none */
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *t = json_array_get(a, i);
		uint64_t older, frame, truncated;
		uint32_t id;

		if (!at(t, 0, r->ntracebacks, &older) || !at(t, 1, r->nframes, &frame) ||
		    !at(t, 2, 2, &truncated))
			return bad(r, "tracebacks");
		if (hl_names_depth(r->names, r->tracebacks[older]) >= 2 * HL_STACK_FRAMES_MAX)
			return bad(r, "a traceback is too deep");
		id = hl_names_traceback(r->names, r->tracebacks[older], r->frames[frame]);
		if (truncated)
			hl_names_set_truncated(r->names, id);
		r->tracebacks[r->ntracebacks++] = id;
	}
	return HL_OK;
}

static int read_threads(struct reader *r)
{
	const json_t *a = json_object_get(r->root, "threads");

	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *t = json_array_get(a, i);
		uint64_t name, tid;

		if (i >= 1u << 30 || !at(t, 0, r->nstrings, &name) || !at(t, 1, UINT32_MAX, &tid))
			return bad(r, "threads");
		hl_heap_add_thread(r->heap, (uint32_t)i, hl_names_string(r->names, r->strings[name]),
				   (uint32_t)tid);
	}
	return HL_OK;
}

/* Elements 8 to 12 of a site. */
static int read_variances(const json_t *s, struct hl_errors *to)
{
	double v[5];

	for (size_t k = 0; k < 5; k++)
		if (!real_at(s, 8 + k, &v[k]))
			return 0;
	to->size += v[0];
	to->count += v[1];
	to->total += v[2];
	to->allocations += v[3];
	to->temporary += v[4];
	return 1;
}

static int read_sites(struct reader *r)
{
	const json_t *a = json_object_get(r->root, "sites");

	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *s = json_array_get(a, i);
		uint64_t tb, thread, kind, v[5];
		struct hl_stat *stat;
		uint32_t site;

		if (!at(s, 0, r->ntracebacks, &tb) || !tb || !at(s, 1, r->heap->nthreads, &thread) ||
		    !at(s, 2, HL_KINDS, &kind))
			return bad(r, "sites");
		for (size_t k = 0; k < 5; k++)
			if (!at(s, 3 + k, UINT64_MAX, &v[k]))
				return bad(r, "sites");
		site = hl_heap_site(r->heap, r->tracebacks[tb], (uint32_t)thread, kind, NULL);
		if (site == HL_ID_NONE)
			return bad(r, "too many sites");
		stat = &r->heap->sites[site].stat;
		stat->size += v[0];
		stat->count += v[1];
		stat->total += v[2];
		stat->allocations += v[3];
		stat->temporary += v[4];
		if (r->heap->sample_bytes && !read_variances(s, &r->heap->variances[site]))
			return bad(r, "sites");
	}
	return HL_OK;
}

/* Before the sites: whether they have variances depends on it. */
static int read_sample(struct reader *r, uint64_t schema)
{
	uint64_t bytes = number_of(json_object_get(r->root, "sample"), "bytes");

	if ((schema == 2) != (bytes != 0))
		return bad(r, "sample");
	r->heap->sample_bytes = bytes;
	return HL_OK;
}

static void read_sample_totals(const struct reader *r, struct hl_totals *t)
{
	const json_t *s = json_object_get(r->root, "sample"), *e = json_object_get(s, "errors");

	t->sample_bytes = r->heap->sample_bytes;
	t->recorded = number_of(s, "recorded");
	t->error = (struct hl_errors){.size = error_of(e, "size"),
				      .count = error_of(e, "count"),
				      .peak = error_of(e, "peak"),
				      .total = error_of(e, "total"),
				      .allocations = error_of(e, "allocations"),
				      .temporary = error_of(e, "temporary")};
}

static void read_provenance(const struct reader *r, struct hl_provenance *p)
{
	const json_t *o = json_object_get(r->root, "provenance"), *s = json_object_get(r->root, "snapshot"),
		     *t = json_object_get(r->root, "totals");
	char *uuid = text_of(o, "uuid");

	*p = (struct hl_provenance){.version = text_of(o, "version"),
				    .trace = text_of(o, "trace"),
				    .exe = text_of(o, "exe"),
				    .cmdline = text_of(o, "cmdline"),
				    .at = text_of(s, "at"),
				    .label = text_of(s, "label"),
				    .image = (uint32_t)number_of(o, "image"),
				    .pid = (uint32_t)number_of(o, "pid"),
				    .number = number_of(s, "number"),
				    .complete = number_of(o, "complete") == 1,
				    .seconds = json_number_value(json_object_get(s, "seconds")),
				    .totals = {.size = number_of(t, "size"),
					       .count = number_of(t, "count"),
					       .peak = number_of(t, "peak"),
					       .total = number_of(t, "total"),
					       .allocations = number_of(t, "allocations"),
					       .frees = number_of(t, "frees"),
					       .temporary = number_of(t, "temporary"),
					       .lost = number_of(t, "lost")}};
	if (strlen(uuid) < sizeof(p->uuid))
		strcpy(p->uuid, uuid);
	free(uuid);
	read_sample_totals(r, &p->totals);
}

int hl_snapfile_read(const uint8_t *bytes, size_t n, const char *name, struct hl_provenance *p,
		     struct hl_heap *h, struct hl_diag *d)
{
	struct reader r = {.name = name, .names = hl_stacks_names(h->stacks), .heap = h, .d = d};
	json_error_t why;
	char *json = NULL;
	size_t json_bytes = 0;
	uint64_t schema;
	int err = decompress(bytes, n, &json, &json_bytes, &r);

	if (err)
		return err;
	r.root = json_loadb(json, json_bytes, 0, &why);
	free(json);
	if (!r.root)
		return bad(&r, why.text);
	schema = number_of(r.root, "schema");
	if (schema != 1 && schema != 2)
		err = hl_fail(d, HL_ERR_FORMAT,
			      "%s: snapshot file of schema %llu, this heapledger reads 1 and 2", name,
			      (unsigned long long)schema);
	err = err ? err : read_sample(&r, schema);
	err = err ? err : read_strings(&r);
	err = err ? err : read_frames(&r);
	err = err ? err : read_tracebacks(&r);
	err = err ? err : read_threads(&r);
	err = err ? err : read_sites(&r);
	if (!err)
		read_provenance(&r, p);
	json_decref(r.root);
	free(r.strings);
	free(r.frames);
	free(r.tracebacks);
	return err;
}
