/*
 * roster.h - the images that are alive: the region's image table, and the processes behind it.
 * Floor: collect.
 *
 * A process says its own pid, which is another one here when it lives in a pid namespace.  Therefore
 * a pid is believed only when that process maps this region (/proc/PID/maps).  Else it ended before it
 * was looked at, or it is looked for by the last number of NSpid in /proc/PID/status; since that is
 * a walk through /proc it is done for all such images together.  Death is seen on a pidfd, so a
 * reused pid deceives nobody.  Without pidfds (before Linux 5.3, or out of descriptors) kill(pid, 0)
 * and the mapping are asked.
 */
#ifndef HL_COLLECT_ROSTER_H
#define HL_COLLECT_ROSTER_H

#include "analyzer/collect/out.h"

struct hl_roster {
	const struct hl_share *share;
	struct hl_outs *outs;
	struct hl_out *live[HL_IMAGES_MAX]; /* by entry of the image table */
	uint32_t unborn[HL_IMAGES_MAX];     /* pid that claimed the entry and had no id yet */
	unsigned nlive, nunseen;
	uint64_t began;  /* of the run: hl_process_clock */
	uint32_t newest; /* next_image at the last scan */
	int epoll;       /* of the pidfds; -1 none */
};

int hl_roster_init(struct hl_roster *r, const struct hl_share *share, struct hl_outs *outs,
		   struct hl_diag *d);
void hl_roster_release(struct hl_roster *r);

/* The live image of a slot that names this entry and id, admitted now if it is new; NULL: none. */
struct hl_out *hl_roster_lookup(struct hl_roster *r, uint32_t entry, uint32_t id);
/* Admit new images; returns how many.  Cheap when next_image has not moved, unless `all`. */
unsigned hl_roster_scan(struct hl_roster *r, int all);
/* Set `gone` where the process is.  `all`: also judge those without a pidfd and those not seen. */
void hl_roster_poll(struct hl_roster *r, int all);
/* The newest live image of a process; NULL none. */
struct hl_out *hl_roster_process(const struct hl_roster *r, pid_t pid);
/* Its slots were collected: free its entry. */
void hl_roster_dismiss(struct hl_roster *r, struct hl_out *out);

#endif
