/*
 * dynamic.h - what an ELF file asks of the dynamic linker.  Floor: collect.
 *
 * Read from PT_DYNAMIC, as ld.so does: section headers may be stripped.  Every access is
 * bounded by the file.
 */
#ifndef HL_COLLECT_DYNAMIC_H
#define HL_COLLECT_DYNAMIC_H

struct hl_dynamic {
	int elf_class;
	unsigned machine;
	char *soname;  /* NULL: none */
	char *rpath;   /* DT_RPATH; NULL also where DT_RUNPATH makes it void */
	char *runpath; /* DT_RUNPATH */
	char **needed; /* DT_NEEDED, in order */
	unsigned nneeded;
	int no_default_paths; /* DF_1_NODEFLIB */
};

/* 1: d is filled in and wants a release; 0: no ELF file that can be loaded. */
int hl_dynamic_read(struct hl_dynamic *d, int fd);
void hl_dynamic_release(struct hl_dynamic *d);

#endif
