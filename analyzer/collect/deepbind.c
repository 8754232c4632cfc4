/*
 * deepbind.c - calls of dlopen in x86-64 code.  Floor: collect.
 */
#include "analyzer/collect/deepbind.h"
#include <dlfcn.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define PLACES_MAX 16 /* slots and stubs: one or two in practice */
#define BACK_BYTES 48 /* about ten instructions */

/* Every flag that dlopen knows; a number with other bits is no flags. */
#define KNOWN_FLAGS (RTLD_LAZY | RTLD_NOW | RTLD_NOLOAD | RTLD_DEEPBIND | RTLD_GLOBAL | RTLD_NODELETE)

struct places {
	uint64_t at[PLACES_MAX];
	unsigned n;
};

struct code {
	const uint8_t *bytes;
	size_t n;
	uint64_t address;
};

struct scan {
	struct hl_deepbind *b;
	Elf *elf;
	struct places slots, stubs;
};

static void add(struct places *p, uint64_t at)
{
	if (p->n < PLACES_MAX)
		p->at[p->n++] = at;
}

static int has(const struct places *p, uint64_t at)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->at[i] == at)
			return 1;
	return 0;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Where an operand relative to the next instruction points; it ends the instruction. */
static uint64_t target(const struct code *c, size_t operand)
{
	return c->address + operand + 4 + (uint64_t)(int64_t)(int32_t)get32(c->bytes + operand);
}

static void read_slots(struct scan *s, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL), *symbols;
	Elf_Scn *symscn = elf_getscn(s->elf, sh->sh_link);
	GElf_Shdr symsh;
	GElf_Rela rel;
	GElf_Sym sym;

	if (!data || !symscn || !gelf_getshdr(symscn, &symsh) || symsh.sh_type != SHT_DYNSYM)
		return;
	symbols = elf_getdata(symscn, NULL);
	for (int i = 0; i < INT_MAX && gelf_getrela(data, i, &rel); i++) {
		unsigned type = GELF_R_TYPE(rel.r_info);
		const char *name;

		if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
		    !gelf_getsym(symbols, (int)GELF_R_SYM(rel.r_info), &sym))
			continue;
		name = elf_strptr(s->elf, symsh.sh_link, sym.st_name);
		if (name && !strcmp(name, "dlopen"))
			add(&s->slots, rel.r_offset);
	}
}

/* jmp *slot(%rip), maybe after endbr64, maybe with a bnd prefix: a stub begins at any of these. */
static void find_stubs(struct scan *s, const struct code *c)
{
	static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};

	for (size_t i = 0; i + 6 <= c->n; i++) {
		size_t start = i;

		if (c->bytes[i] != 0xff || c->bytes[i + 1] != 0x25 || !has(&s->slots, target(c, i + 2)))
			continue;
		add(&s->stubs, c->address + start);
		if (start >= 1 && c->bytes[start - 1] == 0xf2)
			add(&s->stubs, c->address + --start);
		if (start >= 4 && !memcmp(c->bytes + start - 4, endbr, 4))
			add(&s->stubs, c->address + start - 4);
	}
}

/* The constant that is last put into %esi before this place, and where; 0: none found, which are no flags. */
static unsigned constant_before(const struct code *c, size_t place, size_t *where)
{
	size_t lowest = place > BACK_BYTES ? place - BACK_BYTES : 0;

	for (size_t i = place; i-- > lowest;) {
		const uint8_t *p = c->bytes + i;
		uint32_t v = 0;

		*where = i;
		/* another call in between: its second argument is not ours */
		if (*p == 0xe8 && place - i >= 5 && target(c, i + 1) - c->address < c->n)
			return 0;
		/* push $imm8; pop %rsi */
		if (*p == 0x6a && place - i >= 3 && p[2] == 0x5e)
			v = p[1];
		/* mov $imm32,%esi; with REX.B before it, another register */
		else if (*p == 0xbe && place - i >= 5 && !(i > 0 && (p[-1] & 0xf1) == 0x41))
			v = get32(p + 1);
		if (v && !(v & ~(uint32_t)KNOWN_FLAGS))
			return v;
	}
	return 0;
}

/* Flags that this call may have: of the code before it, and of a short jump to where that has set its own. */
static unsigned flags_before(const struct code *c, size_t call)
{
	size_t at, other;
	unsigned flags = constant_before(c, call, &at);
	size_t lowest = at > BACK_BYTES ? at - BACK_BYTES : 0;

	for (size_t i = at; flags && i-- > lowest;) {
		size_t to = i + 2 + (size_t)(int8_t)c->bytes[i + 1];

		if (c->bytes[i] == 0xeb && to > at && to <= call)
			flags |= constant_before(c, i, &other);
	}
	return flags;
}

/* A call or jump at this byte that ends in dlopen: through a stub, or through the slot. */
static int is_call(const struct scan *s, const struct code *c, size_t i)
{
	const uint8_t *p = c->bytes + i;

	if (p[0] == 0xe8 || p[0] == 0xe9)
		return has(&s->stubs, target(c, i + 1));
	return p[0] == 0xff && (p[1] == 0x15 || p[1] == 0x25) && i + 6 <= c->n &&
	       has(&s->slots, target(c, i + 2));
}

static void find_calls(struct scan *s, const struct code *c)
{
	for (size_t i = 0; i + 5 <= c->n; i++) {
		unsigned flags;

		if (!is_call(s, c, i))
			continue;
		flags = flags_before(c, i);
		s->b->calls++;
		s->b->constants += flags != 0;
		s->b->deep += (flags & RTLD_DEEPBIND) != 0;
	}
}

/* Every section of stubs (plt: 1), or of other code. */
static void each_code(struct scan *s, void (*see)(struct scan *, const struct code *), int plt)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(s->elf, &names) < 0)
		return;
	while ((scn = elf_nextscn(s->elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;
		const char *name;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_PROGBITS || !(sh.sh_flags & SHF_EXECINSTR))
			continue;
		name = elf_strptr(s->elf, names, sh.sh_name);
		if (plt != (name && !strncmp(name, ".plt", 4)))
			continue;
		data = elf_getdata(scn, NULL);
		if (data && data->d_buf)
			see(s,
			    &(struct code){.bytes = data->d_buf, .n = data->d_size, .address = sh.sh_addr});
	}
}

void hl_deepbind_scan(struct hl_deepbind *b, int fd)
{
	struct scan s = {.b = b};
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;
	GElf_Shdr sh;

	memset(b, 0, sizeof(*b));
	elf_version(EV_CURRENT);
	s.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!s.elf || elf_kind(s.elf) != ELF_K_ELF || !gelf_getehdr(s.elf, &eh) ||
	    eh.e_machine != EM_X86_64 || gelf_getclass(s.elf) != ELFCLASS64)
		goto out;
	b->looked = 1;
	while ((scn = elf_nextscn(s.elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_RELA)
			read_slots(&s, scn, &sh);
	if (!s.slots.n)
		goto out;
	each_code(&s, find_stubs, 1);
	each_code(&s, find_calls, 0);
out:
	elf_end(s.elf);
}
