/*
 * symbols.h - a program counter to the names of its frames, inlined ones included.
 * The only user of libdw and libdwfl.  Floor: model.  Not thread-safe.
 *
 * Sources, best first: DWARF of the module or its separate debug file (by build-id, by debuglink with
 * its CRC, dwz supplements), .symtab, .gnu_debugdata, .dynsym.  A file is used only when its build-id is
 * the recorded one (or neither has one); it is opened only when it is a regular file.  debuginfod is
 * never asked.  Files are untrusted: a hostile one costs memory of the order of its size and seconds, and
 * gives fewer names.  Names and paths are what the files say: printing must expect control characters.
 */
#ifndef HL_MODEL_SYMBOLS_H
#define HL_MODEL_SYMBOLS_H

#include "analyzer/input/facts.h"
#include <sys/types.h>

struct hl_symbol_options {
	const char *const *debug_dirs; /* searched before /usr/lib/debug; NULL-terminated or NULL */
	const char *sysroot;           /* prefix for module paths and debug dirs, NULL none */
	const char *const *path_maps;  /* "OLD=NEW" applied to source paths, first match; or NULL */
	int inlines;                   /* 0: one frame per pc (the innermost line) */
	int variables;                 /* 1: hl_symbols_variable will be asked */
	const char *perf_map; /* names of code made at run time; NULL: /tmp/perf-PID.map, see sym_jit.h */
	uid_t owner;          /* of the trace */
};

enum hl_frame_kind {
	HL_FRAME_LINE,     /* file and line known */
	HL_FRAME_FUNCTION, /* function known, no line */
	HL_FRAME_OFFSET,   /* module known, no function */
	HL_FRAME_UNKNOWN   /* outside every module */
};

/* One printable frame.  Strings are interned: equal strings are equal pointers, valid as long as the
 * hl_symbols.  file is what DESIGN calls the frame's file name:
 *   LINE      comp_dir joined, normalised, mapped: "/src/a.c"; line > 0 (0 when DWARF says 0)
 *   FUNCTION  "MODULE!FUNCTION", line 0; "[jit]!FUNCTION" of code outside every module that a perf map names
 *        OFFSET "MODULE+0xOFF", line 0      UNKNOWN "<unknown>", 0
 * MODULE is the base name of the module's path. */
struct hl_frame {
	const char *file;
	const char *function; /* demangled; "MODULE+0xOFF" or "<unknown>" when unknown */
	const char *module;   /* full path, "<unknown>" when outside */
	uint32_t line;
	uint8_t kind;      /* enum hl_frame_kind */
	uint8_t allocator; /* malloc family, operator new/delete, our own frames: never the newest */
	uint8_t inlined;   /* not a physical frame: inlined into the next one */
};

struct hl_symbols;
struct hl_symbols *hl_symbols_new(const struct hl_facts *facts, const struct hl_symbol_options *o);
void hl_symbols_free(struct hl_symbols *s);

/* Frames of node id, innermost (inlined) first; at least one.  Return addresses are looked up at
 * pc - 1 unless the node is HL_NODE_EXACT.  Cached per (module generation, pc). */
const struct hl_frame *hl_symbols_frames(struct hl_symbols *s, uint32_t node, uint32_t *n);

/* The variable of module number i (of the facts) at that address of the process, as "MODULE!NAME", and how far into
 * it; "MODULE" and the offset in it, as the file counts, where none is known.  Interned. */
const char *hl_symbols_variable(struct hl_symbols *s, uint32_t module, uint64_t address, uint64_t *offset);

struct hl_symbol_stats {
	/* distinct addresses asked for = the sum of the others, by kind of the innermost frame */
	uint64_t pcs, with_line, with_function, with_module, unknown;
	/* packages or files whose absence cost lines, for one hint: "install libc6-dbg"; "" none */
	char hint[256];
};
void hl_symbols_stats(const struct hl_symbols *s, struct hl_symbol_stats *out);

/* C++, Rust and D names by libiberty; returns a malloc'd string, a copy of name when it is none. */
char *hl_demangle(const char *name);

#endif
