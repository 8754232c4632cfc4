/*
 * unseen.c - where the malloc of a library that was loaded later leads.
 *
 * A slot of its relocations for malloc holds our address, or one inside the library itself (not called yet: its
 * PLT), or, while the library is still being loaded, one in no object; anything else is another malloc than ours.
 */
#include "preload/unseen.h"
#include "preload/facts.h"
#include "preload/object.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#if defined(__x86_64__)
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT, GLOB_DAT = R_X86_64_GLOB_DAT, ABSOLUTE = R_X86_64_64 };
#elif defined(__aarch64__)
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT, GLOB_DAT = R_AARCH64_GLOB_DAT, ABSOLUTE = R_AARCH64_ABS64 };
#endif

#define MODULES_MAX    64 /* told */
#define NAMESPACES_MAX 64

static unsigned long long loads; /* of the loader, until our constructor */
static uint32_t modules;         /* then */

struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * rela, *plt;
	size_t nrela, nplt, nrelative;
};

struct walk {
	struct hl_thread *t;
	uint32_t at, told;
};

static int count(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	modules++;
	loads = info->dlpi_adds;
	return 0;
}

void hl_unseen_start(void)
{
	modules = 0;
	dl_iterate_phdr(count, NULL);
}

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *info, uint64_t *start, uint64_t *end)
{
	const ElfW(Dyn) *dynamic = NULL;

	*start = UINT64_MAX;
	*end = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t low = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_DYNAMIC)
			dynamic = (const void *)(uintptr_t)low;
		if (ph->p_type != PT_LOAD)
			continue;
		*start = low < *start ? low : *start;
		*end = low + ph->p_memsz > *end ? low + ph->p_memsz : *end;
	}
	return dynamic;
}

/* The loader has made addresses of these, but where the section is read-only. */
static const void *address(const ElfW(Dyn) * d, uint64_t bias)
{
	uint64_t v = d->d_un.d_ptr;

	return (const void *)(uintptr_t)(v < bias ? v + bias : v);
}

static void read_dynamic(struct tables *t, const ElfW(Dyn) * d, uint64_t bias)
{
	for (; d->d_tag != DT_NULL; d++)
		switch (d->d_tag) {
		case DT_SYMTAB:
			t->symbols = address(d, bias);
			break;
		case DT_STRTAB:
			t->strings = address(d, bias);
			break;
		case DT_RELA:
			t->rela = address(d, bias);
			break;
		case DT_RELASZ:
			t->nrela = d->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_RELACOUNT:
			t->nrelative = d->d_un.d_val;
			break;
		case DT_JMPREL:
			t->plt = address(d, bias);
			break;
		case DT_PLTRELSZ:
			t->nplt = d->d_un.d_val / sizeof(ElfW(Rela));
			break;
		default:
			break;
		}
}

enum { FOR_NOTHING, FOR_MALLOC, FOR_NEW };

static int purpose(const char *name)
{
	if (hl_streq(name, "malloc") || hl_streq(name, "calloc") || hl_streq(name, "realloc") ||
	    hl_streq(name, "free"))
		return FOR_MALLOC;
	return hl_streq(name, "_Znwm") ? FOR_NEW : FOR_NOTHING;
}

static int is_binding(const ElfW(Rela) * r)
{
	uint32_t type = (uint32_t)ELF64_R_TYPE(r->r_info);

	return type == (uint32_t)JUMP_SLOT || type == (uint32_t)GLOB_DAT || type == (uint32_t)ABSOLUTE;
}

static int is_ours(uint64_t to)
{
	return to >= hl_guest.text_start && to < hl_guest.text_end;
}

/* Does one of these call a malloc that is ours, or will be when it is called first? */
static int imports_ours(const struct tables *t, const ElfW(Rela) * r, size_t n, const struct hl_object *o)
{
	for (; n--; r++) {
		const ElfW(Sym) * s;
		uint64_t to;

		if (!is_binding(r) || (s = &t->symbols[ELF64_R_SYM(r->r_info)])->st_shndx != SHN_UNDEF ||
		    purpose(t->strings + s->st_name) != FOR_MALLOC)
			continue;
		to = *(const uint64_t *)(uintptr_t)(o->bias + r->r_offset);
		if (is_ours(to) || (to >= o->start && to < o->end))
			return 1;
	}
	return 0;
}

/* An operator new of the program's, or of a runtime that was there before: its malloc is ours, and the block is seen. */
static int leads_to_us(uint64_t operator_new)
{
	struct hl_object o;
	struct tables t = {0};

	if (!hl_object_find(operator_new, &o) || !o.dynamic)
		return 0;
	read_dynamic(&t, o.dynamic, o.bias);
	return t.symbols && t.strings &&
	       ((t.plt && imports_ours(&t, t.plt, t.nplt, &o)) ||
		(t.rela && t.nrela > t.nrelative &&
		 imports_ours(&t, t.rela + t.nrelative, t.nrela - t.nrelative, &o)));
}

