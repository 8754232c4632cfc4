/*
 * target.c - the checks before a command is traced.  Floor: collect.
 */
#include "analyzer/collect/target.h"
#include "analyzer/collect/closure.h"
#include "analyzer/collect/elfinfo.h"
#include "analyzer/collect/names.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPTS_MAX   5   /* binfmt_script: the kernel's own limit of nested interpreters */
#define SHEBANG_BYTES 256 /* BINPRM_BUF_SIZE */

void hl_target_row(struct hl_target *t, const char *name, enum hl_verdict v, const char *fmt, ...)
{
	struct hl_check *c = &t->checks[t->nchecks];
	va_list ap;

	if (v == HL_CHECK_REFUSED && !t->status)
		t->status = 125;
	if (t->nchecks == HL_CHECKS_MAX)
		return;
	t->nchecks++;
	c->name = name;
	c->verdict = v;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

const struct hl_check *hl_target_refusal(const struct hl_target *t)
{
	for (unsigned i = 0; i < t->nchecks; i++)
		if (t->checks[i].verdict == HL_CHECK_REFUSED)
			return &t->checks[i];
	return NULL;
}

static int is_executable(const char *path, int *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		*err = errno;
	else if (!S_ISREG(st.st_mode))
		*err = EACCES;
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		*err = errno;
	else
		return 1;
	return 0;
}

/* As execvp(3): a slash means a path; an unusable entry of PATH is passed by, and told if nothing follows. */
static int find_program(const char *name, char path[PATH_MAX], int *err)
{
	const char *p = getenv("PATH"), *end;
	int one;

	*err = ENOENT;
	if (!*name)
		return 0;
	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		return is_executable(path, err);
	}
	for (p = p ? p : "/bin:/usr/bin"; p; p = *end ? end + 1 : NULL) {
		end = strchrnul(p, ':');
		if (snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - p), p, end > p ? "/" : "", name) >=
		    PATH_MAX)
			continue;
		if (is_executable(path, &one))
			return 1;
		if (one == EACCES)
			*err = EACCES;
	}
	return 0;
}

static void check_privilege(struct hl_target *t, const char *path, int fd)
{
	struct statvfs fs;
	struct stat st;

	/* Source: Linux security/commoncap.c, cap_bprm_creds_from_file: AT_SECURE is for a changed id, and for
	 * capabilities gained by anyone but root.  Where set-id is ignored nothing changes. */
	if (fstat(fd, &st) < 0 || (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOSUID)) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		hl_target_row(t, "privilege", HL_CHECK_REFUSED,
			      "%s is setuid: the dynamic linker ignores LD_PRELOAD", path);
	else if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid())
		hl_target_row(t, "privilege", HL_CHECK_REFUSED,
			      "%s is setgid: the dynamic linker ignores LD_PRELOAD", path);
	else if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		hl_target_row(t, "privilege", HL_CHECK_REFUSED,
			      "%s has file capabilities: the dynamic linker ignores LD_PRELOAD", path);
	else
		hl_target_row(t, "privilege", HL_CHECK_OK, "gains none by being started");
}

static void check_names(struct hl_target *t, const struct hl_elfinfo *e, const char *path)
{
	if (e->debug_info)
		hl_target_row(t, "debug", HL_CHECK_OK, "has debug information");
	else if (hl_elfinfo_has_debug_file(e, path))
		hl_target_row(t, "debug", HL_CHECK_OK, "has debug information in a separate file");
	else
		hl_target_row(t, "debug", HL_CHECK_WARN,
			      "%s has no debug information: no source lines (build with -g, or "
			      "install its -dbg or -dbgsym package)",
			      path);
	if (e->build_id_bytes)
		hl_target_row(t, "build-id", HL_CHECK_OK, "has one");
	else
		hl_target_row(
			t, "build-id", HL_CHECK_WARN,
			"%s has no build-id: a rebuilt file cannot be told from the traced one (link with "
			"-Wl,--build-id)",
			path);
}

static void check_allocator(struct hl_target *t, const struct hl_elfinfo *e, const char *path)
{
	if (e->exports_malloc && !strcmp(e->allocator, "malloc"))
		hl_target_row(t, "allocator", HL_CHECK_WARN,
			      "%s has a malloc of its own: what it allocates is not seen", path);
	else if (e->exports_malloc)
		hl_target_row(
			t, "allocator", HL_CHECK_WARN,
			"%s has %s linked into it: what it allocates is not seen (link with -l%s, shared)",
			path, e->allocator, e->allocator);
	else if (e->allocator[0])
		hl_target_row(t, "allocator", HL_CHECK_WARN,
			      "%s has %s linked into it, beside malloc: what it allocates by it is not seen",
			      path, e->allocator);
	else if (e->own_new)
		hl_target_row(
			t, "allocator", HL_CHECK_OK,
			"that of its libraries; its own operator new is seen as far as it calls malloc");
	else
		hl_target_row(t, "allocator", HL_CHECK_OK, "that of its libraries");
}

