/*
 * suppress_match.c - a traceback against all entries.  Floor: analysis.
 *
 * The frames are noted with the patterns that match their strings; an entry is looked at closer only when its
 * first pattern is among them.
 */
#include "analyzer/analysis/suppress_impl.h"
#include "analyzer/analysis/suppress_mangled.h"
#include "analyzer/base/buf.h"
#include <string.h>

/* Strings that are no strings of names: the unknown one, and an allocation function's. */
#define UNKNOWN  UINT32_MAX
#define OF_ENTRY (1ull << 40)

static int matches(const struct hl_supp_pattern *p, const char *s, const struct hl_supp_pairs *pairs)
{
	for (size_t i = 0; i < p->nglobs; i++)
		if (hl_supp_glob_match(&p->glob[i], s, pairs))
			return 1;
	return 0;
}

static void add_hit(struct hl_supp_impl *impl, uint32_t pattern, size_t first)
{
	if (impl->nhits > first && impl->hits[impl->nhits - 1] == pattern)
		return;
	impl->hits = hl_grow(impl->hits, &impl->hits_room, impl->nhits + 1, sizeof(*impl->hits));
	impl->hits[impl->nhits++] = pattern;
}

/* Compare all patterns of that role with some strings; the result is kept under key. */
static struct hl_supp_hits ask(struct hl_supp_impl *impl, uint64_t key, enum hl_supp_role role,
			       const char *const *strings, size_t n, int unknown)
{
	struct hl_supp_pairs pairs[8];
	size_t first = impl->nhits;
	uint32_t id = (uint32_t)impl->nresults;

	for (size_t i = 0; i < n; i++)
		hl_supp_pairs_of(&pairs[i], strings[i]);
	for (uint32_t p = 0; p < impl->npatterns; p++) {
		const struct hl_supp_pattern *pattern = &impl->patterns[p];

		/* LeakSanitizer compares nothing with what it does not know */
		if (pattern->role != role && (pattern->role != HL_SUPP_ANY || unknown))
			continue;
		for (size_t i = 0; i < n; i++)
			if (*strings[i] && matches(pattern, strings[i], &pairs[i]))
				add_hit(impl, p, first);
	}
	impl->results =
		hl_grow(impl->results, &impl->results_room, impl->nresults + 1, sizeof(*impl->results));
	impl->results[impl->nresults++] =
		(struct hl_supp_hits){(uint32_t)first, (uint32_t)(impl->nhits - first)};
	hl_idmap_add(&impl->known, key, id);
	return impl->results[id];
}

/* A name that is empty is none. */
static uint32_t known_string(const struct hl_supp_impl *impl, uint32_t string, int known)
{
	return known && *hl_names_string(impl->names, string) ? string : UNKNOWN;
}

static struct hl_supp_hits hits_of(struct hl_supp_impl *impl, uint32_t string, enum hl_supp_role role)
{
	uint64_t key = (uint64_t)string << 2 | role;
	uint32_t id = hl_idmap_find(&impl->known, key);
	const char *s[2], *slash;
	size_t n = 1;

	if (id != HL_ID_NONE)
		return impl->results[id];
	s[0] = string == UNKNOWN ? "???" : hl_names_string(impl->names, string);
	slash = strrchr(s[0], '/');
	if (role == HL_SUPP_SRC && slash)
		s[n++] = slash + 1;
	if (role == HL_SUPP_FUN && string != UNKNOWN) {
		s[n] = hl_supp_without_type(s[0]);
		n += s[n] != s[0];
	}
	return ask(impl, key, role, s, n, string == UNKNOWN);
}

static void see(struct hl_supp_impl *impl, struct hl_supp_hits h)
{
	for (uint32_t i = 0; i < h.n; i++)
		impl->seen[impl->hits[h.first + i]] = impl->now;
}

/* valgrind's own frame of the allocation function. */
static void note_entry(struct hl_supp_impl *impl, unsigned entry)
{
	static const char *const file[] = {"vg_replace_malloc.c"};
	static const char *const module[] = {
		"/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so",
		"/usr/lib/valgrind/vgpreload_memcheck-amd64-linux.so",
		"/usr/lib/x86_64-linux-gnu/valgrind/vgpreload_memcheck-amd64-linux.so",
		"/usr/lib64/valgrind/vgpreload_memcheck-amd64-linux.so"};
	struct hl_supp_frame *f = &impl->frames[0];
	const char *const *names = hl_supp_entry_names(entry);
	size_t n = 0;

	while (names[n])
		n++;
	*f = (struct hl_supp_frame){.any_line = 1};
	for (int role = 0; role < 3; role++) {
		uint64_t key = OF_ENTRY | (uint64_t)entry << 2 | (unsigned)role;
		uint32_t id = hl_idmap_find(&impl->known, key);

		if (id != HL_ID_NONE)
			f->hits[role] = impl->results[id];
		else if (role == HL_SUPP_FUN)
			f->hits[role] = ask(impl, key, HL_SUPP_FUN, names, n, 0);
		else if (role == HL_SUPP_SRC)
			f->hits[role] = ask(impl, key, HL_SUPP_SRC, file, 1, 1);
		else
			f->hits[role] =
				ask(impl, key, HL_SUPP_OBJ, module, sizeof(module) / sizeof(module[0]), 1);
		see(impl, f->hits[role]);
	}
}

