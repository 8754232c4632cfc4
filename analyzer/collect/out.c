/*
 * out.c - images and their trace files.  Floor: collect.
 *
 * Invariants: all[] is sorted by id, no id twice; an image with a writer holds nothing;
 * path is set once, before the first byte is written, and stays.
 */
#include "analyzer/collect/out.h"
#include "analyzer/collect/names.h"
#include "heapledger/tracefile.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGES_EVER_MAX  (1u << 20)
#define HELD_IMAGE_BYTES (256u << 10) /* beyond it an image gets its file anyway */
#define HELD_ALL_BYTES   (64u << 20)
#define ANCESTORS_MAX    256

void hl_outs_init(struct hl_outs *o, const struct hl_share *share, const char *path, int force, pid_t command)
{
	memset(o, 0, sizeof(*o));
	o->share = share;
	o->path = path;
	o->force = force;
	o->command = command;
}

void hl_outs_release(struct hl_outs *o)
{
	for (uint32_t i = 0; i < o->n; i++) {
		hl_out_finish(o, o->all[i]);
		free(o->all[i]->held);
		free(o->all[i]->path);
		free(o->all[i]);
	}
	free(o->all);
	memset(o, 0, sizeof(*o));
}

/* First position whose id is not below. */
static uint32_t position(const struct hl_outs *o, uint32_t id)
{
	uint32_t low = 0, high = o->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (o->all[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct hl_out *hl_outs_find(const struct hl_outs *o, uint32_t id)
{
	uint32_t i = position(o, id);

	return i < o->n && o->all[i]->id == id ? o->all[i] : NULL;
}

struct hl_out *hl_outs_admit(struct hl_outs *o, uint32_t id, uint32_t parent, pid_t pid)
{
	uint32_t i = position(o, id);
	struct hl_out *out;

	if ((i < o->n && o->all[i]->id == id) || o->n == IMAGES_EVER_MAX)
		return NULL;
	if (o->n == o->room) {
		o->room = o->room ? o->room * 2 : 64;
		o->all = hl_xrealloc(o->all, o->room * sizeof(*o->all));
	}
	memmove(o->all + i + 1, o->all + i, (o->n - i) * sizeof(*o->all));
	out = o->all[i] = hl_xcalloc(1, sizeof(*out));
	o->n++;
	out->id = id;
	out->parent = parent < id ? parent : 0;
	out->pid = pid;
	out->pidfd = -1;
	if (!o->main_out && pid == o->command)
		o->main_out = out;
	return out;
}

static void complain(struct hl_outs *o, const struct hl_diag *d)
{
	if (!o->warning.err)
		o->warning = *d;
}

/* Choose a name that is free, or with force one that this run has not given out. */
static char *choose_path(const struct hl_outs *o, const struct hl_out *out)
{
	char path[PATH_MAX];
	struct stat st;
	unsigned nth = 1;

	if (out == o->main_out)
		return hl_xstrdup(o->path);
	for (uint32_t i = 0; i < o->n; i++)
		nth += o->all[i]->pid == out->pid && o->all[i]->path;
	/* old files of a chance pid: no more than a handful */
	for (unsigned tries = 0; tries < 1000; tries++, nth++) {
		if (nth == 1)
			snprintf(path, sizeof(path), "%s.%ld", o->path, (long)out->pid);
		else
			snprintf(path, sizeof(path), "%s.%ld.%u", o->path, (long)out->pid, nth);
		if (o->force || lstat(path, &st) < 0)
			break;
	}
	return hl_xstrdup(path);
}

/* FILE.PID is the first image of the process that has events, FILE.PID.2 what it became by exec: an earlier one whose slots were
 * not collected yet is asked before this one is named. */
static void settle_earlier(struct hl_outs *o, const struct hl_out *out)
{
	for (uint32_t i = 0; o->settle && i < o->n && o->all[i]->id < out->id; i++)
		if (o->all[i]->pid == out->pid && !o->all[i]->path && !o->all[i]->done)
			o->settle(o->settle_ctx, o->all[i]);
}

static void write_chunk(struct hl_outs *o, struct hl_out *out, const struct hl_chunk *c)
{
	struct hl_diag d;

	if (!out->writer)
		out->refused_bytes += c->bytes;
	else if (hl_writer_add(out->writer, c, &d) < 0)
		complain(o, &d);
}

static void hold(struct hl_outs *o, struct hl_out *out, const struct hl_chunk *c)
{
	/* kept aligned, so that the headers can be read in place */
	size_t need = sizeof(*c) + ((size_t)c->bytes + 15) / 16 * 16;

	if (out->held_room - out->held_bytes < need) {
		out->held_room = out->held_bytes + need + 512;
		out->held = hl_xrealloc(out->held, out->held_room);
	}
	memcpy(out->held + out->held_bytes, c, sizeof(*c));
	memcpy(out->held + out->held_bytes + sizeof(*c), c->data, c->bytes);
	out->held_bytes += need;
	o->held_bytes += need;
}

static void write_held(struct hl_outs *o, struct hl_out *out)
{
	for (size_t at = 0; at < out->held_bytes;) {
		struct hl_chunk c;

		memcpy(&c, out->held + at, sizeof(c));
		c.data = out->held + at + sizeof(c);
		write_chunk(o, out, &c);
		at += sizeof(c) + ((size_t)c.bytes + 15) / 16 * 16;
	}
	o->held_bytes -= out->held_bytes;
	free(out->held);
	out->held = NULL;
	out->held_bytes = out->held_room = 0;
}

static void open_file(struct hl_outs *o, struct hl_out *out)
{
	const struct hl_region *r = o->share->region;
	struct hl_file_header h = {
		.image_id = out->id,
		.pid = (uint32_t)out->pid,
		.clock = o->share->clock.clock,
		.stamp_shift = o->share->clock.shift,
		.ticks_per_s = hl_clock_rate(&o->share->clock),
		.start_stamp = r->start_stamp,
		.start_realtime_ns = r->start_realtime_ns,
	};
	struct hl_out *parent = out->parent ? hl_outs_find(o, out->parent) : NULL;
	struct hl_note n;
	struct hl_diag d;

	memcpy(h.uuid, r->uuid, sizeof(h.uuid));
	settle_earlier(o, out);
	out->path = choose_path(o, out);
	/* force: FILE itself was reserved by an empty file */
	if (hl_writer_open(&out->writer, out->path, &h, o->force || out == o->main_out, &d) < 0) {
		out->writer = NULL;
		complain(o, &d);
	}
	if (parent && parent->path) {
		hl_note_start(&n, hl_share_now(o->share));
		hl_note_parent(&n, hl_base_name(parent->path), r->uuid, parent->id);
		hl_out_note(o, out, &n);
	}
	write_held(o, out);
	if (out->done)
		hl_out_finish(o, out);
}

void hl_out_open(struct hl_outs *o, struct hl_out *out)
{
	struct hl_out *line[ANCESTORS_MAX];
	unsigned n = 0;

	/* ends: a parent's id is below its child's */
	for (; out && !out->path && n < ANCESTORS_MAX;
	     out = out->parent ? hl_outs_find(o, out->parent) : NULL)
		line[n++] = out;
	while (n)
		open_file(o, line[--n]);
}

void hl_out_add(struct hl_outs *o, struct hl_out *out, const struct hl_chunk *c)
{
	int wanted = !out->parent;

	/* Another thread's slot may come before the one that begins with HELLO. */
	if (!out->path || !out->hello) {
		struct hl_glance g = hl_note_glance(c->data, c->bytes);

		out->hello |= g.hello;
		wanted |= g.event;
	}
	if (!out->path &&
	    (wanted || out->held_bytes + c->bytes > HELD_IMAGE_BYTES || o->held_bytes > HELD_ALL_BYTES))
		hl_out_open(o, out);
	out->dirty = 1;
	if (out->path)
		write_chunk(o, out, c);
	else
		hold(o, out, c);
}

void hl_out_note(struct hl_outs *o, struct hl_out *out, const struct hl_note *n)
{
	struct hl_chunk c = {
		.stream = HL_STREAM_COLLECTOR,
		.claim = out->notes++,
		.bytes = n->bytes,
		.facts = n->facts,
		.base_stamp = n->base_stamp,
		.data = n->data,
	};

	if (out->path)
		write_chunk(o, out, &c);
	else
		hold(o, out, &c);
}

void hl_out_mark(struct hl_outs *o, struct hl_out *out, uint64_t stamp, enum hl_mark reason,
		 const char *label)
{
	struct hl_note n;

	if (!out->path)
		hl_out_open(o, out);
	hl_note_start(&n, stamp);
	hl_note_mark(&n, stamp, reason, label);
	hl_out_note(o, out, &n);
	out->dirty = 1;
}

void hl_out_finish(struct hl_outs *o, struct hl_out *out)
{
	struct hl_diag d;

	out->done = 1;
	if (!out->writer)
		return;
	out->refused_bytes += hl_writer_refused(out->writer);
	hl_writer_set_rate(out->writer, hl_clock_rate(&o->share->clock));
	if (hl_writer_finish(out->writer, &d) < 0)
		complain(o, &d);
	out->writer = NULL;
}
