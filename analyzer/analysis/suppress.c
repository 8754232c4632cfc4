/*
 * suppress.c - patterns, each once, and what is known of an allocation function.  Floor: analysis.
 */
#include "analyzer/analysis/suppress_impl.h"
#include "analyzer/analysis/suppress_mangled.h"
#include "analyzer/base/buf.h"
#include "heapledger/format.h"
#include <stdlib.h>
#include <string.h>

const char *const *hl_supp_entry_names(unsigned entry)
{
	static const char *const none[] = {NULL};
	static const char *const names[][8] = {
		[HL_ENTRY_MALLOC] = {"malloc"},
		[HL_ENTRY_CALLOC] = {"calloc"},
		[HL_ENTRY_REALLOC] = {"realloc", "reallocarray"},
		[HL_ENTRY_ALIGNED] = {"memalign", "posix_memalign", "aligned_alloc", "valloc", "pvalloc"},
		[HL_ENTRY_NEW] = {"_Znwm", "_ZnwmRKSt9nothrow_t", "_ZnwmSt11align_val_t",
				  "_ZnwmSt11align_val_tRKSt9nothrow_t", "_Znwj",
				  "operator new(unsigned long)"},
		[HL_ENTRY_NEW_ARRAY] = {"_Znam", "_ZnamRKSt9nothrow_t", "_ZnamSt11align_val_t",
					"_ZnamSt11align_val_tRKSt9nothrow_t", "_Znaj",
					"operator new[](unsigned long)"},
		[HL_ENTRY_MMAP] = {"mmap", "mmap64"},
	};

	return entry < sizeof(names) / sizeof(names[0]) ? names[entry] : none;
}

typedef void make_glob(struct hl_supp_glob *g, const char *text);

static void add_glob(struct hl_supp_pattern *p, make_glob *make, const char *text)
{
	p->glob = hl_grow(p->glob, &p->room, p->nglobs + 1, sizeof(*p->glob));
	make(&p->glob[p->nglobs++], text);
}

/* Other ways to write the same function. */
static void add_spellings(struct hl_supp_pattern *p)
{
	static const char *const below_main[] = {"_start", "__libc_start_main*", "__libc_start_call_main"};
	const char *version = strchr(p->text, '@');
	int literal;
	char *name = hl_supp_demangled(p->text, &literal);

	if (name)
		add_glob(p, literal ? hl_supp_glob_literal : hl_supp_glob_words, name);
	free(name);
	if (version && version > p->text) {
		name = hl_xstrdup(p->text);
		name[version - p->text] = '\0';
		add_glob(p, hl_supp_glob_valgrind, name);
		free(name);
	}
	if (!strcmp(p->text, "(below main)"))
		for (size_t i = 0; i < sizeof(below_main) / sizeof(below_main[0]); i++)
			add_glob(p, hl_supp_glob_valgrind, below_main[i]);
}

uint32_t hl_supp_pattern(struct hl_supp_impl *impl, enum hl_supp_role role, const char *text)
{
	uint64_t hash = hl_hash_bytes(text, strlen(text)) + (uint64_t)role;
	struct hl_supp_pattern *p;
	uint32_t id;

	for (size_t pos = 0; (id = hl_idset_next(&impl->by_text, hash, &pos)) != HL_ID_NONE;)
		if (impl->patterns[id].role == role && !strcmp(impl->patterns[id].text, text))
			return id;
	id = (uint32_t)impl->npatterns;
	impl->patterns =
		hl_grow(impl->patterns, &impl->patterns_room, impl->npatterns + 1, sizeof(*impl->patterns));
	p = &impl->patterns[impl->npatterns++];
	*p = (struct hl_supp_pattern){.role = role, .text = hl_xstrdup(text)};
	add_glob(p, role == HL_SUPP_ANY ? hl_supp_glob_lsan : hl_supp_glob_valgrind, text);
	if (role == HL_SUPP_FUN)
		add_spellings(p);
	hl_idset_add(&impl->by_text, hash, id);
	return id;
}

void hl_supp_forget(struct hl_supp_impl *impl)
{
	hl_idmap_release(&impl->known);
	impl->known = (struct hl_idmap){0};
	impl->nresults = impl->nhits = 0;
}

void hl_suppressions_release(struct hl_suppressions *s)
{
	struct hl_supp_impl *impl = s->impl;

	for (size_t i = 0; i < s->n; i++)
		free(s->entry[i].text);
	free(s->entry);
	if (impl) {
		for (size_t i = 0; i < impl->nfiles; i++)
			free(impl->files[i]);
		for (size_t i = 0; i < impl->npatterns; i++) {
			for (size_t g = 0; g < impl->patterns[i].nglobs; g++)
				hl_supp_glob_release(&impl->patterns[i].glob[g]);
			free(impl->patterns[i].glob);
			free(impl->patterns[i].text);
		}
		hl_idset_release(&impl->by_text);
		hl_idmap_release(&impl->known);
		free(impl->files);
		free(impl->patterns);
		free(impl->lines);
		free(impl->results);
		free(impl->hits);
		free(impl->seen);
		free(impl->frames);
		free(impl);
	}
	*s = (struct hl_suppressions){0};
}

void hl_suppressions_count(struct hl_suppressions *s, uint32_t index, uint64_t bytes, uint64_t blocks)
{
	s->entry[index].bytes += bytes;
	s->entry[index].blocks += blocks;
}

int hl_suppressions_over(const struct hl_suppressions *s, uint32_t index)
{
	const struct hl_supp *e = &s->entry[index];

	return e->bytes > e->max_bytes || e->blocks > e->max_blocks;
}
