/*
 * elfinfo.c - reading executables.  Floor: collect.
 */
#include "analyzer/collect/elfinfo.h"
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* not UBSan's: it has no allocator */
static const char *const sanitizer_libs[] = {"libasan.", "libtsan.", "liblsan.", "libhwasan.", "libmsan."};
static const char *const sanitizer_symbols[] = {"__asan_init", "__tsan_init", "__msan_init", "__hwasan_init",
						"__lsan_init"};
/* Symbols that only the allocator itself has, before the plain malloc of an unknown one. */
static const struct {
	const char *symbol, *name;
} allocators[] = {
	{"mallctl", "jemalloc"},         {"je_mallctl", "jemalloc"},
	{"_rjem_mallctl", "jemalloc"},   {"moz_arena_malloc", "mozjemalloc"},
	{"tc_malloc", "tcmalloc"},       {"MallocExtension_Internal_GetNumericProperty", "tcmalloc"},
	{"mi_malloc", "mimalloc"},       {"rpmalloc", "rpmalloc"},
	{"scalable_malloc", "tbbmalloc"}};
/* What they print, which is left when the program is stripped. */
static const struct {
	const char *text, *name;
} messages[] = {{"<jemalloc>: ", "jemalloc"}, {"mimalloc: ", "mimalloc"}, {"tcmalloc: ", "tcmalloc"}};
static const struct {
	const char *symbol;
	int import;
} imports[] = {
	{"dlopen", HL_IMPORTS_DLOPEN}, {"dlmopen", HL_IMPORTS_DLMOPEN}, {"seccomp_load", HL_IMPORTS_SECCOMP}};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

int hl_elfinfo_own_class(void)
{
	return sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
}

unsigned hl_elfinfo_own_machine(void)
{
	Elf32_Half machine = EM_NONE;
	FILE *f = fopen("/proc/self/exe", "re");

	/* e_machine is at the same place in both classes */
	if (f) {
		if (fseek(f, (long)offsetof(Elf64_Ehdr, e_machine), SEEK_SET) < 0 ||
		    fread(&machine, sizeof(machine), 1, f) != 1)
			machine = EM_NONE;
		fclose(f);
	}
	return machine;
}

static void read_interp(struct hl_elfinfo *e, Elf *elf, int fd)
{
	size_t n;

	if (elf_getphdrnum(elf, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;
		size_t want;
		ssize_t got;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_INTERP)
			continue;
		want = ph.p_filesz < sizeof(e->interp) ? (size_t)ph.p_filesz : sizeof(e->interp) - 1;
		got = pread(fd, e->interp, want, (off_t)ph.p_offset);
		e->interp[got > 0 ? got : 0] = 0;
		return;
	}
}

int hl_elfinfo_is_sanitizer(const char *name)
{
	for (size_t i = 0; i < COUNT(sanitizer_libs); i++)
		if (!strncmp(name, sanitizer_libs[i], strlen(sanitizer_libs[i])))
			return 1;
	/* libclang_rt.asan-x86_64.so and its kin; .builtins is no sanitizer */
	return !strncmp(name, "libclang_rt.", 12) && strstr(name + 12, "san") && !strstr(name + 12, "ubsan");
}

static void read_dynamic(struct hl_elfinfo *e, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	GElf_Dyn dyn;

	for (size_t i = 0; i < n && gelf_getdyn(data, (int)i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		const char *name =
			dyn.d_tag == DT_NEEDED ? elf_strptr(elf, sh->sh_link, dyn.d_un.d_val) : NULL;

		if (name && hl_elfinfo_is_sanitizer(name))
			snprintf(e->sanitizer, sizeof(e->sanitizer), "%s", name);
	}
}

/* What a pass over the symbols found, before it is put together. */
struct symbols {
	int has_new, has_throw;
};

static void see_import(struct hl_elfinfo *e, const char *name)
{
	for (size_t i = 0; i < COUNT(imports); i++)
		if (!strcmp(name, imports[i].symbol))
			e->imports |= imports[i].import;
}

static void see_symbol(struct hl_elfinfo *e, struct symbols *s, const char *name, int exported)
{
	/* nearly all names end here */
	if (name[0] == '_' && name[1] == '_') {
		for (size_t i = 0; i < COUNT(sanitizer_symbols); i++)
			if (!strcmp(name, sanitizer_symbols[i]))
				snprintf(e->sanitizer, sizeof(e->sanitizer), "%s", name);
		s->has_throw |= !strcmp(name, "__cxa_throw");
		return;
	}
	if (!strchr("mjtrs_M", name[0]))
		return;
	for (size_t i = 0; i < COUNT(allocators); i++)
		if (!strcmp(name, allocators[i].symbol))
			snprintf(e->allocator, sizeof(e->allocator), "%s", allocators[i].name);
	e->exports_malloc |= exported && !strcmp(name, "malloc");
	s->has_new |= !strcmp(name, "_Znwm") || !strcmp(name, "_Znwj");
}

static void read_symbols(struct hl_elfinfo *e, struct symbols *s, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	int exported = sh->sh_type == SHT_DYNSYM;
	GElf_Sym sym;

	for (size_t i = 0; i < n && i < INT_MAX && gelf_getsym(data, (int)i, &sym); i++) {
		const char *name = elf_strptr(elf, sh->sh_link, sym.st_name);

		if (name && sym.st_shndx != SHN_UNDEF)
			see_symbol(e, s, name, exported);
		else if (name && exported)
			see_import(e, name);
	}
}

static void read_messages(struct hl_elfinfo *e, Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);

	for (size_t i = 0; data && data->d_buf && i < COUNT(messages); i++)
		if (memmem(data->d_buf, data->d_size, messages[i].text, strlen(messages[i].text)))
			snprintf(e->allocator, sizeof(e->allocator), "%s", messages[i].name);
}

