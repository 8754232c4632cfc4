/*
 * elfinfo.h - what an executable says about itself that matters to tracing.  Floor: collect.
 *
 * Read by libelf, which bounds every access to the file.  Sources: ELF gABI (program header PT_INTERP,
 * dynamic section DT_NEEDED, notes), GNU build-id note, .gnu_debuglink (GDB manual, "Separate Debug Files").
 */
#ifndef HL_COLLECT_ELFINFO_H
#define HL_COLLECT_ELFINFO_H

#include "analyzer/base/diag.h"
#include <stdint.h>

enum { HL_IMPORTS_DLOPEN = 1, HL_IMPORTS_DLMOPEN = 2, HL_IMPORTS_SECCOMP = 4 };

struct hl_elfinfo {
	int is_elf;
	int elf_class;      /* ELFCLASS32, ELFCLASS64 */
	unsigned machine;   /* EM_X86_64... */
	int is_program;     /* ET_EXEC or ET_DYN */
	char interp[256];   /* PT_INTERP; "" none: static */
	char sanitizer[64]; /* the library or symbol that shows one; "" none */
	char allocator[32]; /* name of an allocator linked into it, "malloc" an unknown one; "" none */
	int exports_malloc; /* 1: calls of malloc end there; 0: it has other names (Rust's _rjem_malloc) */
	int own_new;        /* operator new, and it is not that of a static libstdc++ */
	int imports;        /* HL_IMPORTS_ */
	uint8_t build_id[64];
	unsigned build_id_bytes;
	int debug_info;      /* .debug_info is in the file */
	char debuglink[256]; /* "" none */
};

/* Fill in from an open file; of a library only by what it exports and imports (library: 1).  A file that is no ELF file is no error: is_elf is 0.
 * HL_ERR_FORMAT: it claims to be one and is damaged. */
int hl_elfinfo_read(struct hl_elfinfo *e, int fd, int library, struct hl_diag *d);

/* Does a separate file with debug information exist?  path: of the executable. */
int hl_elfinfo_has_debug_file(const struct hl_elfinfo *e, const char *path);

/* Is this the name of a library that a sanitizer with an allocator of its own consists of? */
int hl_elfinfo_is_sanitizer(const char *name);

/* Those of this program itself. */
int hl_elfinfo_own_class(void);
unsigned hl_elfinfo_own_machine(void);

#endif
