/*
 * names.c - interned strings, frames and tracebacks.  Floor: analysis.
 *
 * Invariant: tb[i].older < i, and depth(i) == depth(older(i)) + 1, so every walk ends.
 */
#include "analyzer/analysis/names.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

struct tb {
	uint32_t older, frame, depth;
	uint32_t canonical; /* HL_ID_NONE: not asked yet */
	uint8_t truncated;
};

struct hl_names {
	char **strings;
	struct hl_name_frame *frames;
	uint32_t *line_frame; /* frame -> the first frame with its file and line */
	struct tb *tbs;
	size_t nstrings, strings_room, nframes, frames_room, line_room, ntbs, tbs_room;
	struct hl_idset string_set, frame_set, line_set;
	struct hl_idmap tb_map;
};

struct hl_names *hl_names_new(void)
{
	struct hl_names *n = hl_xcalloc(1, sizeof(*n));

	n->tbs = hl_grow(NULL, &n->tbs_room, 1, sizeof(*n->tbs));
	n->tbs[0] = (struct tb){.frame = HL_ID_NONE};
	n->ntbs = 1;
	return n;
}

void hl_names_free(struct hl_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nstrings; i++)
		free(n->strings[i]);
	free(n->strings);
	free(n->frames);
	free(n->line_frame);
	free(n->tbs);
	hl_idset_release(&n->string_set);
	hl_idset_release(&n->frame_set);
	hl_idset_release(&n->line_set);
	hl_idmap_release(&n->tb_map);
	free(n);
}

uint32_t hl_names_intern(struct hl_names *n, const char *s)
{
	uint64_t hash = hl_hash_bytes(s, strlen(s));
	uint32_t id;

	for (size_t pos = 0; (id = hl_idset_next(&n->string_set, hash, &pos)) != HL_ID_NONE;)
		if (!strcmp(n->strings[id], s))
			return id;
	id = (uint32_t)n->nstrings;
	n->strings = hl_grow(n->strings, &n->strings_room, n->nstrings + 1, sizeof(*n->strings));
	n->strings[n->nstrings++] = hl_xstrdup(s);
	hl_idset_add(&n->string_set, hash, id);
	return id;
}

const char *hl_names_string(const struct hl_names *n, uint32_t id)
{
	return n->strings[id];
}

int hl_names_compare(const struct hl_names *n, uint32_t a, uint32_t b)
{
	return a == b ? 0 : strcmp(n->strings[a], n->strings[b]);
}

static uint64_t line_hash(const struct hl_name_frame *f)
{
	return hl_mix((uint64_t)f->file << 32 | f->line);
}

static uint32_t line_frame(struct hl_names *n, uint32_t frame)
{
	const struct hl_name_frame *f = &n->frames[frame];
	uint64_t hash = line_hash(f);
	uint32_t id;

	for (size_t pos = 0; (id = hl_idset_next(&n->line_set, hash, &pos)) != HL_ID_NONE;)
		if (n->frames[id].file == f->file && n->frames[id].line == f->line)
			return id;
	hl_idset_add(&n->line_set, hash, frame);
	return frame;
}

uint32_t hl_names_frame(struct hl_names *n, const struct hl_name_frame *f)
{
	uint64_t hash = hl_mix(line_hash(f) ^ hl_mix((uint64_t)f->function << 32 | f->module));
	uint32_t id;

	for (size_t pos = 0; (id = hl_idset_next(&n->frame_set, hash, &pos)) != HL_ID_NONE;) {
		const struct hl_name_frame *g = &n->frames[id];

		if (g->file == f->file && g->line == f->line && g->function == f->function &&
		    g->module == f->module && g->kind == f->kind)
			return id;
	}
	id = (uint32_t)n->nframes;
	n->frames = hl_grow(n->frames, &n->frames_room, n->nframes + 1, sizeof(*n->frames));
	n->line_frame = hl_grow(n->line_frame, &n->line_room, n->nframes + 1, sizeof(*n->line_frame));
	n->frames[n->nframes++] = *f;
	hl_idset_add(&n->frame_set, hash, id);
	n->line_frame[id] = line_frame(n, id);
	return id;
}

