/*
 * sym_symtab.c - symbols to ranges that can be searched.
 *
 * Of several symbols at one address one is kept, the one a reader expects: with a size, global, with
 * the fewest leading underscores (malloc, not __libc_malloc), then by name, so that reports repeat.
 * Floor: model.
 */
#include "analyzer/model/sym_symtab.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>
#include <string.h>

enum { UNSIZED = 8 }; /* rank: added to those without a size */

static unsigned rank_of(const GElf_Sym *sym)
{
	static const uint8_t binding[] = {[STB_LOCAL] = 2, [STB_GLOBAL] = 0, [STB_WEAK] = 1};
	unsigned bind = GELF_ST_BIND(sym->st_info);
	unsigned rank = bind < sizeof(binding) ? binding[bind] : 0;

	if (GELF_ST_TYPE(sym->st_info) == STT_NOTYPE)
		rank += 4;
	return rank + (sym->st_size ? 0 : UNSIZED);
}

/* Is it code that a reader would call by this name? */
static int is_function(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	if (!name || !*name || sym->st_shndx == SHN_UNDEF || sym->st_value == 0)
		return 0;
	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return 0;
	/* mapping symbols say what kind of bytes follow; .L labels are the assembler's */
	return name[0] != '$' && strncmp(name, ".L", 2);
}

/* Thread-local ones have no address. */
static int is_variable(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return name && *name && sym->st_shndx != SHN_UNDEF && (type == STT_OBJECT || type == STT_COMMON);
}

static void add(struct hl_symtab *t, const GElf_Sym *sym, const char *name, const GElf_Shdr *in)
{
	uint64_t low = sym->st_value, end = in->sh_addr + in->sh_size;

	if (low < in->sh_addr || low >= end)
		return;
	t->syms = hl_grow(t->syms, &t->room, t->nsyms + 1, sizeof(*t->syms));
	t->syms[t->nsyms++] = (struct hl_sym){
		.low = low,
		.high = sym->st_size && sym->st_size <= end - low ? low + sym->st_size : end,
		.name = name,
		.rank = (uint8_t)rank_of(sym),
	};
}

int hl_symtab_add(struct hl_symtab *t, Elf *elf, uint32_t type)
{
	size_t before = t->nsyms;
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(elf, &ehdr))
		return -1;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr shdr, in = {0};
		Elf_Data *data;
		size_t n, section = SHN_UNDEF;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != type || !shdr.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		n = data ? data->d_size / shdr.sh_entsize : 0;
		for (size_t i = 1; i < n; i++) {
			GElf_Sym sym;
			const char *name;

			if (!gelf_getsym(data, (int)i, &sym))
				break;
			if (sym.st_shndx >= SHN_LORESERVE || GELF_ST_TYPE(sym.st_info) == STT_SECTION)
				continue;
			if (sym.st_shndx != section) {
				Elf_Scn *s = elf_getscn(elf, sym.st_shndx);

				section = sym.st_shndx;
				if (!s || !gelf_getshdr(s, &in))
					in = (GElf_Shdr){0};
			}
			if (!(in.sh_flags & (t->variables ? SHF_WRITE : SHF_EXECINSTR)))
				continue;
			if (ehdr.e_machine == EM_ARM)
				sym.st_value &= ~(uint64_t)1; /* Thumb */
			name = elf_strptr(elf, shdr.sh_link, sym.st_name);
			if (t->variables ? is_variable(&sym, name) : is_function(&sym, name))
				add(t, &sym, name, &in);
		}
	}
	return t->nsyms > before ? 0 : -1;
}

static int by_address(const void *x, const void *y)
{
	const struct hl_sym *a = x, *b = y;
	size_t ua, ub;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	ua = strspn(a->name, "_");
	ub = strspn(b->name, "_");
	if (ua != ub)
		return ua < ub ? -1 : 1;
	return strcmp(a->name, b->name);
}

void hl_symtab_finish(struct hl_symtab *t)
{
	uint64_t sized_end = 0;
	size_t kept = 0;

	if (t->nsyms)
		qsort(t->syms, t->nsyms, sizeof(*t->syms), by_address);
	for (size_t i = 0; i < t->nsyms; i++)
		if (!kept || t->syms[i].low != t->syms[kept - 1].low)
			t->syms[kept++] = t->syms[i];
	t->nsyms = kept;
	for (size_t i = 0; i < kept; i++) {
		struct hl_sym *s = &t->syms[i];

		if (s->rank >= UNSIZED) {
			/* a label within a function is not a function */
			if (s->low < sized_end)
				continue;
			if (i + 1 < kept && t->syms[i + 1].low < s->high)
				s->high = t->syms[i + 1].low;
		} else if (s->high > sized_end) {
			sized_end = s->high;
		}
		hl_spans_add(&t->spans, s->low, s->high, i);
	}
	hl_spans_sort(&t->spans);
}

const struct hl_sym *hl_symtab_find(const struct hl_symtab *t, uint64_t addr)
{
	const struct hl_span *at = hl_spans_find(&t->spans, addr);

	return at ? &t->syms[at->value] : NULL;
}

void hl_symtab_release(struct hl_symtab *t)
{
	free(t->syms);
	hl_spans_release(&t->spans);
	*t = (struct hl_symtab){0};
}
