/*
 * areas.h - the memory outside the blocks of the heap: does a word there keep what it points to?  Floor: analysis.
 *
 * Kept by: writable segments of modules; a thread's stack from its stack pointer up, with what lies above it
 * (static TLS, struct pthread: its keys, its result); memory that the program mapped for itself; shared memory.
 * Not by: what an allocator mapped for itself outside its blocks, where old pointers lie about; a stack below
 * its stack pointer; the stack of a thread that has ended, which glibc keeps for the next one, but for the control
 * block on it: there is the result until somebody joins the thread.
 *
 * Whose a mapping is: recorded calls (facts->mappings) say which module asked; what nobody is recorded for
 * was mapped by libc or the loader for themselves, or by a system call of the program's own.  Of these, the mapping
 * with a thread's control block is its stack or its TLS; one that holds a block, or begins as an arena of glibc
 * does, is an allocator's; any other is taken for the program's.
 */
#ifndef HL_ANALYSIS_AREAS_H
#define HL_ANALYSIS_AREAS_H

#include "analyzer/input/facts.h"
#include "analyzer/input/image.h"

enum hl_area_kind {
	HL_AREA_MODULE,
	HL_AREA_STACK,
	HL_AREA_TLS,    /* of the program's first thread */
	HL_AREA_MAPPED, /* by the program, anonymous */
	HL_AREA_FILE,   /* by the program, private, of a file */
	HL_AREA_SHARED,
	HL_AREA_REGISTERS, /* no memory: of a thread */
	HL_AREA_TOLD       /* registered by the program; no bounds */
};

struct hl_area {
	uint64_t start, end;
	enum hl_area_kind kind;
	/* 1: a pointer counts only when it is to the start of a block: in libc's data malloc keeps pointers to its
	 * free chunks, of which each begins in the block before it. */
	int exact;
	uint32_t module;  /* index, of MODULE */
	uint32_t tid;     /* of STACK, TLS, REGISTERS */
	const char *name; /* of the mapping as the kernel says it, the image's */
};

struct hl_areas {
	struct hl_area *area; /* by start, apart from each other */
	size_t n;
	int whole_stacks; /* stacks of which all counts, because nobody knows where they end */
	size_t room;
};

/* Is there a live block in [start, end)? */
typedef int hl_holds_block(void *ctx, uint64_t start, uint64_t end);

/* facts and image must outlive it. */
void hl_areas_build(struct hl_areas *p, const struct hl_image_at *image, const struct hl_facts *facts,
		    hl_holds_block *holds, void *ctx);
void hl_areas_release(struct hl_areas *p);
/* The area with that address, NULL: none.  *hint: where the last one was found, 0 at first: fast for ascending addresses. */
const struct hl_area *hl_areas_at(const struct hl_areas *p, uint64_t address, size_t *hint);

/* Is the module libc, is it the loader?  By the name of its file. */
int hl_module_is_libc(const struct hl_module *m);
int hl_module_is_loader(const struct hl_module *m);

#endif
