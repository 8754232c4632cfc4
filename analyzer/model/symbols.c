/*
 * symbols.c - nodes to frames, each distinct address once.
 *
 * Modules with the same path and build-id share one elfmod, whatever the generation and the address they
 * were mapped at; within it frames are cached by the address in the file.  A second cache by node id
 * makes the usual question, asked for every frame of every stack, one array access.
 * Floor: model.
 */
#include "analyzer/model/symbols.h"
#include "analyzer/base/buf.h"
#include "analyzer/model/elfmod.h"
#include "analyzer/model/sym_hint.h"
#include "analyzer/model/sym_jit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_PIECE 4096
#define JIT          "[jit]"

struct piece {
	struct piece *next;
	struct hl_frame frames[];
};

struct answer {
	const struct hl_frame *frames;
	uint32_t n;
};

struct hl_symbols {
	const struct hl_facts *facts;
	struct hl_sym_places places;
	struct hl_dwarf_options options;
	int inlines;
	struct hl_intern *intern;
	struct hl_elfmod **mods; /* distinct ones */
	size_t nmods, mods_room;
	struct hl_elfmod **by_module; /* [facts->nmodules], NULL: not asked yet */
	struct answer *answers;       /* [0] is the unknown frame */
	size_t nanswers, answers_room;
	uint32_t *by_node;         /* [facts->nnodes]: index of an answer + 1, 0: not asked yet */
	struct hl_map unknown_pcs; /* seen outside every module: index of an answer + 1 */
	const char *perf_map;
	uid_t owner;
	int jit_asked;
	struct hl_jitmap *jit; /* NULL: none */
	struct piece *pieces;
	size_t room; /* frames left in the first piece */
	struct hl_symbol_stats stats;
};

static const struct hl_frame *keep(struct hl_symbols *s, const struct hl_frame *frames, uint32_t n)
{
	struct hl_frame *at;

	if (n > s->room) {
		struct piece *p = hl_xmalloc(sizeof(*p) + FRAMES_PIECE * sizeof(*frames));

		p->next = s->pieces;
		s->pieces = p;
		s->room = FRAMES_PIECE;
	}
	at = s->pieces->frames + (FRAMES_PIECE - s->room);
	memcpy(at, frames, n * sizeof(*frames));
	s->room -= n;
	return at;
}

static uint32_t add_answer(struct hl_symbols *s, const struct hl_frame *frames, uint32_t n)
{
	s->answers = hl_grow(s->answers, &s->answers_room, s->nanswers + 1, sizeof(*s->answers));
	s->answers[s->nanswers] = (struct answer){keep(s, frames, n), n};
	return (uint32_t)s->nanswers++;
}

struct hl_symbols *hl_symbols_new(const struct hl_facts *facts, const struct hl_symbol_options *o)
{
	struct hl_symbols *s = hl_xcalloc(1, sizeof(*s));
	struct hl_frame unknown = {.kind = HL_FRAME_UNKNOWN};

	/* libraries below us must not ask a server for what is not on this machine */
	unsetenv("DEBUGINFOD_URLS");
	elf_version(EV_CURRENT);
	s->facts = facts;
	s->intern = hl_intern_new();
	s->inlines = o ? o->inlines : 1;
	s->places.debug_dirs = o ? o->debug_dirs : NULL;
	s->places.sysroot = o ? o->sysroot : NULL;
	s->options.places = &s->places;
	s->options.path_maps = o ? o->path_maps : NULL;
	s->perf_map = o ? o->perf_map : NULL;
	s->owner = o ? o->owner : geteuid();
	s->options.intern = s->intern;
	s->options.variables = o && o->variables;
	hl_map_init(&s->unknown_pcs);
	s->by_module = hl_xcalloc(facts->nmodules + 1ul, sizeof(*s->by_module));
	s->by_node = hl_xcalloc(facts->nnodes + 1ul, sizeof(*s->by_node));
	unknown.file = unknown.function = unknown.module = hl_intern_string(s->intern, "<unknown>");
	add_answer(s, &unknown, 1);
	return s;
}

void hl_symbols_free(struct hl_symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nmods; i++)
		hl_elfmod_free(s->mods[i]);
	while (s->pieces) {
		struct piece *p = s->pieces;

		s->pieces = p->next;
		free(p);
	}
	free(s->mods);
	free(s->by_module);
	free(s->answers);
	free(s->by_node);
	hl_map_release(&s->unknown_pcs);
	hl_jitmap_free(s->jit);
	hl_intern_free(s->intern);
	free(s);
}

static struct hl_elfmod *mod_of(struct hl_symbols *s, const struct hl_module *module)
{
	struct hl_elfmod **slot = &s->by_module[module - s->facts->modules];
	const char *path = module->path ? module->path : "";
	uint32_t bytes = module->build_id_bytes;

