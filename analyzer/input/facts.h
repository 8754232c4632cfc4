/*
 * facts.h - what a trace says that is not an event: nodes, modules, threads, the process.
 * Filled in one pass over the chunks that hold facts.  Floor: input.
 *
 * Ownership: everything lives as long as the struct.  All indices below are validated: above
 * this module facts are trusted.  Not thread-safe; read-only after loading.
 */
#ifndef HL_INPUT_FACTS_H
#define HL_INPUT_FACTS_H

#include "analyzer/base/diag.h"
#include "heapledger/format.h"
#include <stddef.h>

/* One stack frame and the way to its caller.  Node 0 is the root: no frame. */
struct hl_node {
	uint64_t pc;
	uint32_t parent; /* the caller's node; < own id; 0: outermost */
	uint32_t epoch;  /* module generation: look pc up among the modules of this epoch */
	uint8_t flags;   /* enum hl_node_flags */
	uint8_t known;   /* 0: the id was used and its record never came (loss): unknown frame */
};

struct hl_module {
	uint32_t id;
	uint32_t first_epoch, last_epoch; /* mapped in these, both inclusive; last UINT32_MAX: to the end */
	uint64_t start, end, bias;        /* [start, end) of its mapping; pc - bias is the ELF address */
	char *path;
	uint8_t build_id[64];
	uint32_t build_id_bytes; /* 0: none */
};

struct hl_thread {
	uint32_t serial, tid;
	uint64_t stack_low, stack_high;
	uint64_t start_stamp, end_stamp; /* end 0: not seen to end */
	char *name;                      /* its last name, never NULL */
};

struct hl_process {
	int seen; /* a HELLO record was found */
	uint32_t image_id, pid, ppid, depth;
	uint64_t start_realtime_ns, start_stamp;
	char *exe;     /* path, "" when unknown */
	char *cmdline; /* arguments joined by spaces, unprintable bytes kept as they are */
	char *options;
	/* forked from: */
	uint32_t parent_image, parent_pid; /* 0: not forked from a traced image */
	char *parent_file;                 /* as opened, NULL: none or not found */
	/* end: */
	enum hl_end end; /* 0 unknown */
	uint32_t end_status;
	uint64_t end_stamp;
	char *exec_path; /* the last exec, NULL none */
};

/* A module whose allocations are not in the trace. */
struct hl_unseen_module {
	enum hl_unseen why;
	char *path, *from; /* from: the module whose malloc it takes, "" unknown */
};

/* A call of mmap, munmap or mremap that the program's code made. */
struct hl_mapping {
	uint64_t start, end, stamp;
	uint32_t module; /* index of the caller's module, UINT32_MAX unknown */
	uint8_t mapped;  /* 0: unmapped */
};

/* What the program said of leaks at that moment. */
struct hl_leak_note_at {
	enum hl_leak_note what;
	uint64_t address, bytes, stamp;
};

struct hl_facts {
	/* nodes[id]; nnodes includes the root and, last, an unknown one that stands for every id whose
	 * record is not in the trace at all */
	struct hl_node *nodes;
	uint32_t nnodes;
	struct hl_module *modules; /* in order of first_epoch, start */
	uint32_t nmodules;
	struct hl_thread *threads; /* sorted by serial */
	uint32_t nthreads;
	struct hl_process process;
	uint64_t lost[HL_LOST_KINDS]; /* counters of what was not recorded */
	struct hl_unseen_module *unseen;
	size_t nunseen;
	struct hl_mapping *mappings; /* in order of stamp */
	size_t nmappings;
	struct hl_leak_note_at *leak_notes; /* in order of stamp; OFF is not among them */
	size_t nleak_notes;
	int leaks_off;       /* the program wants no verdict */
	char *suppressions;  /* that it brings along, NULL: none */
	uint64_t sync_stamp; /* events below it are complete; 0 unknown */
	/* The trace is a sample, its blocks were recorded as HL_FACT_SAMPLE says; 0: it is complete.  Any value. */
	uint64_t sample_bytes;
	struct hl_module_span *spans; /* of hl_facts_module; NULL: it looks at one module after the other */
};

/* The module that holds pc in that epoch, NULL: none.  O(log n + modules that were ever at pc). */
const struct hl_module *hl_facts_module(const struct hl_facts *f, uint64_t pc, uint32_t epoch);
/* NULL when there is no such thread. */
const struct hl_thread *hl_facts_thread(const struct hl_facts *f, uint32_t serial);
/* What a lost counter means, for reports: "events: no free slot within the wait". */
const char *hl_lost_name(enum hl_lost k);

#endif
