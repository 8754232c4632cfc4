/*
 * needed.c - the search of ld.so(8), without ld.so.  Floor: collect.
 */
#include "analyzer/collect/needed.h"
#include "analyzer/base/diag.h"
#include "analyzer/collect/ldcache.h"
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* What ld.so was built with differs by distribution: Debian's multiarch directories, the lib64 of others.  A
 * directory of another machine does no harm, its files are passed by. */
#if defined(__x86_64__)
#define MULTIARCH "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define MULTIARCH "aarch64-linux-gnu"
#else
#define MULTIARCH "none"
#endif
static const char *const default_dirs[] = {
	"/lib/" MULTIARCH, "/usr/lib/" MULTIARCH, "/lib64", "/usr/lib64", "/lib", "/usr/lib"};
static const char *const lib_words[] = {("lib/" MULTIARCH), "lib64", "lib"};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct search {
	struct hl_needed *n;
	struct hl_ldcache cache;
	unsigned by; /* who asks */
	const char *name;
};

/* The directory of a file, as $ORIGIN has it: of the program without its links. */
static void origin_of(const struct hl_needed *n, unsigned who, char out[PATH_MAX])
{
	char *slash;

	if (who != 0 || !realpath(n->libs[0].path, out))
		snprintf(out, PATH_MAX, "%s", n->libs[who].path);
	slash = strrchr(out, '/');
	if (!slash)
		snprintf(out, PATH_MAX, ".");
	else
		slash[slash == out] = 0;
}

/* Is this $NAME or ${NAME}?  Its length, else 0. */
static size_t token(const char *s, const char *name)
{
	size_t n = strlen(name);

	if (s[1] == '{')
		return !strncmp(s + 2, name, n) && s[n + 2] == '}' ? n + 3 : 0;
	return !strncmp(s + 1, name, n) ? n + 1 : 0;
}

/* Expand the words that ld.so knows.  lib: what $LIB stands for.  0: too long. */
static int expand(const struct search *s, unsigned who, const char *text, size_t bytes, const char *lib,
		  char out[PATH_MAX])
{
	char origin[PATH_MAX];
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	size_t n = 0;

	origin_of(s->n, who, origin);
	for (const char *p = text; p < text + bytes;) {
		const char *with = NULL;
		size_t skip = 0, k;

		if (*p == '$') {
			if ((skip = token(p, "ORIGIN")))
				with = origin;
			else if ((skip = token(p, "LIB")))
				with = lib;
			else if ((skip = token(p, "PLATFORM")))
				with = platform ? platform : "";
		}
		k = with ? strlen(with) : 1;
		if (n + k >= PATH_MAX)
			return 0;
		memcpy(out + n, with ? with : p, k);
		n += k;
		p += with ? skip : 1;
	}
	out[n] = 0;
	return 1;
}

/* Already there, under another name?  The files decide. */
static int is_known(const struct hl_needed *n, const struct stat *st)
{
	for (unsigned i = 0; i < n->n; i++)
		if (n->libs[i].path && n->libs[i].dev == st->st_dev && n->libs[i].ino == st->st_ino)
			return 1;
	return 0;
}

/* Take this file, if it is one that can be loaded.  1: it was taken, or is there already. */
static int try_file(struct search *s, const char *path)
{
	struct hl_needed *n = s->n;
	struct hl_needed_lib *lib = &n->libs[n->n];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), taken = 0;
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		goto out;
	taken = is_known(n, &st);
	if (taken || !hl_dynamic_read(&lib->dynamic, fd))
		goto out;
	if (n->n && (lib->dynamic.elf_class != n->libs[0].dynamic.elf_class ||
		     lib->dynamic.machine != n->libs[0].dynamic.machine)) {
		hl_dynamic_release(&lib->dynamic);
		goto out;
	}
	lib->name = hl_xstrdup(s->name);
	lib->path = hl_xstrdup(path);
	lib->by = s->by;
	lib->dev = st.st_dev;
	lib->ino = st.st_ino;
	n->n++;
	taken = 1;
out:
	close(fd);
	return taken;
}

static int try_dir(struct search *s, const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", *dir ? dir : ".", s->name) >= PATH_MAX)
		return 0;
	return try_file(s, path);
}

