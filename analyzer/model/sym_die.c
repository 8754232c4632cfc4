/*
 * sym_die.c - strings, ranges and neighbours of a DWARF entry.
 *
 * Invariant: every loop over the file takes from the budget, so one question costs a bounded time
 * whatever the file says.
 * Floor: model.
 */
#include "analyzer/model/sym_die.h"
#include <dwarf.h>
#include <gelf.h>
#include <string.h>

/* Find the section of d that holds p, and remember it. */
static const struct hl_die_section *find_section(struct hl_die_reader *r, Dwarf *d, const char *p)
{
	Elf *elf = d ? dwarf_getelf(d) : NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr shdr;
		const char *name = gelf_getshdr(scn, &shdr) ? elf_strptr(elf, names, shdr.sh_name) : NULL;
		Elf_Data *data;

		if (!name || shdr.sh_type == SHT_NOBITS ||
		    (strncmp(name, ".debug_", 7) && strncmp(name, ".zdebug_", 8)))
			continue;
		data = elf_getdata(scn, NULL);
		if (data && data->d_buf && p >= (char *)data->d_buf &&
		    p < (char *)data->d_buf + data->d_size) {
			unsigned at = r->nsections < HL_DIE_SECTIONS ? r->nsections++ : HL_DIE_SECTIONS - 1;

			r->sections[at].start = data->d_buf;
			r->sections[at].end = r->sections[at].start + data->d_size;
			return &r->sections[at];
		}
	}
	return NULL;
}

const char *hl_die_string(struct hl_die_reader *r, Dwarf_Attribute *a)
{
	const char *s = dwarf_formstring(a);
	const struct hl_die_section *in = NULL;
	Dwarf *d;

	if (!s)
		return NULL;
	for (unsigned i = 0; i < r->nsections && !in; i++)
		if (s >= r->sections[i].start && s < r->sections[i].end)
			in = &r->sections[i];
	d = in ? NULL : dwarf_cu_getdwarf(a->cu);
	if (!in)
		in = find_section(r, d, s);
	if (!in && (a->form == DW_FORM_GNU_strp_alt || a->form == DW_FORM_strp_sup))
		in = find_section(r, dwarf_getalt(d), s);
	return in && memchr(s, 0, (size_t)(in->end - s)) ? s : NULL;
}

int hl_die_next_range(struct hl_die_reader *r, Dwarf_Die *die, struct hl_die_ranges *i, Dwarf_Addr *low,
		      Dwarf_Addr *high)
{
	if (!r->budget)
		return 0;
	r->budget--;
	i->at = dwarf_ranges(die, i->at, &i->base, low, high);
	return i->at > 0;
}

int hl_die_holds(struct hl_die_reader *r, Dwarf_Die *die, Dwarf_Addr addr)
{
	struct hl_die_ranges i = {0};
	Dwarf_Addr low, high;
	int any = -1;

	while (hl_die_next_range(r, die, &i, &low, &high)) {
		if (addr >= low && addr < high)
			return 1;
		any = 0;
	}
	return any;
}

int hl_die_next(struct hl_die_reader *r, Dwarf_Die *die)
{
	int walks = dwarf_haschildren(die) > 0 && !dwarf_hasattr(die, DW_AT_sibling);
	Dwarf_Die next = {0};
	uint64_t cost = 1;
	int end;

	if (!r->budget)
		return 0;
	end = dwarf_siblingof(die, &next) != 0;
	/* libdw had to walk over all that is below; next is set at the end of a level, too */
	if (walks && next.addr > die->addr)
		cost += (uint64_t)((char *)next.addr - (char *)die->addr) / 4;
	r->budget -= cost < r->budget ? cost : r->budget;
	if (!end)
		*die = next;
	return !end;
}

int hl_die_first(struct hl_die_reader *r, Dwarf_Die *die, Dwarf_Die *child)
{
	if (!r->budget)
		return 0;
	r->budget--;
	return dwarf_child(die, child) == 0;
}
