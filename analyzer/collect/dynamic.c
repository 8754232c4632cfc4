/*
 * dynamic.c - reading PT_DYNAMIC.  Floor: collect.
 */
#include "analyzer/collect/dynamic.h"
#include "analyzer/base/diag.h"
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 4096

/* Where in the file the byte of this address is; 0: nowhere. */
static GElf_Off offset_of(Elf *elf, size_t nph, GElf_Addr address)
{
	for (size_t i = 0; i < nph; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && address >= ph.p_vaddr &&
		    address - ph.p_vaddr < ph.p_filesz)
			return ph.p_offset + (address - ph.p_vaddr);
	}
	return 0;
}

static Elf_Data *dynamic_of(Elf *elf, size_t nph)
{
	for (size_t i = 0; i < nph; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_DYNAMIC)
			return elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_DYN);
	}
	return NULL;
}

struct strings {
	int fd;
	GElf_Off at; /* in the file; 0: there are none */
	GElf_Xword bytes;
};

/* The string at an offset of the table, kept; NULL: it does not end inside.  Read alone: the whole table also
 * holds the names of all symbols, megabytes in a large library. */
static char *keep(const struct strings *s, GElf_Xword at)
{
	char text[PATH_MAX];
	size_t room;
	ssize_t n;

	if (!s->at || at >= s->bytes || s->at + at > INT64_MAX)
		return NULL;
	room = s->bytes - at < sizeof(text) ? s->bytes - at : sizeof(text);
	n = pread(s->fd, text, room, (off_t)(s->at + at));
	return n > 0 && memchr(text, 0, (size_t)n) ? hl_xstrdup(text) : NULL;
}

static void set(char **to, char *s)
{
	free(*to);
	*to = s;
}

static void take(struct hl_dynamic *d, const GElf_Dyn *dyn, const struct strings *strings)
{
	char *s;

	switch (dyn->d_tag) {
	case DT_NEEDED:
		s = keep(strings, dyn->d_un.d_val);
		if (!s)
			break;
		d->needed = hl_xrealloc(d->needed, (d->nneeded + 1) * sizeof(*d->needed));
		d->needed[d->nneeded++] = s;
		break;
	case DT_SONAME:
		set(&d->soname, keep(strings, dyn->d_un.d_val));
		break;
	case DT_RPATH:
		set(&d->rpath, keep(strings, dyn->d_un.d_val));
		break;
	case DT_RUNPATH:
		set(&d->runpath, keep(strings, dyn->d_un.d_val));
		break;
	case DT_FLAGS_1:
		d->no_default_paths = (dyn->d_un.d_val & DF_1_NODEFLIB) != 0;
		break;
	}
}

static void read_entries(struct hl_dynamic *d, Elf *elf, int fd)
{
	GElf_Addr table = 0;
	struct strings strings = {.fd = fd};
	GElf_Dyn dyn;
	Elf_Data *data;
	size_t nph;

	if (elf_getphdrnum(elf, &nph) < 0)
		return;
	data = dynamic_of(elf, nph);
	if (!data)
		return;
	for (int i = 0; i < ENTRIES_MAX && gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		if (dyn.d_tag == DT_STRTAB)
			table = dyn.d_un.d_ptr;
		else if (dyn.d_tag == DT_STRSZ)
			strings.bytes = dyn.d_un.d_val;
	}
	strings.at = offset_of(elf, nph, table);
	for (int i = 0; i < ENTRIES_MAX && gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++)
		take(d, &dyn, &strings);
	if (d->runpath)
		set(&d->rpath, NULL);
}

int hl_dynamic_read(struct hl_dynamic *d, int fd)
{
	GElf_Ehdr eh;
	Elf *elf;
	int ok;

	memset(d, 0, sizeof(*d));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	ok = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &eh) &&
	     (eh.e_type == ET_DYN || eh.e_type == ET_EXEC);
	if (ok) {
		d->elf_class = gelf_getclass(elf);
		d->machine = eh.e_machine;
		read_entries(d, elf, fd);
	}
	elf_end(elf);
	return ok;
}

void hl_dynamic_release(struct hl_dynamic *d)
{
	for (unsigned i = 0; i < d->nneeded; i++)
		free(d->needed[i]);
	free(d->needed);
	free(d->soname);
	free(d->rpath);
	free(d->runpath);
	memset(d, 0, sizeof(*d));
}
