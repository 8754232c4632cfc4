/*
 * blame.h - who is to blame for a block: its newest frame that is not a library's.  Floor: analysis.
 *
 * Rules, one a line, the first that matches a frame decides; no rule: the frame is to blame.
 *
 *   # comment
 *   skip function xmalloc        patterns as match.h has them
 *   skip file *.hpp
 *   keep module *libmine.so
 *   defaults                     the built-in rules are inserted here
 */
#ifndef HL_ANALYSIS_BLAME_H
#define HL_ANALYSIS_BLAME_H

#include "analyzer/analysis/names.h"
#include "analyzer/analysis/stacks.h"
#include "analyzer/base/diag.h"

struct hl_blame;
/* rules: the text of a rule file, NULL: the built-in ones.  name: of that file, for messages.
 * HL_ERR_USAGE with the line number. */
int hl_blame_new(struct hl_blame **out, const char *rules, const char *name, struct hl_diag *d);
void hl_blame_free(struct hl_blame *b);
/* 1: a rule says to go on to the caller.  Memoised: one hl_names for the life of b. */
int hl_blame_skips(struct hl_blame *b, const struct hl_names *n, uint32_t frame);
/* The frame of stack to blame, its newest when all are skipped.  b NULL: the newest. */
uint32_t hl_blame_frame(struct hl_blame *b, struct hl_stacks *s, uint32_t stack);
/* The built-in rules as text, for the manual. */
const char *hl_blame_defaults(void);

#endif
