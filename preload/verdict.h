/*
 * verdict.h - running the analyzer that is installed beside the library, for a program that asks what it has lost.  Floor 4.
 *
 * Only where the program calls a leak check, or a bare start has HEAPLEDGER_EXITCODE: then, and never else, the library starts a
 * process, prints to stderr and changes the status.
 */
#ifndef HL_PRELOAD_VERDICT_H
#define HL_PRELOAD_VERDICT_H

#include "preload/thread.h"

/* In our constructor: where the analyzer is, and what the program says of leaks (__lsan_default_suppressions). */
void hl_verdict_setup(void);
/* When exit() begins: does the program want no verdict (__lsan_is_turned_off)? */
void hl_verdict_before_exit(void);
/* Judge the process as it is now: 1 something is lost, and a report is on stderr; 0 nothing is; -1 no verdict (counted). */
int hl_verdict_now(void);
/* At the end of exit(), when HEAPLEDGER_EXITCODE is set: the status that the program ends with instead, -1: its own.  The end is
 * recorded. */
int hl_verdict_at_exit(void);

#endif
