/*
 * sym_die_name.c - what a function is called.
 *
 * With a linker's name that is it.  Without one (static functions and lambdas of C++, by GCC) the name is
 * put together from the scopes around the declaration, so that it is the same whether the function was
 * inlined or not.
 * Floor: model.
 */
#include "analyzer/model/sym_die.h"
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#define CHAIN_MAX      16 /* origins and specifications: real files have 2 */
#define SCOPE_MAX      32
#define NAME_MAX_BYTES 1024

static const char *string_of(struct hl_die_reader *r, Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, name, &a) ? hl_die_string(r, &a) : NULL;
}

static const char *scope_name(struct hl_die_reader *r, Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_namespace: {
		const char *name = string_of(r, die, DW_AT_name);

		return name ? name : "(anonymous namespace)";
	}
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type: {
		const char *name = string_of(r, die, DW_AT_name);

		return name ? name : "{unnamed}"; /* of lambdas as well */
	}
	case DW_TAG_module:
	case DW_TAG_subprogram:
		return string_of(r, die, DW_AT_name);
	default:
		return NULL;
	}
}

/* The scopes from the unit down to the entry at `target`, as "a::b::".  Entries have no way up, but they
 * are in order: at each level the way down is the last one that begins before the target. */
static size_t scopes_above(struct hl_die_reader *r, Dwarf_Die *target, char *out, size_t room)
{
	Dwarf_Die at, next, child;
	size_t n = 0;

	out[0] = 0;
	if (!dwarf_diecu(target, &at, NULL, NULL))
		return 0;
	for (int depth = 0; depth < SCOPE_MAX && hl_die_first(r, &at, &child); depth++) {
		const char *name;

		for (next = child; hl_die_next(r, &next) && next.addr <= target->addr;)
			child = next;
		if (child.addr >= target->addr)
			break;
		name = scope_name(r, &child);
		if (name && *name) {
			int wrote = snprintf(out + n, room - n, "%s::", name);

			if (wrote < 0 || (size_t)wrote >= room - n)
				break;
			n += (size_t)wrote;
		}
		at = child;
	}
	out[n] = 0;
	return n;
}

const struct hl_sym_name *hl_die_function(struct hl_die_reader *r, Dwarf_Die *die, int scoped)
{
	const struct hl_sym_name *known;
	const char *plain = NULL;
	Dwarf_Die at = *die;
	Dwarf_Attribute a;
	char full[NAME_MAX_BYTES];

	for (int i = 0; i < CHAIN_MAX; i++) {
		const char *linkage = string_of(r, &at, DW_AT_linkage_name);

		if (!linkage)
			linkage = string_of(r, &at, DW_AT_MIPS_linkage_name);
		if (linkage && *linkage) {
			known = hl_sym_names_known(r->names, linkage);
			return known ? known : hl_sym_names_add(r->names, linkage, linkage);
		}
		if (!plain)
			plain = string_of(r, &at, DW_AT_name);
		if (!dwarf_attr(&at, DW_AT_abstract_origin, &a) && !dwarf_attr(&at, DW_AT_specification, &a))
			break;
		if (!dwarf_formref_die(&a, &at))
			break;
	}
	if (!plain || !*plain)
		return NULL;
	known = hl_sym_names_known(r->names, scoped ? at.addr : plain);
	if (known)
		return known;
	if (!scoped)
		return hl_sym_names_add(r->names, plain, plain);
	snprintf(full + scopes_above(r, &at, full, sizeof(full) / 2), sizeof(full) / 2, "%s", plain);
	return hl_sym_names_add(r->names, at.addr, full);
}
