/*
 * collector.h - the rounds of a collector: drain, admit, finish, snapshots.  Floor: collect.
 *
 * One thread of one process.  The caller loops: round, whatever else it has to do, sleep.  What is
 * announced by hl_share_nudge after a round began ends the sleep that follows it, so nothing that
 * the caller looks at in between can be missed.
 */
#ifndef HL_COLLECT_COLLECTOR_H
#define HL_COLLECT_COLLECTOR_H

#include "analyzer/collect/drain.h"

struct hl_collector_options {
	const char *path; /* FILE */
	int force;
	pid_t command;         /* its first image writes FILE; its end is told, not noticed */
	double every_s;        /* a mark every so often; 0 never */
	uint64_t growth_bytes; /* a mark when an image grew by so much; 0 never */
};

struct hl_collector {
	struct hl_share *share;
	struct hl_collector_options options;
	struct hl_outs outs;
	struct hl_roster roster;
	int ended;                /* the command ended */
	int status, status_known; /* of wait */
	uint32_t ticket;          /* seal_futex when the round began */
	uint32_t untraced_told;   /* in the command's last trace: */
	const struct hl_out *untraced_in;
	uint64_t poll_gap_ns;
	uint64_t next_look_ns, next_poll_ns, next_mark_ns, next_growth_ns;
	struct hl_drain drain;
};

/* The caller becomes the collector of the region. */
int hl_collector_new(struct hl_collector **out, struct hl_share *share, const struct hl_collector_options *o,
		     struct hl_diag *d);
/* all: also what is otherwise done once a second. */
void hl_collector_round(struct hl_collector *c, int all);
void hl_collector_sleep(struct hl_collector *c);
/* known: status is from wait; else the parent is gone, and the command is watched as any other process. */
void hl_collector_command_ended(struct hl_collector *c, int status, int known);
/* Images whose process goes on. */
unsigned hl_collector_live(const struct hl_collector *c);
/* Programs that were to be traced and in which the library did not start: they are static, set-user-ID, another
 * machine's, or could not reach the region. */
uint32_t hl_collector_untraced(const struct hl_collector *c);
/* Finish every trace, declare the region closed, free c. */
void hl_collector_close(struct hl_collector *c);

#endif