/* The directories of a search path.  who: whose $ORIGIN it is. */
static int try_path(struct search *s, unsigned who, const char *dirs, const char *separators)
{
	char dir[PATH_MAX];
	size_t bytes;

	for (const char *p = dirs; p; p = p[bytes] ? p + bytes + 1 : NULL) {
		bytes = strcspn(p, separators);
		for (size_t i = 0; i < (memmem(p, bytes, "LIB", 3) ? COUNT(lib_words) : 1); i++)
			if (expand(s, who, p, bytes, lib_words[i], dir) && try_dir(s, dir))
				return 1;
	}
	return 0;
}

static int try_rpaths(struct search *s)
{
	const struct hl_needed *n = s->n;
	unsigned who = s->by;

	if (n->libs[who].dynamic.runpath)
		return 0;
	for (;; who = n->libs[who].by) {
		const char *rpath = n->libs[who].dynamic.rpath;

		if (rpath && try_path(s, who, rpath, ":"))
			return 1;
		if (who == 0)
			return 0;
	}
}

static int is_default_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; slash && i < COUNT(default_dirs); i++)
		if (strlen(default_dirs[i]) == (size_t)(slash - path) &&
		    !strncmp(path, default_dirs[i], (size_t)(slash - path)))
			return 1;
	return 0;
}

static int try_cache(struct search *s, int no_default)
{
	const char *path;
	uint32_t at = 0;

	while ((path = hl_ldcache_next(&s->cache, s->name, &at)))
		if (!(no_default && is_default_dir(path)) && try_file(s, path))
			return 1;
	return 0;
}

static int look_for(struct search *s)
{
	const struct hl_dynamic *d = &s->n->libs[s->by].dynamic;
	const char *env = getenv("LD_LIBRARY_PATH");
	char path[PATH_MAX];

	if (strchr(s->name, '/')) {
		for (size_t i = 0; i < COUNT(lib_words); i++)
			if (expand(s, s->by, s->name, strlen(s->name), lib_words[i], path) &&
			    try_file(s, path))
				return 1;
		return 0;
	}
	if (try_rpaths(s) || (env && *env && try_path(s, 0, env, ":;")) ||
	    (d->runpath && try_path(s, s->by, d->runpath, ":")) || try_cache(s, d->no_default_paths))
		return 1;
	for (size_t i = 0; !d->no_default_paths && i < COUNT(default_dirs); i++)
		if (try_dir(s, default_dirs[i]))
			return 1;
	return 0;
}

static int has_name(const struct hl_needed_lib *lib, const char *name)
{
	return !strcmp(lib->name, name) || (lib->dynamic.soname && !strcmp(lib->dynamic.soname, name));
}

static void ask(struct search *s, unsigned by, const char *name)
{
	struct hl_needed *n = s->n;

	for (unsigned i = 1; i < n->n; i++)
		if (has_name(&n->libs[i], name))
			return;
	if (n->n == HL_NEEDED_MAX) {
		n->cut = 1;
		return;
	}
	s->by = by;
	s->name = name;
	if (!look_for(s))
		n->libs[n->n++] = (struct hl_needed_lib){.name = hl_xstrdup(name), .by = by};
}

/* ld.so splits it at blanks and colons. */
static void ask_for_preloads(struct search *s)
{
	const char *env = getenv("LD_PRELOAD");
	char *words, *save = NULL;

	if (!env)
		return;
	words = hl_xstrdup(env);
	for (char *w = strtok_r(words, " :", &save); w; w = strtok_r(NULL, " :", &save))
		ask(s, 0, w);
	free(words);
}

int hl_needed_find(struct hl_needed *n, const char *program)
{
	struct search s = {.n = n, .name = program};

	memset(n, 0, sizeof(*n));
	n->libs = hl_xcalloc(HL_NEEDED_MAX, sizeof(*n->libs));
	if (!try_file(&s, program)) {
		hl_needed_release(n);
		return 0;
	}
	hl_ldcache_open(&s.cache, "/etc/ld.so.cache");
	ask_for_preloads(&s);
	for (unsigned i = 0; i < n->n; i++)
		for (unsigned k = 0; k < n->libs[i].dynamic.nneeded; k++)
			ask(&s, i, n->libs[i].dynamic.needed[k]);
	hl_ldcache_release(&s.cache);
	return 1;
}

void hl_needed_release(struct hl_needed *n)
{
	for (unsigned i = 0; i < n->n; i++) {
		free(n->libs[i].name);
		free(n->libs[i].path);
		hl_dynamic_release(&n->libs[i].dynamic);
	}
	free(n->libs);
	memset(n, 0, sizeof(*n));
}
