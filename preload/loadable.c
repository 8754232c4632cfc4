/*
 * loadable.c - a glance at an executable: class, processor, program interpreter; of a script its interpreter's.
 */
#include "preload/loadable.h"
#include "preload/guest.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS_MAX   4   /* the kernel's limit of interpreters' interpreters */
#define SHEBANG_BYTES 256 /* BINPRM_BUF_SIZE */
#define SEGMENTS_MAX  64

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#endif

static long pread_at(int fd, void *to, size_t n, uint64_t at)
{
	return hl_sys4(SYS_pread64, fd, (long)(uintptr_t)to, (long)n, (long)at);
}

static int contains(const char *s, const char *word)
{
	for (; *s; s++)
		if (hl_after(s, word))
			return 1;
	return 0;
}

/* Libcs whose loaders take LD_PRELOAD seriously and are not glibc. */
static int is_foreign(const char *interp)
{
	return contains(interp, "ld-musl-") || contains(interp, "ld-uClibc") || contains(interp, "/linker64");
}

static enum hl_loadable elf_loadable(int fd, const ElfW(Ehdr) * eh, const char *path)
{
	char interp[SHEBANG_BYTES];
	ElfW(Phdr) ph;
	long n;

	/* e_machine is at the same place in both classes */
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != OWN_MACHINE)
		return HL_LOAD_BREAKS;
	for (unsigned i = 0; i < eh->e_phnum && i < SEGMENTS_MAX; i++) {
		if (pread_at(fd, &ph, sizeof ph, eh->e_phoff + (uint64_t)i * eh->e_phentsize) !=
		    (long)sizeof ph)
			return HL_LOAD_TRIED;
		if (ph.p_type != PT_INTERP)
			continue;
		n = pread_at(fd, interp, sizeof interp - 1, ph.p_offset);
		interp[n > 0 ? n : 0] = 0;
		return is_foreign(interp) ? HL_LOAD_BREAKS : HL_LOAD_TRIED;
	}
	/* nobody is there to preload; but ld.so itself can be executed, and has no interpreter either */
	return eh->e_type == ET_EXEC || !hl_after(hl_basename(path), "ld") ? HL_LOAD_IGNORED : HL_LOAD_TRIED;
}

/* Source: Linux security/commoncap.c, cap_bprm_creds_from_file: AT_SECURE, where ld.so ignores a path in LD_PRELOAD. */
static int gains_privileges(int fd)
{
	struct stat st;

	if (hl_sys4(SYS_fstat, fd, (long)(uintptr_t)&st, 0, 0) < 0)
		return 0;
	return (st.st_mode & S_ISUID && st.st_uid != (uid_t)hl_sys4(SYS_geteuid, 0, 0, 0, 0)) ||
	       ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		st.st_gid != (gid_t)hl_sys4(SYS_getegid, 0, 0, 0, 0));
}

/* The interpreter that a script's first line names, to room. */
static int interpreter(const char *line, long n, char *room)
{
	const char *p = line + 2, *end = line + n;
	size_t k = 0;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && *p && *p != ' ' && *p != '\t' && *p != '\n' && k < HL_PATH_MAX - 1)
		room[k++] = *p++;
	room[k] = 0;
	return k > 0;
}

/* 1: a script, its interpreter is in room. */
static int look(int fd, const char *path, char *room, enum hl_loadable *result)
{
	union {
		ElfW(Ehdr) eh;
		char bytes[SHEBANG_BYTES];
	} head;
	long n = pread_at(fd, &head, sizeof head, 0);

	*result = HL_LOAD_TRIED;
	if (n > 2 && head.bytes[0] == '#' && head.bytes[1] == '!')
		return interpreter(head.bytes, n, room);
	if (n < (long)sizeof head.eh || head.eh.e_ident[0] != ELFMAG0 || !hl_after(head.bytes + 1, "ELF"))
		return 0;
	*result = elf_loadable(fd, &head.eh, path);
	if (*result == HL_LOAD_TRIED && gains_privileges(fd))
		*result = HL_LOAD_IGNORED;
	return 0;
}

static int open_at(int dir, const char *path)
{
	/* a FIFO must not hold us up */
	return (int)hl_sys4(SYS_openat, dir, (long)(uintptr_t)path,
			    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
}

static int may_be_executed(const char *path)
{
	return hl_sys4(SYS_faccessat, AT_FDCWD, (long)(uintptr_t)path, X_OK, 0) != -EACCES;
}

/* The first that can be opened, as execvp(3) would find it: it passes by what may not be executed. */
static int open_found(const char *name, const char *search, char *room)
{
	const char *p = search;

	for (;;) {
		const char *end = p;
		char *q = room;
		int fd;

		while (*end && *end != ':')
			end++;
		while (p < end && q < room + HL_PATH_MAX - 2)
			*q++ = *p++;
		*q = 0;
		if (q > room)
			q = hl_append(q, room + HL_PATH_MAX, "/");
		hl_append(q, room + HL_PATH_MAX, name);
		fd = may_be_executed(room) ? open_at(AT_FDCWD, room) : -1;
		if (fd >= 0 || !*end)
			return fd;
		p = end + 1;
	}
}

enum hl_loadable hl_loadable(int dir, const char *path, const char *search, char *room)
{
	enum hl_loadable result = HL_LOAD_TRIED;
	int script = 1, slash = contains(path, "/");

	for (int depth = 0; script && depth <= SCRIPTS_MAX; depth++) {
		int fd = depth              ? open_at(AT_FDCWD, room)
			 : !*path           ? dir
			 : search && !slash ? open_found(path, search, room)
					    : open_at(dir, path);

		if (fd < 0)
			return HL_LOAD_TRIED;
		script = look(fd, depth ? room : path, room, &result);
		if (depth || *path)
			hl_sys_close(fd);
	}
	return result;
}
