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

struct hl_elfinfo {
	int is_elf;
	int elf_class;      /* ELFCLASS32, ELFCLASS64 */
	unsigned machine;   /* EM_X86_64... */
	int is_program;     /* ET_EXEC or ET_DYN */
	char interp[256];   /* PT_INTERP; "" none: static */
	char sanitizer[64]; /* the library or symbol that shows one; "" none */
	char allocator[32]; /* name of an allocator that it exports itself; "" none */
	uint8_t build_id[64];
	unsigned build_id_bytes;
	int debug_info;      /* .debug_info is in the file */
	char debuglink[256]; /* "" none */
};

/* Fill in from an open file.  A file that is no ELF file is no error: is_elf is 0.
 * HL_ERR_FORMAT: it claims to be one and is damaged. */
int hl_elfinfo_read(struct hl_elfinfo *e, int fd, struct hl_diag *d);

/* Does a separate file with debug information exist?  path: of the executable. */
int hl_elfinfo_has_debug_file(const struct hl_elfinfo *e, const char *path);

/* Those of this program itself. */
int hl_elfinfo_own_class(void);
unsigned hl_elfinfo_own_machine(void);

#endif
