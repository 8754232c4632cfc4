/*
 * sym_jit.h - names of code that a program made while it ran, from the map that it wrote for perf.  Floor: model.
 *
 * /tmp/perf-PID.map: a line for each function, "START SIZE NAME", both hexadecimal; of two at one address the later line
 * counts.  Source: Linux tools/perf/Documentation/jit-interface.txt.  Written by node --perf-basic-prof,
 * java -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit, PYTHONPERFSUPPORT=1 and others.
 *
 * Anybody can make a file in /tmp: it is used only when it is a regular file, no link, belongs to the owner of the
 * trace or to us, and was written after the process started.
 */
#ifndef HL_MODEL_SYM_JIT_H
#define HL_MODEL_SYM_JIT_H

#include "analyzer/input/facts.h"
#include <sys/types.h>

struct hl_jitmap;
/* The map of that process, or of the one it was forked from; NULL: there is none to be used.  path: that file and no
 * other, whosever it is; NULL: by the pid.  sysroot: prefix, or NULL. */
struct hl_jitmap *hl_jitmap_open(const struct hl_process *p, const char *path, const char *sysroot,
				 uid_t owner);
void hl_jitmap_free(struct hl_jitmap *m);
/* The function at pc, valid as long as the map; NULL: none. */
const char *hl_jitmap_find(const struct hl_jitmap *m, uint64_t pc);

#endif