	if (*slot)
		return *slot;
	path = hl_intern_string(s->intern, path);
	for (size_t i = 0; i < s->nmods && !*slot; i++)
		if (s->mods[i]->path == path && s->mods[i]->build_id_bytes == bytes &&
		    !memcmp(s->mods[i]->build_id, module->build_id, bytes))
			*slot = s->mods[i];
	if (!*slot) {
		*slot = hl_elfmod_new(&s->options, path, module->build_id, bytes);
		s->mods = hl_grow(s->mods, &s->mods_room, s->nmods + 1, sizeof(*s->mods));
		s->mods[s->nmods++] = *slot;
	}
	return *slot;
}

const char *hl_symbols_variable(struct hl_symbols *s, uint32_t module, uint64_t address, uint64_t *offset)
{
	const struct hl_module *of = &s->facts->modules[module];
	struct hl_elfmod *m = mod_of(s, of);
	const char *name = hl_elfmod_variable(m, address - of->bias, offset), *kept;
	char *text;

	if (!name) {
		*offset = address - of->bias;
		return m->module;
	}
	if (asprintf(&text, "%s!%s", m->module, name) < 0)
		return name;
	kept = hl_intern_string(s->intern, text);
	free(text);
	return kept;
}

static void count(struct hl_symbols *s, struct hl_elfmod *m, const struct hl_frame *newest)
{
	s->stats.pcs++;
	if (m)
		m->pcs++;
	switch (newest->kind) {
	case HL_FRAME_LINE:
		s->stats.with_line++;
		return;
	case HL_FRAME_FUNCTION:
		s->stats.with_function++;
		break;
	case HL_FRAME_OFFSET:
		s->stats.with_module++;
		break;
	default:
		s->stats.unknown++;
		break;
	}
	if (m)
		m->without_line++;
}

/* Outside every module: 0, the unknown frame, or one that the program's perf map names. */
static uint32_t made_code(struct hl_symbols *s, uint64_t pc)
{
	struct hl_frame frame = {.kind = HL_FRAME_FUNCTION};
	const char *name;
	char *file;

	if (!s->jit_asked)
		s->jit = hl_jitmap_open(&s->facts->process, s->perf_map, s->places.sysroot, s->owner);
	s->jit_asked = 1;
	name = s->jit ? hl_jitmap_find(s->jit, pc) : NULL;
	if (!name)
		return 0;
	file = hl_xmalloc(strlen(name) + sizeof(JIT "!"));
	strcpy(file, JIT "!");
	strcat(file, name);
	frame.file = hl_intern_string(s->intern, file);
	frame.function = hl_intern_string(s->intern, name);
	frame.module = hl_intern_string(s->intern, JIT);
	free(file);
	return add_answer(s, &frame, 1);
}

static uint32_t resolve(struct hl_symbols *s, const struct hl_node *node)
{
	uint64_t pc = node->pc - !(node->flags & HL_NODE_EXACT);
	const struct hl_module *module = node->known ? hl_facts_module(s->facts, pc, node->epoch) : NULL;
	struct hl_frame frames[HL_ELFMOD_FRAMES_MAX];
	struct hl_elfmod *m;
	uint32_t *known, n;

	if (!module) {
		known = hl_map_slot(&s->unknown_pcs, node->known ? node->pc : 0);
		if (!*known) {
			uint32_t at = node->known ? made_code(s, pc) : 0;

			count(s, NULL, s->answers[at].frames);
			*known = at + 1;
		}
		return *known - 1;
	}
	m = mod_of(s, module);
	pc -= module->bias;
	known = hl_map_slot(&m->cache, pc);
	if (!*known) {
		n = hl_elfmod_frames(m, pc, frames);
		if (!s->inlines) {
			n = 1;
			frames[0].inlined = 0;
		}
		count(s, m, &frames[0]);
		*known = add_answer(s, frames, n);
	}
	return *known;
}

const struct hl_frame *hl_symbols_frames(struct hl_symbols *s, uint32_t node, uint32_t *n)
{
	uint32_t at = 0;

	if (node && node < s->facts->nnodes) {
		at = s->by_node[node];
		if (!at)
			at = s->by_node[node] = resolve(s, &s->facts->nodes[node]) + 1;
		at--;
	}
	*n = s->answers[at].n;
	return s->answers[at].frames;
}

void hl_symbols_stats(const struct hl_symbols *s, struct hl_symbol_stats *out)
{
	*out = s->stats;
	hl_sym_hint(out->hint, sizeof(out->hint), s->mods, s->nmods, s->stats.pcs);
}