static void check_elf(struct hl_target *t, const struct hl_elfinfo *e, const char *path)
{
	if (e->elf_class != hl_elfinfo_own_class()) {
		hl_target_row(t, "machine", HL_CHECK_REFUSED,
			      "%s is a %d-bit program, the library is for %d bits", path,
			      e->elf_class == ELFCLASS32 ? 32 : 64,
			      hl_elfinfo_own_class() == ELFCLASS32 ? 32 : 64);
		return;
	}
	if (e->machine != hl_elfinfo_own_machine()) {
		hl_target_row(t, "machine", HL_CHECK_REFUSED,
			      "%s is built for another machine (ELF machine %u)", path, e->machine);
		return;
	}
	hl_target_row(t, "machine", HL_CHECK_OK, "built for this one");
	if (!e->is_program || !e->interp[0]) {
		hl_target_row(t, "dynamic", HL_CHECK_REFUSED,
			      "%s is statically linked: there is no dynamic linker to preload the library",
			      path);
		return;
	}
	if (strstr(e->interp, "ld-musl")) {
		hl_target_row(t, "dynamic", HL_CHECK_REFUSED,
			      "%s is linked with musl, the library with glibc", path);
		return;
	}
	hl_target_row(t, "dynamic", HL_CHECK_OK, "linked dynamically, by %s", e->interp);
	if (e->sanitizer[0])
		hl_target_row(t, "sanitizer", HL_CHECK_REFUSED,
			      "%s is a sanitizer build (%s): it has its own allocator and must come first",
			      path, e->sanitizer);
	else
		hl_target_row(t, "sanitizer", HL_CHECK_OK, "none");
	check_allocator(t, e, path);
	check_names(t, e, path);
	hl_closure_check(t, e, path);
}

/* The words of an interpreter line after `env`: options and assignments go before the program. */
static int env_program(char *words, char name[PATH_MAX])
{
	char *save = NULL;

	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (*w == '-') {
			/* these take the next word */
			if (!strcmp(w, "-u") || !strcmp(w, "-C"))
				strtok_r(NULL, " \t", &save);
			continue;
		}
		if (strchr(w, '='))
			continue;
		snprintf(name, PATH_MAX, "%s", w);
		return 1;
	}
	return 0;
}

/* The program that an interpreter line names, "" none. */
static void parse_line(char *line, char interp[PATH_MAX], char **rest)
{
	char *p = line + 2 + strspn(line + 2, " \t"), *end;

	p[strcspn(p, "\n")] = 0;
	end = p + strcspn(p, " \t");
	*rest = *end ? end + 1 : end;
	*end = 0;
	snprintf(interp, PATH_MAX, "%s", p);
}

static void check_file(struct hl_target *t, const char *path, int depth);

static void check_interpreter(struct hl_target *t, const char *script, char *line, int depth)
{
	char interp[PATH_MAX], name[PATH_MAX], path[PATH_MAX], *rest;
	int err;

	parse_line(line, interp, &rest);
	if (!is_executable(interp, &err)) {
		hl_target_row(t, "interpreter", HL_CHECK_REFUSED, "%s: bad interpreter \"%.100s\": %s",
			      script, interp, strerror(err));
		t->status = 126;
		return;
	}
	hl_target_row(t, "interpreter", HL_CHECK_OK, "%s is run by %s", script, interp);
	if (!strcmp(hl_base_name(interp), "env") && env_program(rest, name)) {
		if (!find_program(name, path, &err)) {
			hl_target_row(t, "interpreter", HL_CHECK_REFUSED, "%s: %s: %s", script, name,
				      strerror(err));
			t->status = err == EACCES ? 126 : 127;
			return;
		}
		hl_target_row(t, "interpreter", HL_CHECK_OK, "which starts %s", path);
		check_file(t, path, depth + 1);
		return;
	}
	check_file(t, interp, depth + 1);
}

static void check_file(struct hl_target *t, const char *path, int depth)
{
	char line[SHEBANG_BYTES + 1];
	struct hl_elfinfo e;
	struct hl_diag d;
	ssize_t n;
	int fd;

	if (depth > SCRIPTS_MAX) {
		hl_target_row(t, "interpreter", HL_CHECK_REFUSED, "%s: too many interpreters", path);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		hl_target_row(t, "readable", HL_CHECK_WARN, "%s cannot be read, so it was not checked: %s",
			      path, strerror(errno));
		return;
	}
	n = pread(fd, line, SHEBANG_BYTES, 0);
	line[n > 0 ? n : 0] = 0;
	if (!strncmp(line, "#!", 2)) {
		check_interpreter(t, path, line, depth);
	} else if (n >= SELFMAG && !memcmp(line, ELFMAG, SELFMAG)) {
		check_privilege(t, path, fd);
		if (hl_elfinfo_read(&e, fd, 0, &d) < 0)
			hl_target_row(t, "machine", HL_CHECK_REFUSED, "%s: %.200s", path, d.text);
		else
			check_elf(t, &e, path);
	} else if (depth == 0) {
		t->by_shell = 1;
		hl_target_row(t, "interpreter", HL_CHECK_OK, "%s names none: /bin/sh runs it", path);
		check_file(t, "/bin/sh", depth + 1);
	} else {
		hl_target_row(t, "machine", HL_CHECK_REFUSED, "%s is no program", path);
	}
	close(fd);
}

void hl_target_check(struct hl_target *t, const char *command, int thorough)
{
	struct hl_diag d;
	int err;

	memset(t, 0, sizeof(*t));
	t->thorough = thorough;
	if (!find_program(command, t->path, &err)) {
		hl_target_row(t, "command", HL_CHECK_REFUSED, "%s: %s", command,
			      err == ENOENT ? (strchr(command, '/') ? "no such file" : "command not found")
					    : strerror(err));
		t->status = err == ENOENT || err == ENOTDIR ? 127 : 126;
		return;
	}
	hl_target_row(t, "command", HL_CHECK_OK, "%s", t->path);
	check_file(t, t->path, 0);
	if (hl_library_find(t->library, sizeof(t->library), &d) < 0)
		hl_target_row(t, "library", HL_CHECK_REFUSED, "%s", d.text);
	else
		hl_target_row(t, "library", HL_CHECK_OK, "%s", t->library);
}
