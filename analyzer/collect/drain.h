/*
 * drain.h - from the slots of the region into the outputs of the images.  Floor: collect.
 *
 * Every word in the region may have been damaged by a traced process: indices and lengths are
 * bounded here, and records are copied out before they are looked at.  A slot is handed back
 * before its records are compressed, so a starved thread goes on soonest.
 */
#ifndef HL_COLLECT_DRAIN_H
#define HL_COLLECT_DRAIN_H

#include "analyzer/collect/pace.h"
#include "analyzer/collect/roster.h"

struct hl_drain {
	const struct hl_share *share;
	struct hl_outs *outs;
	struct hl_roster *roster;
	uint32_t *order;  /* nslots: the sealed list, turned round */
	uint8_t *present; /* nslots: 1: the slot has pages, as of the last look */
	uint32_t *
		missing; /* nslots: 0, or when it was seen first neither free nor anybody's: above all image ids of then */
	uint64_t last_look;    /* stamp before the previous hl_drain_open */
	uint64_t slots, bytes; /* taken so far */
	struct hl_pace pace;
	_Alignas(64) uint8_t copy[HL_SLOT_ROOM];
};

void hl_drain_init(struct hl_drain *d, const struct hl_share *share, struct hl_outs *outs,
		   struct hl_roster *roster);
void hl_drain_release(struct hl_drain *d);

/* Take every sealed slot and hand it back.  Returns how many. */
unsigned hl_drain_sealed(struct hl_drain *d);
/* Take what is committed in open slots, and say in each trace up to where it is complete.  That is the
 * look before this one, or earlier when a thread has been in a hook for so long: a thread between two
 * slots is in none, and the wait for a slot is bounded by less than the second between looks. */
void hl_drain_open(struct hl_drain *d);
/* The image cannot run any more: take all its slots, whatever their state, and hand them back. */
void hl_drain_image(struct hl_drain *d, struct hl_out *out);
/* Free slots beyond one for each that is open give their pages back to the system: what a burst took does not stay.
 * Most free slots can be claimed all the while.  A slot that was claimed and not opened is free again when everybody is gone who may
 * have claimed it. */
void hl_drain_trim(struct hl_drain *d);
/* Sum live_open of every live image. */
void hl_drain_live(struct hl_drain *d);

#endif
