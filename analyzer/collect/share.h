/*
 * share.h - the region that `run` makes for the process tree.  Floor: collect.
 *
 * It lives in a memfd that can neither shrink nor grow, so no process of the tree can take pages
 * from under the collector.  Its pages come slot by slot, when a thread populates one.
 */
#ifndef HL_COLLECT_SHARE_H
#define HL_COLLECT_SHARE_H

#include "analyzer/base/diag.h"
#include "analyzer/collect/clock.h"
#include "heapledger/region.h"
#include <stddef.h>

#define HL_SHARE_NAME      "heapledger-region"
#define HL_SHARE_MIN_BYTES (2u << 20)
/* For so many threads at once, beyond those that the buffer has slots for: address space, until they come. */
#define HL_SHARE_RESERVE 32768u

struct hl_share {
	struct hl_region *region;
	size_t bytes;
	int fd;           /* close-on-exec */
	uint32_t nslots;  /* private copy: the one in the mapping may be damaged */
	uint32_t nbuffer; /* of these, without the reserve for threads that never had one */
	uint64_t inode;   /* how the mapping is recognised in /proc/PID/maps */
	uint64_t began;   /* hl_process_clock when it was made */
	struct hl_clock_setup clock;
};

/* buffer_bytes: of slots, at least HL_SHARE_MIN_BYTES; it and the reserve are cut to what RLIMIT_FSIZE allows.
 * HL_ERR_REFUSED when it cannot be made. */
int hl_share_make(struct hl_share *s, uint64_t buffer_bytes, struct hl_diag *d);
void hl_share_release(struct hl_share *s);
/* 1: no other process has the region mapped, none ever will, and it is private memory now.  A forked
 * process maps it before it records its first event.  The caller must be the only thread. */
int hl_share_alone(struct hl_share *s);

/* Now, and above it every event that is still to come: see clock_seq in format.h. */
static inline uint64_t hl_share_now(const struct hl_share *s)
{
	if (s->region)
		atomic_fetch_add_explicit(&s->region->clock_seq, 1, memory_order_seq_cst);
	return hl_stamp_fenced(s->clock.clock, s->clock.shift);
}

static inline struct hl_slot *hl_share_slot(const struct hl_share *s, uint32_t i)
{
	return (struct hl_slot *)((char *)s->region + hl_region_slots_off(HL_BACKING_MEMFD, s->nslots) +
				  (uint64_t)i * HL_SLOT_BYTES);
}

/* Slots below this have been claimed at least once. */
static inline uint32_t hl_share_used(const struct hl_share *s)
{
	uint32_t n = atomic_load_explicit(&s->region->bump, memory_order_acquire);

	return n < s->nslots ? n : s->nslots;
}

/* Wake up to n waiters of a futex in the region (never a private one: it is shared). */
void hl_share_wake(_Atomic uint32_t *futex, int n);
/* Sleep while *futex == value, at most ns. */
void hl_share_sleep(_Atomic uint32_t *futex, uint32_t value, uint64_t ns);
/* Make the collector look now. */
void hl_share_nudge(struct hl_region *r);

#endif
