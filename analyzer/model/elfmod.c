/*
 * elfmod.c - the files of one module, and frames out of DWARF, symbols or nothing.
 *
 * A file is used only when it is the build that was mapped; if it is not, a debug file with the recorded
 * build-id still is.  Descriptors are given back once the files are read.
 * Floor: model.
 */
#include "analyzer/model/elfmod.h"
#include "analyzer/base/diag.h"
#include "analyzer/model/sym_mini.h"
#include "analyzer/model/sym_symtab.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hl_elfmod_files {
	struct hl_elf main, debug;
	struct hl_sym_mini *mini;
	struct hl_dwarf *dwarf;
	struct hl_symtab symtab, variables;
};

struct hl_elfmod *hl_elfmod_new(const struct hl_dwarf_options *o, const char *path, const uint8_t *build_id,
				uint32_t build_id_bytes)
{
	static const char gone[] = " (deleted)";
	struct hl_elfmod *m = hl_xcalloc(1, sizeof(*m));
	const char *slash = strrchr(path, '/');
	const char *base = slash && slash[1] ? slash + 1 : path;
	size_t n = strlen(base);

	if (n >= sizeof(gone) && !strcmp(base + n - (sizeof(gone) - 1), gone))
		n -= sizeof(gone) - 1;
	m->options = o;
	m->path = hl_intern_string(o->intern, path);
	m->module = hl_intern_bytes(o->intern, base, n);
	m->build_id_bytes = build_id_bytes < HL_BUILD_ID_MAX ? build_id_bytes : HL_BUILD_ID_MAX;
	memcpy(m->build_id, build_id, m->build_id_bytes);
	hl_map_init(&m->cache);
	hl_sym_names_init(&m->names, o->intern, m->module);
	return m;
}

void hl_elfmod_free(struct hl_elfmod *m)
{
	struct hl_elfmod_files *f;

	if (!m)
		return;
	f = m->files;
	if (f) {
		hl_dwarf_close(f->dwarf);
		hl_symtab_release(&f->symtab);
		hl_symtab_release(&f->variables);
		hl_sym_mini_close(f->mini);
		hl_elf_close(&f->debug);
		hl_elf_close(&f->main);
		free(f);
	}
	hl_sym_names_release(&m->names);
	hl_map_release(&m->cache);
	free(m);
}

static enum hl_elfmod_state open_main(struct hl_elfmod *m, struct hl_elf *f)
{
	if (m->path[0] != '/')
		return HL_ELFMOD_NO_FILE;
	if (hl_find_module(m->options->places, m->path, f) < 0)
		return HL_ELFMOD_MISSING;
	if (hl_elf_same_build(f, m->build_id, m->build_id_bytes))
		return HL_ELFMOD_PRESENT;
	hl_elf_close(f);
	return HL_ELFMOD_CHANGED;
}

/* Symbols, from the best table there is.  A .gnu_debugdata has only what .dynsym has not. */
static void read_symbols(struct hl_elfmod_files *f, struct hl_symtab *t)
{
	if ((f->main.elf && hl_symtab_add(t, f->main.elf, SHT_SYMTAB) == 0) ||
	    (f->debug.elf && hl_symtab_add(t, f->debug.elf, SHT_SYMTAB) == 0))
		goto out;
	if (!f->main.elf)
		goto out;
	if (!f->mini)
		f->mini = hl_sym_mini_open(&f->main);
	if (f->mini)
		hl_symtab_add(t, hl_sym_mini_elf(f->mini), SHT_SYMTAB);
	hl_symtab_add(t, f->main.elf, SHT_DYNSYM);
out:
	hl_symtab_finish(t);
}

