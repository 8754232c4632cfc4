/*
 * sym_find.c - the places where distributions and build systems put debug files.
 *
 * A file found by any way is used only when its build-id (or the CRC) says that it belongs: a wrong
 * debug file gives wrong lines, which is worse than none.
 * Floor: model.
 */
#include "analyzer/model/sym_find.h"
#include "analyzer/model/sym_crc.h"
#include <elfutils/libdwelf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_DIR "/usr/lib/debug"

/* What a candidate must be. */
struct wanted {
	const uint8_t *id;
	uint32_t id_bytes;
	int by_crc; /* no build-id: crc decides */
	uint32_t crc;
	const struct hl_elf *not_this; /* the stripped file may have the name of its debug file */
};

static int fits(const struct hl_elf *f, const struct wanted *w)
{
	uint32_t crc;

	if (w->not_this && w->not_this->elf && f->dev == w->not_this->dev && f->ino == w->not_this->ino)
		return 0;
	if (!hl_elf_same_build(f, w->id, w->id_bytes))
		return 0;
	return !w->by_crc || (hl_crc32_fd(f->fd, &crc) == 0 && crc == w->crc);
}

__attribute__((format(printf, 3, 4))) static int try_path(struct hl_elf *f, const struct wanted *w,
							  const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(path) || hl_elf_open(f, path) < 0)
		return -1;
	if (fits(f, w))
		return 0;
	hl_elf_close(f);
	return -1;
}

/* tail under each debug directory. */
static int try_dirs(const struct hl_sym_places *p, struct hl_elf *f, const struct wanted *w, const char *tail)
{
	const char *root = p->sysroot ? p->sysroot : "";

	for (const char *const *dir = p->debug_dirs; dir && *dir; dir++) {
		if (try_path(f, w, "%s/%s", *dir, tail) == 0)
			return 0;
		if (*root && try_path(f, w, "%s/%s/%s", root, *dir, tail) == 0)
			return 0;
	}
	return try_path(f, w, "%s" DEFAULT_DIR "/%s", root, tail);
}

static int try_build_id(const struct hl_sym_places *p, struct hl_elf *f, const struct wanted *w)
{
	char tail[sizeof(".build-id//.debug") + 2 * HL_BUILD_ID_MAX];
	int n;

	if (w->id_bytes < 2)
		return -1;
	n = sprintf(tail, ".build-id/%02x/", w->id[0]);
	for (uint32_t i = 1; i < w->id_bytes && i < HL_BUILD_ID_MAX; i++)
		n += sprintf(tail + n, "%02x", w->id[i]);
	strcpy(tail + n, ".debug");
	return try_dirs(p, f, w, tail);
}

/* The directory of path with its final '/', "" when it has none. */
static void directory_of(char *dir, size_t room, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;

	if (n >= room)
		n = 0;
	memcpy(dir, path, n);
	dir[n] = 0;
}

static int try_debuglink(const struct hl_sym_places *p, struct hl_elf *f, struct wanted *w,
			 const struct hl_elf *main, const char *path)
{
	const char *root = p->sysroot ? p->sysroot : "";
	char dir[PATH_MAX], real[PATH_MAX], tail[2 * PATH_MAX];
	GElf_Word crc;
	const char *name = dwelf_elf_gnu_debuglink(main->elf, &crc);

	if (!name || !*name || strchr(name, '/'))
		return -1;
	w->crc = crc;
	w->by_crc = !w->id_bytes;
	/* as recorded, then through symbolic links: /lib is often one to /usr/lib */
	for (int pass = 0; pass < 2; pass++) {
		directory_of(dir, sizeof(dir), path);
		if (try_path(f, w, "%s%s%s", root, dir, name) == 0 ||
		    try_path(f, w, "%s%s.debug/%s", root, dir, name) == 0)
			return 0;
		snprintf(tail, sizeof(tail), "%s%s", dir + (dir[0] == '/'), name);
		if (dir[0] == '/' && try_dirs(p, f, w, tail) == 0)
			return 0;
		if (*root || !realpath(path, real))
			break;
		path = real;
	}
	return -1;
}

int hl_find_debug(const struct hl_sym_places *p, const uint8_t *id, uint32_t id_bytes,
		  const struct hl_elf *main, const char *path, struct hl_elf *f)
{
	struct wanted w = {.id = id, .id_bytes = id_bytes, .not_this = main};

	if (try_build_id(p, f, &w) == 0)
		return 0;
	return main->elf ? try_debuglink(p, f, &w, main, path) : -1;
}

int hl_find_shared(const struct hl_sym_places *p, const uint8_t *id, uint32_t id_bytes, const char *name,
		   const struct hl_elf *beside, struct hl_elf *f)
{
	const char *root = p->sysroot ? p->sysroot : "";
	struct wanted w = {.id = id, .id_bytes = id_bytes, .not_this = beside};
	char dir[PATH_MAX];

	/* without a build-id nothing says that it belongs */
	if (!id_bytes)
		return -1;
	if (try_build_id(p, f, &w) == 0)
		return 0;
	if (name[0] == '/')
		return try_path(f, &w, "%s%s", root, name) == 0 ? 0 : try_dirs(p, f, &w, name + 1);
	hl_elf_directory(beside, dir, sizeof(dir));
	return dir[0] ? try_path(f, &w, "%s%s", dir, name) : -1;
}

int hl_find_module(const struct hl_sym_places *p, const char *path, struct hl_elf *f)
{
	static const char gone[] = " (deleted)";
	const char *root = p->sysroot ? p->sysroot : "";
	size_t n = strlen(path);
	char at[PATH_MAX];

	*f = (struct hl_elf){.fd = -1};
	/* "linux-vdso.so.1", "[vdso]" and what the program named relative to a directory we do not know */
	if (path[0] != '/' || strlen(root) + n >= sizeof(at))
		return -1;
	sprintf(at, "%s%s", root, path);
	if (hl_elf_open(f, at) == 0)
		return 0;
	if (n < sizeof(gone) || strcmp(path + n - (sizeof(gone) - 1), gone))
		return -1;
	at[strlen(at) - (sizeof(gone) - 1)] = 0;
	return hl_elf_open(f, at);
}
