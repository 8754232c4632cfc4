/*
 * names.h - where traces go: names, and what is refused about them before the command starts.
 * Floor: collect.
 */
#ifndef HL_COLLECT_NAMES_H
#define HL_COLLECT_NAMES_H

#include "analyzer/base/diag.h"
#include <stddef.h>
#include <sys/types.h>

#define HL_OUTPUT_DEFAULT "heapledger.%n.%p.hl"

/* Expand %p (pid), %n (base name of program), %h (host name) and %%.
 * HL_ERR_USAGE: another letter after %, empty, or too long. */
int hl_output_expand(char *out, size_t room, const char *pattern, const char *program, pid_t pid,
		     struct hl_diag *d);

/* See that the trace can be written, and hold its name by an empty file.  Refused (HL_ERR_REFUSED): an
 * existing file unless force; with force, anything but a regular file of ours; a symbolic link always; a
 * directory that others can write and that has no sticky bit. */
int hl_output_reserve(const char *path, int force, struct hl_diag *d);

/* Nothing was written to path: take an empty file away again, and with `stale` any file of ours. */
void hl_output_unreserve(const char *path, int stale);

const char *hl_base_name(const char *path);

#endif