const struct hl_name_frame *hl_names_frame_at(const struct hl_names *n, uint32_t frame)
{
	return &n->frames[frame];
}

uint32_t hl_names_unknown_frame(struct hl_names *n)
{
	uint32_t s = hl_names_intern(n, "<unknown>");

	return hl_names_frame(n, &(struct hl_name_frame){s, 0, s, s, HL_NAME_UNKNOWN});
}

uint32_t hl_names_nframes(const struct hl_names *n)
{
	return (uint32_t)n->nframes;
}

uint32_t hl_names_traceback(struct hl_names *n, uint32_t older, uint32_t frame)
{
	uint64_t key = (uint64_t)older << 32 | frame;
	uint32_t id = hl_idmap_find(&n->tb_map, key);

	if (id != HL_ID_NONE)
		return id;
	id = (uint32_t)n->ntbs;
	n->tbs = hl_grow(n->tbs, &n->tbs_room, n->ntbs + 1, sizeof(*n->tbs));
	n->tbs[n->ntbs++] = (struct tb){older, frame, n->tbs[older].depth + 1, HL_ID_NONE, 0};
	hl_idmap_add(&n->tb_map, key, id);
	return id;
}

uint32_t hl_names_newest(const struct hl_names *n, uint32_t traceback)
{
	return n->tbs[traceback].frame;
}

uint32_t hl_names_older(const struct hl_names *n, uint32_t traceback)
{
	return n->tbs[traceback].older;
}

uint32_t hl_names_depth(const struct hl_names *n, uint32_t traceback)
{
	return n->tbs[traceback].depth;
}

uint32_t hl_names_ntracebacks(const struct hl_names *n)
{
	return (uint32_t)n->ntbs;
}

void hl_names_set_truncated(struct hl_names *n, uint32_t traceback)
{
	n->tbs[traceback].truncated = 1;
}

int hl_names_truncated(const struct hl_names *n, uint32_t traceback)
{
	return n->tbs[traceback].truncated;
}

/* Canonical ids are made from the oldest frame on, the walk goes from the newest: so the way is kept. */
uint32_t hl_names_canonical(struct hl_names *n, uint32_t traceback)
{
	uint32_t *way = NULL, id = 0;
	size_t nway = 0, room = 0;

	for (uint32_t t = traceback; t; t = n->tbs[t].older) {
		if (n->tbs[t].canonical != HL_ID_NONE) {
			id = n->tbs[t].canonical;
			break;
		}
		way = hl_grow(way, &room, nway + 1, sizeof(*way));
		way[nway++] = t;
	}
	while (nway) {
		uint32_t t = way[--nway];

		id = hl_names_traceback(n, id, n->line_frame[n->tbs[t].frame]);
		n->tbs[t].canonical = id;
		n->tbs[id].canonical = id;
	}
	free(way);
	n->tbs[id].truncated |= n->tbs[traceback].truncated;
	return id;
}

int hl_names_compare_tracebacks(const struct hl_names *n, uint32_t a, uint32_t b)
{
	int shorter = (n->tbs[a].depth > n->tbs[b].depth) - (n->tbs[a].depth < n->tbs[b].depth);
	const struct hl_name_frame *f, *g;

	while (n->tbs[a].depth > n->tbs[b].depth)
		a = n->tbs[a].older;
	while (n->tbs[b].depth > n->tbs[a].depth)
		b = n->tbs[b].older;
	if (a == b)
		return shorter;
	/* the oldest frames that differ decide: those just below the common part */
	while (n->tbs[a].older != n->tbs[b].older) {
		a = n->tbs[a].older;
		b = n->tbs[b].older;
	}
	f = &n->frames[n->tbs[a].frame];
	g = &n->frames[n->tbs[b].frame];
	if (f->file != g->file)
		return hl_names_compare(n, f->file, g->file);
	return (f->line > g->line) - (f->line < g->line);
}
