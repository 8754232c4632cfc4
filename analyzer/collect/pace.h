/*
 * pace.h - how much of the machine the compression may take.  Floor: collect.
 *
 * Columns cost 2 to 4 times what zstd does and halve what it leaves.  Where a core has nothing else to do that costs the
 * program nothing.  Where more threads want to run than there are cores the collector takes its time from the
 * program: then columns have an account, filled with a sixteenth of the cores and charged with what the columns of every
 * slot cost or would have cost.  A compiler or a script stays below that; a program that does little but malloc does
 * not, and its records are stored as they are; nor does it wake us for every slot then.  The kernel says how many threads run or
 * want to at this moment (proc(5), loadavg); one look says little, so it is the mean of the last few.
 *
 * What it does take then it takes from each core in turn: the scheduler leaves it where it is, and of a program that divided
 * its work the thread on that core would end last.  It is never bound to a core: it goes there and is free again.
 *
 * By measurement, two cores, two threads, 15 M pairs of malloc and free each: 1.35 s with zstd's fastest level, 1.24 with the
 * records as they are, 1.19 with turns; with columns always the program ran a quarter longer.  A scheduling class does not keep the collector out of the way: SCHED_BATCH changed
 * nothing; with SCHED_IDLE or nice the programs of others starve it until the buffer is full, and
 * an unprivileged process cannot come back from either.
 */
#ifndef HL_COLLECT_PACE_H
#define HL_COLLECT_PACE_H

#include "analyzer/collect/writer.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/types.h>

struct hl_pace {
	int fd;            /* of /proc/loadavg, -1: unknown */
	uint32_t cores;    /* that we may run on */
	uint32_t crowd;    /* 0 never more threads than cores, 256 always */
	uint64_t next_ns;  /* when to look again */
	uint64_t then_ns;  /* when the account was last filled */
	int64_t credit_ns; /* CPU time that is on it */
	cpu_set_t all;     /* where we may run; empty: unknown */
	int turn;          /* the core that we last went to, -1: none */
	uint32_t late;     /* so often that took too long; a few times: no more turns */
	uint64_t turn_ns;  /* when to go on to the next */
	pid_t tid;         /* who goes */
	/* On the way to a core since then, 0: not.  A thread of real-time priority may have that core for itself, so
	 * another thread of ours calls us back; guarded: it is there. */
	_Atomic uint64_t going_ns;
	_Atomic int gone, calling, guarded, closed;
	uint32_t byte_ps; /* what a byte costs in columns, in picoseconds */
};

/* In the collector's process. */
void hl_pace_init(struct hl_pace *p);
void hl_pace_release(struct hl_pace *p);
/* At most every few milliseconds by now_ns, of CLOCK_MONOTONIC here and below: look. */
void hl_pace_look(struct hl_pace *p, uint64_t now_ns);
/* What a look found: so many threads run or want to. */
void hl_pace_found(struct hl_pace *p, uint32_t running);
/* For the next slot; waiting: so many of nslots are sealed and still to collect. */
enum hl_hurry hl_pace_choose(struct hl_pace *p, uint32_t waiting, uint32_t nslots, uint64_t now_ns);
/* Every cycle that we take is the program's. */
int hl_pace_aside(const struct hl_pace *p);
/* Take our time from where it is to be taken now. */
void hl_pace_turn(struct hl_pace *p, uint64_t now_ns);
/* Its records took so many bytes and so much CPU time; 0: no columns were made. */
void hl_pace_charge(struct hl_pace *p, uint32_t bytes, uint64_t cpu_ns);

#endif
