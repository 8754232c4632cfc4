/*
 * leak_kind.h - what can be said of a block that is live at a moment.  Floor: analysis.
 */
#ifndef HL_ANALYSIS_LEAK_KIND_H
#define HL_ANALYSIS_LEAK_KIND_H

enum hl_leak_kind { HL_LEAK_DEFINITE, HL_LEAK_INDIRECT, HL_LEAK_POSSIBLE, HL_LEAK_REACHABLE, HL_LEAK_KINDS };
/* "definite" and so on, as on the command line and in every format. */
extern const char *const hl_leak_kind_names[HL_LEAK_KINDS];

#endif
