/*
 * sym_unit.c - from an address to a function and what was inlined into it there.
 *
 * The index is made once per unit, of the entries right below it and in its namespaces; GCC and clang
 * put all functions there but nested ones (GNU C, Fortran, local classes), for which the whole unit is
 * walked when an address is not found.  Inside a function only the way to the address is walked.
 * Floor: model.
 */
#include "analyzer/model/sym_unit.h"
#include <dwarf.h>

#define DEPTH_MAX 256

void hl_sym_unit_init(struct hl_sym_unit *u, const Dwarf_Die *die, const Dwarf_Die *code)
{
	*u = (struct hl_sym_unit){.die = *die, .code = *code};
	switch (dwarf_srclang(&u->code)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
	case 0x2c: /* C17 */
	case 0x3e: /* C23 */
	case -1:   /* it does not say */
		break;
	default:
		u->scoped = 1;
	}
}

void hl_sym_unit_release(struct hl_sym_unit *u)
{
	hl_spans_release(&u->functions);
}

static int is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return 1;
	default:
		return 0;
	}
}

static void index_below(struct hl_sym_unit *u, struct hl_die_reader *r, Dwarf_Die *parent, int deep,
			int depth)
{
	Dwarf_Die die;

	if (depth > DEPTH_MAX || !hl_die_first(r, parent, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram) {
			struct hl_die_ranges i = {0};
			Dwarf_Addr low, high;

			while (hl_die_next_range(r, &die, &i, &low, &high))
				if (low >= r->text)
					hl_spans_add(&u->functions, low, high, dwarf_dieoffset(&die));
		}
		if (deep || is_scope(tag))
			index_below(u, r, &die, deep, depth + 1);
	} while (hl_die_next(r, &die));
}

static void index_unit(struct hl_sym_unit *u, struct hl_die_reader *r, int deep)
{
	uint64_t budget = r->budget;

	r->budget = r->index_budget;
	hl_spans_release(&u->functions);
	index_below(u, r, &u->code, deep, 0);
	hl_spans_sort(&u->functions);
	u->indexed = deep ? 2 : 1;
	r->index_budget = r->budget;
	r->budget = budget;
}

void hl_sym_unit_index(struct hl_sym_unit *u, struct hl_die_reader *r)
{
	if (!u->indexed)
		index_unit(u, r, 0);
}

int hl_sym_unit_find(struct hl_sym_unit *u, struct hl_die_reader *r, Dwarf_Addr addr, Dwarf_Die *function)
{
	const struct hl_span *at;

	for (;;) {
		at = u->indexed ? hl_spans_find(&u->functions, addr) : NULL;
		if (at || u->indexed == 2)
			break;
		index_unit(u, r, u->indexed == 1);
	}
	return at && dwarf_offdie(dwarf_cu_getdwarf(u->code.cu), at->value, function);
}

/* Look below die for the inlined functions that hold addr.  1: found, chain grew. */
static int descend(struct hl_die_reader *r, Dwarf_Die *die, Dwarf_Addr addr, Dwarf_Die *chain, unsigned max,
		   unsigned *n, int depth)
{
	Dwarf_Die child;

	if (depth > DEPTH_MAX || !hl_die_first(r, die, &child))
		return 0;
	do {
		int holds;

		switch (dwarf_tag(&child)) {
		case DW_TAG_inlined_subroutine:
			if (hl_die_holds(r, &child, addr) != 1)
				break;
			if (*n < max)
				chain[(*n)++] = child;
			descend(r, &child, addr, chain, max, n, depth + 1);
			return 1;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_with_stmt:
			holds = hl_die_holds(r, &child, addr);
			if (holds == 1)
				return descend(r, &child, addr, chain, max, n, depth + 1);
			/* a block without addresses may still hold something that has */
			if (holds < 0 && descend(r, &child, addr, chain, max, n, depth + 1))
				return 1;
			break;
		default:
			break;
		}
	} while (hl_die_next(r, &child));
	return 0;
}

unsigned hl_sym_unit_inlines(struct hl_die_reader *r, const Dwarf_Die *function, Dwarf_Addr addr,
			     Dwarf_Die *chain, unsigned max)
{
	Dwarf_Die die = *function;
	unsigned n = 1;

	chain[0] = die;
	descend(r, &die, addr, chain, max, &n, 0);
	return n;
}
