/*
 * closure.c - the rows of a program's libraries.  Floor: collect.
 *
 * `run` asks only what makes it refuse; what takes longer (debug files, code) is for `doctor`.
 */
#include "analyzer/collect/closure.h"
#include "analyzer/collect/deepbind.h"
#include "analyzer/collect/names.h"
#include "analyzer/collect/needed.h"
#include "analyzer/collect/sandbox.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS_MAX 4 /* of one kind; the rest is counted */

struct closure {
	struct hl_target *t;
	struct hl_needed needed;
	const struct hl_elfinfo *program;
	unsigned missing, read, undebugged, deep;
	int sandboxed; /* told */
	const char *undebugged_one;
};

/* The C library's own: their malloc is the one that everybody means, their dlopen is not called by others. */
static int is_libc(const char *base)
{
	static const char *const names[] = {"libc.so.", "ld-linux", "ld64.so", "libdl.so.", "libpthread.so."};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(base, names[i], strlen(names[i])))
			return 1;
	return 0;
}

static void see_missing(struct closure *c, const struct hl_needed_lib *lib)
{
	const char *by = c->needed.libs[lib->by].path;

	if (++c->missing <= ROWS_MAX)
		hl_target_row(c->t, "libraries", HL_CHECK_WARN,
			      "%s, needed by %s, is not found: the program will not start "
			      "(LD_LIBRARY_PATH?)",
			      lib->name, by);
}

static void see_allocator(struct closure *c, const struct hl_elfinfo *e, const char *base)
{
	if (!e->exports_malloc)
		return;
	if (c->program->exports_malloc)
		return; /* nobody gets here */
	if (!strcmp(e->allocator, "malloc"))
		hl_target_row(c->t, "allocator", HL_CHECK_OK, "%s has a malloc: traced through it", base);
	else
		hl_target_row(c->t, "allocator", HL_CHECK_OK, "%s is %s: traced through it", base,
			      e->allocator);
}

static void see_deepbind(struct closure *c, int fd, const char *base)
{
	struct hl_deepbind b;

	hl_deepbind_scan(&b, fd);
	if (b.deep && ++c->deep <= ROWS_MAX)
		hl_target_row(c->t, "deepbind", HL_CHECK_WARN,
			      "%s loads libraries with RTLD_DEEPBIND, maybe: they then allocate unseen",
			      base);
}

/* The program itself and each library: what it imports. */
static void see_imports(struct closure *c, const struct hl_elfinfo *e, int fd, const char *base)
{
	if ((e->imports & HL_IMPORTS_SECCOMP) && !c->sandboxed) {
		c->sandboxed = 1;
		hl_target_row(
			c->t, "sandbox", HL_CHECK_WARN,
			"%s may restrict system calls by libseccomp; if its filter kills, the program dies "
			"of SIGSYS unless these are allowed: " HL_SANDBOX_CALLS,
			base);
	}
	if (e->imports & HL_IMPORTS_DLMOPEN)
		hl_target_row(c->t, "dlmopen", HL_CHECK_WARN,
			      "%s calls dlmopen: what it loads into another namespace allocates unseen",
			      base);
	if ((e->imports & HL_IMPORTS_DLOPEN) && e->machine == hl_elfinfo_own_machine())
		see_deepbind(c, fd, base);
}

static void see_library(struct closure *c, const struct hl_needed_lib *lib)
{
	const char *base = hl_base_name(lib->path);
	int fd = open(lib->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct hl_elfinfo e;
	struct hl_diag d;

	if (fd < 0)
		return;
	if (hl_elfinfo_read(&e, fd, 1, &d) == HL_OK) {
		c->read++;
		if (!is_libc(base) && strcmp(base, "libheapledger.so") != 0) {
			see_allocator(c, &e, base);
			see_imports(c, &e, fd, base);
		}
		if (!e.debug_info && !hl_elfinfo_has_debug_file(&e, lib->path) && !c->undebugged++)
			c->undebugged_one = base;
	}
	close(fd);
}

/* A sanitizer that a library brings, or LD_PRELOAD; the program's own was told. */
static void see_sanitizer(const struct closure *c, const struct hl_needed_lib *lib)
{
	const char *by = hl_base_name(c->needed.libs[lib->by].path);

	if (!c->program->sanitizer[0] && !hl_target_refusal(c->t) &&
	    hl_elfinfo_is_sanitizer(hl_base_name(lib->name)))
		hl_target_row(c->t, "sanitizer", HL_CHECK_REFUSED,
			      "%s brings a sanitizer (%s): it has its own allocator and must come first", by,
			      hl_base_name(lib->name));
}

static void conclude(struct closure *c)
{
	struct hl_target *t = c->t;

	if (c->missing > ROWS_MAX)
		hl_target_row(t, "libraries", HL_CHECK_WARN, "and %u more are not found",
			      c->missing - ROWS_MAX);
	if (c->needed.cut)
		hl_target_row(t, "libraries", HL_CHECK_WARN,
			      "it has more than %d: the rest was not looked at", HL_NEEDED_MAX);
	if (!c->missing)
		hl_target_row(t, "libraries", HL_CHECK_OK, "all %u found", c->needed.n - 1);
	if (c->undebugged)
		hl_target_row(t, "debug", HL_CHECK_WARN,
			      "%u of %u libraries have no debug information (%s...): no source lines in them "
			      "(install their -dbg or -dbgsym packages)",
			      c->undebugged, c->read, c->undebugged_one);
#if defined(__x86_64__)
	if (c->deep > ROWS_MAX)
		hl_target_row(t, "deepbind", HL_CHECK_WARN, "and %u more do", c->deep - ROWS_MAX);
	if (!c->deep)
		hl_target_row(t, "deepbind", HL_CHECK_OK, "no call with RTLD_DEEPBIND seen");
#else
	hl_target_row(t, "deepbind", HL_CHECK_OK, "not looked for on this machine");
#endif
}

static void see_program(struct closure *c, const char *path)
{
	const char *base = hl_base_name(path);
	const struct hl_sandbox *box = hl_sandbox_known(base);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (box && box->tried)
		hl_target_row(c->t, "sandbox", HL_CHECK_OK,
			      "%s restricts the system calls of %s, and let itself be traced (tried with %s)",
			      base, box->part, box->tried);
	else if (box)
		hl_target_row(c->t, "sandbox", HL_CHECK_WARN,
			      "%s restricts the system calls of %s, which dies of SIGSYS unless these are "
			      "allowed: " HL_SANDBOX_CALLS,
			      base, box->part);
	c->sandboxed = box != NULL;
	if (fd < 0)
		return;
	see_imports(c, c->program, fd, base);
	close(fd);
}

void hl_closure_check(struct hl_target *t, const struct hl_elfinfo *e, const char *path)
{
	struct closure c = {.t = t, .program = e};

	if (!hl_needed_find(&c.needed, path))
		return;
	if (t->thorough)
		see_program(&c, path);
	for (unsigned i = 1; i < c.needed.n; i++) {
		const struct hl_needed_lib *lib = &c.needed.libs[i];

		see_sanitizer(&c, lib);
		if (t->thorough && lib->path)
			see_library(&c, lib);
		else if (t->thorough)
			see_missing(&c, lib);
	}
	if (t->thorough)
		conclude(&c);
	hl_needed_release(&c.needed);
}
