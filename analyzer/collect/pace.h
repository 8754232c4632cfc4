/*
 * pace.h - how much of the machine the compression may take.  Floor: collect.
 *
 * Columns cost 2 to 3 times what zstd does and halve what it leaves.  The records of a compiler or of a script
 * take them less than a tenth of a core.  Those of a program that does nothing but malloc would fill a core,
 * which is then missing where the program runs.  So there is an account, filled with a sixteenth of the
 * machine's cores and charged with what the columns of every slot cost or would have cost: while the program
 * writes more than that pays for, all of it gets zstd.
 *
 * By measurement, two cores, two threads, 20 M pairs of malloc and free: without the account the program ran a
 * quarter longer.  A scheduling class does not keep the collector out of the way: SCHED_BATCH changed
 * nothing; with SCHED_IDLE or nice the programs of others starve it until the buffer is full, and
 * an unprivileged process cannot come back from either.
 */
#ifndef HL_COLLECT_PACE_H
#define HL_COLLECT_PACE_H

#include "analyzer/collect/writer.h"

struct hl_pace {
	int64_t credit_ns; /* CPU time that columns may still take */
	uint64_t then_ns;  /* when it was last filled */
	uint32_t share;    /* with so many sixteenths of the time that passed */
	uint32_t byte_ps;  /* what a byte costs in columns, in picoseconds */
};

/* now_ns: of CLOCK_MONOTONIC, here and below. */
void hl_pace_init(struct hl_pace *p, unsigned cores, uint64_t now_ns);
/* For the next slot; waiting: so many of nslots are sealed and still to collect. */
enum hl_hurry hl_pace_choose(struct hl_pace *p, uint32_t waiting, uint32_t nslots, uint64_t now_ns);
/* Its records took so many bytes and so much CPU time; 0: no columns were made. */
void hl_pace_charge(struct hl_pace *p, uint32_t bytes, uint64_t cpu_ns);

#endif
