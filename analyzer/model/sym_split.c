/*
 * sym_split.c - let libdw open a .dwo file when nothing but a regular file answers to its name.
 *
 * libdw opens the file itself (and checks its id), with a plain open() that a FIFO would hold; so the
 * names that it tries are looked at first: beside the file and in the compilation directory.  With a
 * sysroot the names mean nothing here.
 * Floor: model.
 */
#include "analyzer/model/sym_split.h"
#include <dwarf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int is_harmless(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", name[0] == '/' ? "" : dir, name) >= sizeof(path))
		return 0;
	return stat(path, &st) == 0 ? S_ISREG(st.st_mode) : errno == ENOENT || errno == ENOTDIR;
}

static const char *string_of(struct hl_die_reader *r, Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, name, &a) ? hl_die_string(r, &a) : NULL;
}

void hl_split_find(Dwarf_CU *cu, Dwarf_Die *skeleton, struct hl_die_reader *r,
		   const struct hl_sym_places *places, const char *beside, Dwarf_Die *code)
{
	const char *name = string_of(r, skeleton, DW_AT_dwo_name),
		   *dir = string_of(r, skeleton, DW_AT_comp_dir);
	Dwarf_Die found;

	if (!name)
		name = string_of(r, skeleton, DW_AT_GNU_dwo_name);
	if (!name || places->sysroot || (name[0] != '/' && (!dir || dir[0] != '/')))
		return;
	if (!is_harmless(beside, name) || !is_harmless(dir ? dir : "", name))
		return;
	if (dwarf_cu_info(cu, NULL, NULL, NULL, &found, NULL, NULL, NULL) == 0 && found.addr)
		*code = found;
}
