/*
 * trace.c - a file, the files of its ancestors, and the facts of all.  Floor: input.
 *
 * An ancestor that cannot be had costs the inherited blocks, never the trace.
 */
#include "analyzer/base/buf.h"
#include "analyzer/input/cursor.h"
#include "analyzer/input/facts_build.h"
#include "analyzer/input/trace_impl.h"
#include "heapledger/tracefile.h"
#include <stdlib.h>
#include <string.h>

/* The path of `name` beside the file at path; NULL: name is no plain file name. */
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	struct hl_buf b = {0};

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return NULL;
	if (slash)
		hl_buf_append(&b, path, (size_t)(slash - path) + 1);
	hl_buf_append(&b, name, strlen(name));
	return hl_buf_string(&b);
}

/* Why the file cannot be the parent of layer l; NULL: it is. */
static const char *unfit(const struct hl_trace *t, const struct hl_layer *l, const struct hl_source *parent)
{
	for (size_t k = 0; k < t->nsources; k++)
		if (t->sources[k]->device == parent->device && t->sources[k]->inode == parent->inode)
			return "is its own ancestor";
	if (memcmp(parent->header.uuid, l->parent_uuid, sizeof(l->parent_uuid)))
		return "is of another run";
	if (parent->header.image_id != l->parent_named_image)
		return "is of another program of that run";
	return NULL;
}

/* Open the parent that the newest layer names.  0: there is none to be had. */
static int open_parent(struct hl_trace *t, struct hl_layer *layers)
{
	struct hl_source *own = t->sources[0], *child = t->sources[t->nsources - 1], *parent;
	struct hl_layer *l = &layers[t->nsources - 1];
	static const char unknown[] = "blocks inherited through fork are unknown";
	const char *why;
	struct hl_diag d;
	char *path;

	if (!l->forked)
		return 0;
	path = l->parent_name ? beside(child->path, l->parent_name) : NULL;
	if (!path) {
		hl_source_problem(own, "%s: the trace of its parent is not named: %s", child->path, unknown);
		return 0;
	}
	if (t->nsources > HL_ANCESTORS_MAX) {
		hl_source_problem(own, "%s: has too many ancestors: %s", own->path, unknown);
		goto none;
	}
	if (hl_source_open(&parent, path, &d)) {
		hl_source_problem(own, "%s: %s", d.text, unknown);
		goto none;
	}
	why = unfit(t, l, parent);
	if (why) {
		hl_source_problem(own, "%s: %s: %s", path, why, unknown);
		hl_source_close(parent);
		goto none;
	}
	if (t->nsources == 1)
		l->process.parent_file = path;
	else
		free(path);
	hl_layer_load(&layers[t->nsources], parent, &l->inherited, &d);
	t->sources[t->nsources++] = parent;
	return 1;

none:
	free(path);
	return 0;
}

/* The stamp of the last event of stream i. */
static uint64_t last_stamp(struct hl_source *s, struct hl_loader *loader, size_t i)
{
	const struct hl_stream *st = &s->streams[i];
	size_t first = (size_t)st->first + st->count - 1;
	struct hl_cursor *c;
	uint64_t stamp;

	while (s->pieces[first].offset)
		first--;
	c = hl_cursor_new(s, loader, i, first, NULL, 1);
	while (hl_cursor_next(c))
		;
	stamp = c->stamp;
	hl_cursor_free(c);
	return stamp;
}

/* exec says "I go" before it is known whether it will: an event after it says that it failed. */
static void judge_exec(struct hl_trace *t, uint64_t exec_stamp)
{
	struct hl_process *p = &t->facts.process;
	struct hl_source *s = t->sources[0];
	struct hl_loader loader;
	int failed = 0;

	if (!p->exec_path)
		return;
	hl_loader_init(&loader);
	for (size_t i = 0; i < s->nstreams && !failed; i++)
		/* the collector's own records say nothing about the program */
		failed = s->streams[i].stream != HL_STREAM_COLLECTOR &&
			 !hl_stream_is_image(s->streams[i].stream) && last_stamp(s, &loader, i) > exec_stamp;
	hl_loader_release(&loader);
	if (failed) {
		free(p->exec_path);
		p->exec_path = NULL;
	} else if (!p->end || p->end == HL_END_GONE) {
		p->end = HL_END_EXEC;
		p->end_status = 0;
		p->end_stamp = exec_stamp;
	}
}

int hl_trace_open(struct hl_trace **out, const char *path, struct hl_diag *d)
{
	struct hl_trace *t = hl_xcalloc(1, sizeof(*t));
	struct hl_layer *layers = hl_xcalloc(1 + HL_ANCESTORS_MAX, sizeof(*layers));
	uint64_t exec_stamp;
	int err;

	t->health = hl_xcalloc(1, sizeof(*t->health));
	err = hl_source_open(&t->sources[0], path, d);
	if (err)
		goto fail;
	t->nsources = 1;
	err = hl_layer_load(&layers[0], t->sources[0], NULL, d);
	if (err)
		goto fail;
	while (open_parent(t, layers))
		;
	exec_stamp = layers[0].exec_stamp;
	hl_facts_build(&t->facts, layers, t->nsources);
	for (size_t k = 0; k < t->nsources; k++) {
		if (k + 1 < t->nsources) {
			t->limits[k + 1] = layers[k].inherited;
			layers[k].inherited = (struct hl_limits){0};
		}
		hl_layer_release(&layers[k]);
	}
	free(layers);
	judge_exec(t, exec_stamp);
	*out = t;
	return HL_OK;

fail:
	free(layers);
	hl_trace_close(t);
	return err;
}

void hl_trace_close(struct hl_trace *t)
{
	if (!t)
		return;
	for (size_t k = 0; k < t->nsources; k++) {
		hl_source_close(t->sources[k]);
		hl_limits_release(&t->limits[k]);
	}
	hl_facts_release(&t->facts);
	free(t->health);
	free(t);
}

const char *hl_trace_path(const struct hl_trace *t)
{
	return t->sources[0]->path;
}

const struct hl_facts *hl_trace_facts(const struct hl_trace *t)
{
	return &t->facts;
}

const struct hl_file_header *hl_trace_header(const struct hl_trace *t)
{
	return &t->sources[0]->header;
}

/* Of the file itself, and of what it inherited the damage and the gaps. */
const struct hl_trace_health *hl_trace_health(const struct hl_trace *t)
{
	struct hl_trace_health *h = t->health;

	*h = t->sources[0]->health;
	for (size_t k = 1; k < t->nsources; k++) {
		const struct hl_trace_health *other = &t->sources[k]->health;

		if (!h->bad_blocks)
			h->bad_offset = other->bad_offset;
		h->bad_blocks += other->bad_blocks;
		h->missing_claims += hl_limits_missing(&t->limits[k], t->sources[k]);
		if (!*h->first_problem)
			memcpy(h->first_problem, other->first_problem, sizeof(h->first_problem));
	}
	return h;
}

double hl_trace_seconds(const struct hl_trace *t, uint64_t from, uint64_t to)
{
	double ticks = to >= from ? (double)(to - from) : -(double)(from - to);

	return ticks / (double)t->sources[0]->header.ticks_per_s;
}
