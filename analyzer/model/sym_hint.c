/*
 * sym_hint.c - one hint at the most: the one that helps most.  Floor: model.
 */
#include "analyzer/model/sym_hint.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Files of glibc; on Debian and its kin all their debug files are in one package. */
static int is_libc(const char *module)
{
	static const char *const names[] = {"libc.so.",       "libc-2.",  "libm.so.",
					    "libpthread.so.", "ld-linux", "ld-2."};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(module, names[i], strlen(names[i])))
			return 1;
	return 0;
}

static int is_packaged(const char *path)
{
	static const char *const roots[] = {"/usr/", "/lib", "/bin/", "/sbin/", "/opt/"};

	if (!strncmp(path, "/usr/local/", 11))
		return 0;
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (!strncmp(path, roots[i], strlen(roots[i])))
			return 1;
	return 0;
}

static const char *build_of(const struct hl_elfmod *m, char *hex)
{
	size_t n = 0;

	if (!m->build_id_bytes)
		return "none";
	for (uint32_t i = 0; i < m->build_id_bytes; i++)
		n += (size_t)sprintf(hex + n, "%02x", m->build_id[i]);
	return hex;
}

static int less(const struct hl_elfmod *a, const struct hl_elfmod *b)
{
	int changed_a = a->state == HL_ELFMOD_CHANGED, changed_b = b->state == HL_ELFMOD_CHANGED;

	return changed_a != changed_b ? changed_a < changed_b : a->without_line < b->without_line;
}

/* Start-up code and the like has no lines in any program: one that has them for the most part is not to blame. */
static int lacks_lines(const struct hl_elfmod *m)
{
	return m->state == HL_ELFMOD_CHANGED ? m->without_line > 0 : m->without_line > m->pcs / 2;
}

void hl_sym_hint(char *out, size_t room, struct hl_elfmod *const *mods, size_t nmods, uint64_t pcs)
{
	const struct hl_elfmod *worst = NULL;
	char hex[2 * HL_BUILD_ID_MAX + 1];

	*out = 0;
	for (size_t i = 0; i < nmods; i++)
		if (lacks_lines(mods[i]) && mods[i]->state != HL_ELFMOD_NO_FILE && !mods[i]->names.ours &&
		    (!worst || less(worst, mods[i])))
			worst = mods[i];
	if (!worst)
		return;
	if (worst->state == HL_ELFMOD_CHANGED) {
		snprintf(out, room, "%s has changed since the trace was made (build-id then: %s)",
			 worst->path, build_of(worst, hex));
		return;
	}
	if (worst->without_line < pcs / 10 + 1)
		return;
	if (is_libc(worst->module) && access("/etc/debian_version", F_OK) == 0)
		snprintf(out, room, "no line information in %s: install libc6-dbg", worst->path);
	else if (worst->state == HL_ELFMOD_MISSING)
		snprintf(out, room, "%s (build-id %s) cannot be read: put it back, or use --sysroot",
			 worst->path, build_of(worst, hex));
	else
		snprintf(out, room, "no line information in %s (build-id %s): %s", worst->path,
			 build_of(worst, hex),
			 is_packaged(worst->path) ? "install its debug package" : "build it with -g");
}
