/*
 * sym_mini.c - .gnu_debugdata by libdwfl, which opens compressed ELF files.
 *
 * libdwfl wants a file, so the section goes into a memfd; the callbacks find nothing, so it looks for
 * nothing else.  A section over SECTION_MAX is no symbol table.
 * Floor: model.
 */
#include "analyzer/model/sym_mini.h"
#include "analyzer/base/diag.h"
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTION_MAX (16u * 1024 * 1024)

struct hl_sym_mini {
	Dwfl *dwfl;
	Elf *elf;
};

static int find_no_elf(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base, char **file,
		       Elf **elf)
{
	(void)mod, (void)user, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static int find_no_debuginfo(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base,
			     const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)mod, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
	return -1;
}

static const Dwfl_Callbacks callbacks = {.find_elf = find_no_elf, .find_debuginfo = find_no_debuginfo};

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t wrote = write(fd, p, n);

		if (wrote <= 0)
			return -1;
		p += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

struct hl_sym_mini *hl_sym_mini_open(const struct hl_elf *f)
{
	struct hl_sym_mini *m = NULL;
	GElf_Shdr shdr;
	Elf_Scn *scn = hl_elf_section(f, ".gnu_debugdata", SHT_NULL, &shdr);
	Elf_Data *data = scn && shdr.sh_size <= SECTION_MAX ? elf_rawdata(scn, NULL) : NULL;
	Dwfl_Module *mod;
	GElf_Addr bias;
	char path[32];
	int fd;

	if (!data || !data->d_buf || !data->d_size)
		return NULL;
	fd = memfd_create("gnu_debugdata", MFD_CLOEXEC);
	if (fd < 0 || write_all(fd, data->d_buf, data->d_size) < 0)
		goto out;
	m = hl_xcalloc(1, sizeof(*m));
	m->dwfl = dwfl_begin(&callbacks);
	if (!m->dwfl)
		goto out;
	/* by name: libdwfl closes what it opened, and of a descriptor of ours it is not told whether it did */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	mod = dwfl_report_elf(m->dwfl, "mini", path, -1, 0, true);
	if (mod)
		m->elf = dwfl_module_getelf(mod, &bias);
out:
	if (fd >= 0)
		close(fd);
	if (m && !m->elf) {
		hl_sym_mini_close(m);
		m = NULL;
	}
	return m;
}

Elf *hl_sym_mini_elf(const struct hl_sym_mini *m)
{
	return m->elf;
}

void hl_sym_mini_close(struct hl_sym_mini *m)
{
	if (!m)
		return;
	if (m->dwfl)
		dwfl_end(m->dwfl);
	free(m);
}