static void read_notes(struct hl_elfinfo *e, Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t at = 0, name, desc;
	GElf_Nhdr nh;

	while (data && (at = gelf_getnote(data, at, &nh, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (nh.n_type != NT_GNU_BUILD_ID || nh.n_namesz != 4 || memcmp(bytes + name, "GNU", 4) ||
		    nh.n_descsz == 0 || nh.n_descsz > sizeof(e->build_id))
			continue;
		memcpy(e->build_id, bytes + desc, nh.n_descsz);
		e->build_id_bytes = nh.n_descsz;
	}
}

static void read_debuglink(struct hl_elfinfo *e, Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);

	if (data && data->d_size && memchr(data->d_buf, 0, data->d_size))
		snprintf(e->debuglink, sizeof(e->debuglink), "%s", (const char *)data->d_buf);
}

static void read_sections(struct hl_elfinfo *e, Elf *elf, int library)
{
	Elf_Scn *scn = NULL, *constants = NULL;
	struct symbols s = {0, 0};
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (sh.sh_type == SHT_DYNAMIC)
			read_dynamic(e, elf, scn, &sh);
		else if (sh.sh_type == SHT_DYNSYM || (sh.sh_type == SHT_SYMTAB && !library))
			read_symbols(e, &s, elf, scn, &sh);
		else if (sh.sh_type == SHT_NOTE)
			read_notes(e, scn);
		else if (name && !strcmp(name, ".gnu_debuglink"))
			read_debuglink(e, scn);
		else if (name && (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")) &&
			 sh.sh_type != SHT_NOBITS)
			e->debug_info = 1;
		else if (name && !strcmp(name, ".rodata") && sh.sh_type == SHT_PROGBITS)
			constants = scn;
	}
	if (e->exports_malloc && !e->allocator[0]) {
		if (constants)
			read_messages(e, constants);
		if (!e->allocator[0])
			snprintf(e->allocator, sizeof(e->allocator), "malloc");
	}
	e->own_new = s.has_new && !s.has_throw;
}

int hl_elfinfo_read(struct hl_elfinfo *e, int fd, int library, struct hl_diag *d)
{
	GElf_Ehdr eh;
	Elf *elf;
	int err = HL_OK;

	memset(e, 0, sizeof(*e));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return hl_fail(d, HL_ERR_FORMAT, "cannot be read: %s", elf_errmsg(-1));
	if (elf_kind(elf) != ELF_K_ELF)
		goto out;
	e->is_elf = 1;
	if (!gelf_getehdr(elf, &eh)) {
		err = hl_fail(d, HL_ERR_FORMAT, "damaged ELF file: %s", elf_errmsg(-1));
		goto out;
	}
	e->elf_class = gelf_getclass(elf);
	e->machine = eh.e_machine;
	e->is_program = eh.e_type == ET_EXEC || eh.e_type == ET_DYN;
	read_interp(e, elf, fd);
	read_sections(e, elf, library);
out:
	elf_end(elf);
	return err;
}

int hl_elfinfo_has_debug_file(const struct hl_elfinfo *e, const char *path)
{
	char file[PATH_MAX + 512], hex[2 * sizeof(e->build_id) + 1] = "";
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) : 0;

	for (unsigned i = 0; i < e->build_id_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", e->build_id[i]);
	snprintf(file, sizeof(file), "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + (hex[0] ? 2 : 0));
	if (e->build_id_bytes > 1 && access(file, R_OK) == 0)
		return 1;
	if (!e->debuglink[0] || strchr(e->debuglink, '/'))
		return 0;
	snprintf(file, sizeof(file), "%.*s/%s", dir, path, e->debuglink);
	if (access(file, R_OK) == 0)
		return 1;
	snprintf(file, sizeof(file), "%.*s/.debug/%s", dir, path, e->debuglink);
	if (access(file, R_OK) == 0)
		return 1;
	snprintf(file, sizeof(file), "/usr/lib/debug%.*s/%s", dir, path, e->debuglink);
	return access(file, R_OK) == 0;
}