static void note_frame(struct hl_supp_impl *impl, const struct hl_name_frame *f, struct hl_supp_frame *out)
{
	int known = f->kind == HL_NAME_LINE || f->kind == HL_NAME_FUNCTION;

	*out = (struct hl_supp_frame){.line = f->line};
	out->hits[HL_SUPP_FUN] = hits_of(impl, known_string(impl, f->function, known), HL_SUPP_FUN);
	if (f->kind == HL_NAME_LINE)
		out->hits[HL_SUPP_SRC] = hits_of(impl, f->file, HL_SUPP_SRC);
	out->hits[HL_SUPP_OBJ] =
		hits_of(impl, known_string(impl, f->module, f->kind != HL_NAME_UNKNOWN), HL_SUPP_OBJ);
	for (int role = 0; role < 3; role++)
		see(impl, out->hits[role]);
}

/* Frame 0 is the allocation function.  How many there are. */
static size_t note_frames(struct hl_supp_impl *impl, unsigned entry, uint32_t traceback)
{
	size_t n = hl_names_depth(impl->names, traceback) + 1, i = 1;

	impl->now++;
	if (impl->seen_room < impl->npatterns) {
		size_t had = impl->seen_room;

		impl->seen = hl_grow(impl->seen, &impl->seen_room, impl->npatterns, sizeof(*impl->seen));
		memset(impl->seen + had, 0, (impl->seen_room - had) * sizeof(*impl->seen));
	}
	impl->frames = hl_grow(impl->frames, &impl->frames_room, n, sizeof(*impl->frames));
	note_entry(impl, entry);
	for (uint32_t t = traceback; t; t = hl_names_older(impl->names, t))
		note_frame(impl, hl_names_frame_at(impl->names, hl_names_newest(impl->names, t)),
			   &impl->frames[i++]);
	return n;
}

static int line_matches(const struct hl_supp_impl *impl, const struct hl_supp_line *l,
			const struct hl_supp_frame *f)
{
	enum hl_supp_role role = impl->patterns[l->pattern].role;
	const uint32_t *hit = impl->hits + f->hits[role].first;

	if (l->line && l->line != f->line && !f->any_line)
		return 0;
	for (uint32_t i = 0; i < f->hits[role].n; i++)
		if (hit[i] == l->pattern)
			return 1;
	return 0;
}

/* A prefix of frames [i, n)?  Only the last `...` may have to give more. */
static int block_matches(const struct hl_supp_impl *impl, const struct hl_supp *e, size_t i, size_t n)
{
	const struct hl_supp_line *l = impl->lines + e->first, *end = l + e->n, *dots = NULL;
	size_t back = 0;

	for (;;) {
		if (l == end)
			return 1;
		if (l->pattern == HL_ID_NONE) {
			dots = ++l;
			back = i;
			continue;
		}
		if (i == n)
			return 0;
		if (line_matches(impl, l, &impl->frames[i])) {
			l++;
			i++;
			continue;
		}
		if (!dots)
			return 0;
		l = dots;
		i = ++back;
	}
}

/* A pattern that some frame must match for the entry to. */
static uint32_t needed(const struct hl_supp_impl *impl, const struct hl_supp *e)
{
	const struct hl_supp_line *l = impl->lines + e->first;

	while (l->pattern == HL_ID_NONE)
		l++;
	return l->pattern;
}

uint32_t hl_suppressions_match(struct hl_suppressions *s, enum hl_leak_kind kind, unsigned entry,
			       uint32_t traceback, const struct hl_names *names)
{
	struct hl_supp_impl *impl = s->impl;
	size_t n;

	if (!s->n)
		return HL_ID_NONE;
	if (impl->names != names) {
		hl_supp_forget(impl);
		impl->names = names;
	}
	n = note_frames(impl, entry, traceback);
	for (size_t i = 0; i < s->n; i++) {
		const struct hl_supp *e = &s->entry[i];

		if (impl->seen[needed(impl, e)] != impl->now || !(e->kinds >> kind & 1))
			continue;
		if (!e->valgrind || block_matches(impl, e, 0, n) || block_matches(impl, e, 1, n))
			return (uint32_t)i;
	}
	return HL_ID_NONE;
}