static void open_files(struct hl_elfmod *m)
{
	struct hl_elfmod_files *f = hl_xcalloc(1, sizeof(*f));

	f->debug.fd = -1;
	m->files = f;
	m->state = open_main(m, &f->main);
	if (f->main.elf)
		f->dwarf = hl_dwarf_open(&f->main, m->options, &m->names);
	if (!f->dwarf && m->state != HL_ELFMOD_NO_FILE &&
	    hl_find_debug(m->options->places, m->build_id, m->build_id_bytes, &f->main, m->path, &f->debug) ==
		    0)
		f->dwarf = hl_dwarf_open(&f->debug, m->options, &m->names);
	read_symbols(f, &f->symtab);
	if (m->options->variables) {
		f->variables.variables = 1;
		read_symbols(f, &f->variables);
	}
	hl_elf_detach(&f->main);
	hl_elf_detach(&f->debug);
}

static const char *text(struct hl_elfmod *m, const char *fmt, const char *module, const char *rest)
{
	size_t n = strlen(module) + strlen(rest) + strlen(fmt);
	char *s = hl_xmalloc(n + 1);
	const char *kept;

	snprintf(s, n + 1, "%s%s%s", module, fmt, rest);
	kept = hl_intern_string(m->options->intern, s);
	free(s);
	return kept;
}

static const char *offset_name(struct hl_elfmod *m, uint64_t addr)
{
	char hex[24];

	snprintf(hex, sizeof(hex), "%" PRIx64, addr);
	return text(m, "+0x", m->module, hex);
}

/* A frame whose file and function are what DWARF knew (NULL: nothing) becomes printable. */
static void complete(struct hl_elfmod *m, uint64_t addr, struct hl_frame *out)
{
	out->module = m->path;
	out->allocator |= m->names.ours;
	if (out->file) {
		out->kind = HL_FRAME_LINE;
		if (!out->function)
			out->function = offset_name(m, addr);
	} else if (out->function) {
		out->kind = HL_FRAME_FUNCTION;
		out->file = text(m, "!", m->module, out->function);
		out->line = 0;
	} else {
		out->kind = HL_FRAME_OFFSET;
		out->file = out->function = offset_name(m, addr);
		out->line = 0;
	}
}

static void add_symbol(struct hl_elfmod *m, uint64_t addr, struct hl_frame *out)
{
	const struct hl_sym *sym = hl_symtab_find(&m->files->symtab, addr);
	const struct hl_sym_name *name;
	const char *raw;

	if (!sym)
		return;
	raw = sym->name;
	name = hl_sym_names_known(&m->names, raw);
	if (!name)
		name = hl_sym_names_add(&m->names, raw, raw);
	out->function = name->text;
	out->allocator = name->allocator;
}

unsigned hl_elfmod_frames(struct hl_elfmod *m, uint64_t addr, struct hl_frame *out)
{
	struct hl_dwarf_frame found[HL_ELFMOD_FRAMES_MAX];
	unsigned n = 0;

	if (!m->files)
		open_files(m);
	if (m->files->dwarf)
		n = hl_dwarf_frames(m->files->dwarf, addr, found, HL_ELFMOD_FRAMES_MAX);
	memset(out, 0, (n ? n : 1) * sizeof(*out));
	for (unsigned i = 0; i < n; i++) {
		out[i].file = found[i].file;
		out[i].line = found[i].line;
		out[i].function = found[i].function;
		out[i].allocator = found[i].allocator;
		out[i].inlined = i + 1 < n;
	}
	n = n ? n : 1;
	if (!out[n - 1].function)
		add_symbol(m, addr, &out[n - 1]);
	for (unsigned i = 0; i < n; i++)
		complete(m, addr, &out[i]);
	return n;
}

const char *hl_elfmod_variable(struct hl_elfmod *m, uint64_t addr, uint64_t *offset)
{
	const struct hl_sym *sym;
	const char *kept;
	char *name;

	if (!m->files)
		open_files(m);
	sym = hl_symtab_find(&m->files->variables, addr);
	if (!sym)
		return NULL;
	name = hl_demangle(sym->name);
	kept = hl_intern_string(m->options->intern, name);
	free(name);
	*offset = addr - sym->low;
	return kept;
}
