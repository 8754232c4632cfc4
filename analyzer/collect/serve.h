/*
 * serve.h - the collector's process.  Floor: collect.
 *
 * `run` forks it before the command starts.  It is a process of its own, in a session of its own:
 * its pid stays the same when `run` returns and daemons of the command go on, so programs that they
 * start later still find the region; the terminal's signals do not reach it; and when `run` is
 * killed, the traces are completed all the same.
 */
#ifndef HL_COLLECT_SERVE_H
#define HL_COLLECT_SERVE_H

#include "analyzer/collect/collector.h"

/* Call in the forked child; never returns.  control: this side of the pair; it and the region's are above 2
 * and the only descriptors that stay open.  run: the process at the other side. */
void hl_serve(struct hl_share *share, const struct hl_collector_options *o, int control, pid_t run)
	__attribute__((noreturn));

#endif