/* The first function of those that is neither ours nor the library's own; 0: none. */
static uint64_t foreign(const struct tables *t, const ElfW(Rela) * r, size_t n, uint64_t bias, uint64_t start,
			uint64_t end)
{
	for (; n--; r++) {
		uint64_t to;
		int what;

		if (!is_binding(r) ||
		    !(what = purpose(t->strings + t->symbols[ELF64_R_SYM(r->r_info)].st_name)))
			continue;
		to = *(const uint64_t *)(uintptr_t)(bias + r->r_offset);
		if (to && (to < start || to >= end) && !is_ours(to) && !(what == FOR_NEW && leads_to_us(to)))
			return to;
	}
	return 0;
}

/* Does a module take another malloc?  Then it is told, each place once. */
static uint32_t tell_binding(struct hl_thread *to_thread, const ElfW(Dyn) * d, uint64_t bias, uint64_t start,
			     uint64_t end, const char *name)
{
	static _Atomic uint64_t told[MODULES_MAX];
	struct tables t = {0};
	struct hl_object from;
	uint64_t to, none = 0;
	unsigned i = 0;

	read_dynamic(&t, d, bias);
	if (!t.symbols || !t.strings)
		return 0;
	to = t.plt ? foreign(&t, t.plt, t.nplt, bias, start, end) : 0;
	if (!to && t.rela && t.nrela > t.nrelative)
		to = foreign(&t, t.rela + t.nrelative, t.nrela - t.nrelative, bias, start, end);
	if (!to || !hl_object_find(to, &from))
		return 0;
	for (; i < MODULES_MAX; i++, none = 0)
		if (atomic_compare_exchange_strong_explicit(&told[i], &none, start, memory_order_relaxed,
							    memory_order_relaxed) ||
		    none == start)
			break;
	if (i == MODULES_MAX || none == start)
		return 0;
	/* "" is the program's name for the loader */
	hl_facts_unseen(to_thread, HL_UNSEEN_BINDING, name, *from.name ? from.name : hl_guest.exe);
	return 1;
}

static int visit(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct walk *w = ctx;
	uint64_t start, end;
	const ElfW(Dyn) * d;

	(void)size;
	if (info->dlpi_adds == loads || w->told == MODULES_MAX)
		return 1;
	if (w->at++ < modules || !(d = dynamic_of(info, &start, &end)))
		return 0;
	w->told += tell_binding(w->t, d, info->dlpi_addr, start, end, info->dlpi_name);
	return 0;
}

/* What the loader tells debuggers. */
static const struct r_debug *debug_of(void)
{
	struct hl_object program;

	/* of ld.so when that was executed: it has no such entry */
	if (!hl_object_find(getauxval(AT_ENTRY), &program))
		return NULL;
	for (const ElfW(Dyn) *d = program.dynamic; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_DEBUG)
			return (const struct r_debug *)(uintptr_t)d->d_un.d_ptr;
	return NULL;
}

static void tell_namespaces(struct walk *w)
{
	const struct r_debug *debug = debug_of();
	const struct r_debug_extended *more = (const void *)debug;
	unsigned n = 0;

	if (!debug || debug->r_version < 2)
		return;
	while ((more = more->r_next) && n++ < NAMESPACES_MAX)
		for (const struct link_map *m = more->base.r_map; m && w->told < MODULES_MAX; m = m->l_next)
			if (m->l_name && *m->l_name) {
				/* the first is what was asked for; what it needs came with it */
				hl_facts_unseen(w->t, HL_UNSEEN_NAMESPACE, m->l_name, "");
				w->told++;
				break;
			}
}

void hl_unseen_tell(struct hl_thread *t)
{
	struct walk w = {.t = t};

	/* another thread of the parent may have had the list's lock when it forked: nobody gives it back */
	if (hl_guest.parent_image)
		return;
	dl_iterate_phdr(visit, &w);
	tell_namespaces(&w);
}

void hl_unseen_closes(struct hl_thread *t, const void *handle)
{
	const struct link_map *m = handle;
	struct hl_object o;

	/* what is no handle is dlclose's to say; of glibc's a handle is the link_map */
	if (!hl_sys_readable((uintptr_t)m) || !hl_sys_readable((uintptr_t)(m + 1)) ||
	    !hl_sys_readable((uintptr_t)m->l_ld) || !hl_object_find((uintptr_t)m->l_ld, &o) ||
	    o.dynamic != m->l_ld || !o.name || !*o.name)
		return;
	tell_binding(t, m->l_ld, o.bias, o.start, o.end, o.name);
}
