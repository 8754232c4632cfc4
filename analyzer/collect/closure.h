/*
 * closure.h - what the libraries of a program mean for tracing it.  Floor: collect.
 */
#ifndef HL_COLLECT_CLOSURE_H
#define HL_COLLECT_CLOSURE_H

#include "analyzer/collect/elfinfo.h"
#include "analyzer/collect/target.h"

/* Rows about the program at path, of which e is known, and every library it needs. */
void hl_closure_check(struct hl_target *t, const struct hl_elfinfo *e, const char *path);

#endif
