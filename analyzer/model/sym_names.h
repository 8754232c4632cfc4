/*
 * sym_names.h - names of functions as files give them, to names for people.  Floor: model.
 */
#ifndef HL_MODEL_SYM_NAMES_H
#define HL_MODEL_SYM_NAMES_H

#include "analyzer/base/intern.h"
#include "analyzer/base/map.h"

struct hl_sym_name {
	const char *text; /* interned, demangled */
	uint8_t allocator;
};

/* The names of one module. */
struct hl_sym_names {
	struct hl_intern *intern;
	struct hl_map by_key; /* to index + 1 */
	struct hl_sym_name *names;
	size_t nnames, room;
	uint8_t allocator_module; /* jemalloc and the like: their prefixed names count */
	uint8_t ours;             /* libheapledger.so: every function counts */
};

/* module: base name of its file. */
void hl_sym_names_init(struct hl_sym_names *s, struct hl_intern *intern, const char *module);
void hl_sym_names_release(struct hl_sym_names *s);

/* What is known for that key (the address of a string or DIE that stays where it is), or NULL. */
const struct hl_sym_name *hl_sym_names_known(const struct hl_sym_names *s, const void *key);
/* raw: a linker's name, or one that needs no demangling.  key must be new; NULL: do not remember.  The
 * result is valid until the next call of this function. */
const struct hl_sym_name *hl_sym_names_add(struct hl_sym_names *s, const void *key, const char *raw);

/* Is it an entry point of an allocator?  The malloc family under its names in C libraries, operator new
 * and delete (mangled or not), Rust's; with prefixed also je_malloc, tc_new and so on. */
int hl_sym_is_allocator(const char *raw, int prefixed);

#endif
