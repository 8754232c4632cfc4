/*
 * sym_elf.c - opening ELF files that anybody may have put there.  Floor: model.
 */
#include "analyzer/model/sym_elf.h"
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void note_build_id(struct hl_elf *f)
{
	const void *id;
	ssize_t n = dwelf_elf_gnu_build_id(f->elf, &id);

	if (n <= 0)
		return;
	f->build_id_bytes = n < HL_BUILD_ID_MAX ? (uint32_t)n : HL_BUILD_ID_MAX;
	memcpy(f->build_id, id, f->build_id_bytes);
}

int hl_elf_open(struct hl_elf *f, const char *path)
{
	struct stat st;
	GElf_Ehdr ehdr;

	*f = (struct hl_elf){.fd = -1};
	do
		/* O_NONBLOCK: a FIFO must not hold us until somebody writes */
		f->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	while (f->fd < 0 && errno == EINTR);
	if (f->fd < 0 || fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode))
		goto fail;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &ehdr))
		goto fail;
	/* the files that dwz makes to share say that they are relocatable */
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN && ehdr.e_type != ET_REL)
		goto fail;
	note_build_id(f);
	return 0;
fail:
	hl_elf_close(f);
	return -1;
}

void hl_elf_detach(struct hl_elf *f)
{
	if (f->fd < 0)
		return;
	elf_cntl(f->elf, ELF_C_FDDONE);
	close(f->fd);
	f->fd = -1;
}

void hl_elf_close(struct hl_elf *f)
{
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct hl_elf){.fd = -1};
}

int hl_elf_same_build(const struct hl_elf *f, const uint8_t *id, uint32_t bytes)
{
	return f->build_id_bytes == bytes && !memcmp(f->build_id, id, bytes);
}

Elf_Scn *hl_elf_section(const struct hl_elf *f, const char *name, uint32_t type, GElf_Shdr *shdr)
{
	size_t names;

	if (!f->elf || elf_getshdrstrndx(f->elf, &names) < 0)
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(f->elf, scn));) {
		const char *is;

		if (!gelf_getshdr(scn, shdr) || shdr->sh_type == SHT_NOBITS)
			continue;
		if (type != SHT_NULL && shdr->sh_type != type)
			continue;
		is = elf_strptr(f->elf, names, shdr->sh_name);
		if (is && !strcmp(is, name))
			return scn;
	}
	return NULL;
}

void hl_elf_end_strings(const struct hl_elf *f)
{
	static const char *const names[] = {".debug_str", ".debug_line_str"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		GElf_Shdr shdr;
		Elf_Scn *scn = hl_elf_section(f, names[i], SHT_NULL, &shdr);
		Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;

		if (data && data->d_buf && data->d_size)
			((char *)data->d_buf)[data->d_size - 1] = 0;
	}
}

void hl_elf_directory(const struct hl_elf *f, char *dir, size_t room)
{
	char link[64], path[PATH_MAX];
	char *slash;
	ssize_t n;

	*dir = 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", f->fd);
	n = f->fd < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || path[0] != '/')
		return;
	path[n] = 0;
	slash = strrchr(path, '/');
	slash[1] = 0;
	if (strlen(path) < room)
		strcpy(dir, path);
}
