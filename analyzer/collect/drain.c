/*
 * drain.c - collecting slots.  Floor: collect.
 *
 * Invariant: a slot is pushed on the free list only here, by one thread, and only after its state was
 * set to FREE; a slot that is not SEALED (or whose image cannot run) is never pushed.  So a damaged
 * sealed list cannot put a slot on the free list twice.
 */
#include "analyzer/collect/drain.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void settle(void *ctx, struct hl_out *out);

void hl_drain_init(struct hl_drain *d, const struct hl_share *share, struct hl_outs *outs,
		   struct hl_roster *roster)
{
	d->share = share;
	d->outs = outs;
	d->roster = roster;
	d->order = hl_xcalloc(share->nslots, sizeof(*d->order));
	d->present = hl_xcalloc(share->nslots, 1);
	d->missing = hl_xcalloc(share->nslots, sizeof(*d->missing));
	d->last_look = share->region->start_stamp;
	outs->settle = settle;
	outs->settle_ctx = d;
	d->slots = d->bytes = 0;
	hl_pace_init(&d->pace);
}

void hl_drain_release(struct hl_drain *d)
{
	free(d->order);
	free(d->present);
	free(d->missing);
	hl_pace_release(&d->pace);
}

#define PAGE_MIN   4096u /* mincore answers by the kernel's own pages, some of which hold two slots */
#define SCAN_SLOTS 1024u
/* d->present[] of a slot */
#define PRESENT 1u
#define LISTED  2u /* it was on the free list */
/* Slots whose pages are given back at once, and how often at one look: 64 MiB a second. */
#define TRIM_PART   32u
#define TRIM_ROUNDS 64u

/* How many slots were ever claimed, with which of them have their first page noted in d->present: looking into another would
 * give it one.  Without an answer from the kernel all have. */
static uint32_t note_present(struct hl_drain *d)
{
	uint32_t used = hl_share_used(d->share);
	unsigned char pages[SCAN_SLOTS * (HL_SLOT_BYTES / PAGE_MIN)];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (uint32_t from = 0; from < used; from += SCAN_SLOTS) {
		uint32_t n = used - from < SCAN_SLOTS ? used - from : SCAN_SLOTS;
		int known = mincore(hl_share_slot(d->share, from), (size_t)n * HL_SLOT_BYTES, pages) == 0;

		for (uint32_t i = 0; i < n; i++)
			d->present[from + i] = !known || (pages[i * (size_t)HL_SLOT_BYTES / page] & 1);
	}
	return used;
}

/* acquire: everything the owner wrote before (partner: hl_slot_open, hl_slot_seal) */
static uint32_t state_of(const struct hl_drain *d, uint32_t i)
{
	return d->present[i] ? atomic_load_explicit(&hl_share_slot(d->share, i)->state, memory_order_acquire)
			     : HL_SLOT_FREE;
}

/* Looks only: a slot may be on a list that its caller is working through. */
static void settle(void *ctx, struct hl_out *out)
{
	struct hl_drain *d = ctx;
	uint32_t n = note_present(d);

	for (uint32_t i = 0; i < n; i++) {
		struct hl_slot *s = hl_share_slot(d->share, i);
		uint32_t used;

		if (state_of(d, i) == HL_SLOT_FREE || s->image_id != out->id || s->image_entry != out->entry)
			continue;
		/* acquire: the records below it (partner: the owner's release) */
		used = atomic_load_explicit(&s->used, memory_order_acquire);
		if (hl_note_glance(s->data, used < HL_SLOT_ROOM ? used : HL_SLOT_ROOM).event) {
			hl_out_open(d->outs, out);
			return;
		}
	}
}

static void hand_back(struct hl_drain *d, struct hl_slot *s, uint32_t i)
{
	struct hl_region *r = d->share->region;

	atomic_store_explicit(&s->state, HL_SLOT_FREE, memory_order_relaxed);
	d->missing[i] = 0;
	hl_list_push(r, &r->free_head, i);
	d->slots++;
	/* seq_cst: after the push, before the look at the waiters (partner: a starved thread counts itself,
	 * looks at the list again, then waits) */
	atomic_fetch_add_explicit(&r->free_futex, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&r->free_waiters, memory_order_seq_cst))
		hl_share_wake(&r->free_futex, 1);
}

/* Copy what is new in s into d->copy and describe it.  whole: nothing more will come.  Returns the bytes. */
static uint32_t copy_new(struct hl_drain *d, struct hl_slot *s, int whole, struct hl_chunk *c)
{
	/* acquire: the records below it (partner: the owner's release) */
	uint32_t used = atomic_load_explicit(&s->used, memory_order_acquire);
	uint32_t from = s->collected;

	if (used > HL_SLOT_ROOM)
		used = HL_SLOT_ROOM;
	if (from > used)
		from = used;
	c->stream = s->stream;
	c->claim = s->claim;
	c->offset = from;
	c->bytes = used - from;
	c->tid = s->tid;
	c->base_stamp = s->base_stamp;
	c->data = d->copy;
	c->hurry = HL_HURRY_NONE;
	c->facts = atomic_load_explicit(&s->facts, memory_order_relaxed);
	/* of a part it is not known which facts are in it; 0 would promise that there are none */
	if (!(whole && from == 0) && c->facts == 0)
		c->facts = 1;
	memcpy(d->copy, s->data + from, c->bytes);
	return c->bytes;
}

static void deliver(struct hl_drain *d, struct hl_out *out, const struct hl_chunk *c)
{
	if (!c->bytes)
		return;
	d->bytes += c->bytes;
	/* this stream is the collector's own: no thread may add to it */
	if (out && !out->done && c->stream != HL_STREAM_COLLECTOR)
		hl_out_add(d->outs, out, c);
	else
		d->outs->orphan_bytes += c->bytes;
}

/* waiting: so many sealed slots are behind it. */
static void take(struct hl_drain *d, uint32_t i, struct hl_out *out, uint32_t waiting)
{
	struct hl_slot *s = hl_share_slot(d->share, i);
	struct hl_chunk c;
	uint64_t began = 0, took = 0, now;

	copy_new(d, s, 1, &c);
	if (out)
		out->live_closed += atomic_load_explicit(&s->live_delta, memory_order_relaxed);
	hand_back(d, s, i);
	now = clock_ns(CLOCK_MONOTONIC);
	hl_pace_look(&d->pace, now);
	c.hurry = hl_pace_choose(&d->pace, waiting, d->share->nbuffer, now);
	if (c.hurry == HL_HURRY_NONE)
		began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	deliver(d, out, &c);
	if (c.hurry == HL_HURRY_NONE)
		took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
	hl_pace_charge(&d->pace, c.bytes, took);
}

unsigned hl_drain_sealed(struct hl_drain *d)
{
	struct hl_region *r = d->share->region;
	uint32_t nslots = d->share->nslots, n = 0, taken = 0;

	/* All links are read before the first slot is handed back, which overwrites its link. */
	for (uint32_t i = hl_list_take(&r->sealed_head, nslots); i != HL_NO_SLOT && n < nslots;
	     i = hl_list_next(r, i, nslots))
		d->order[n++] = i;
	while (n) {
		uint32_t i = d->order[--n];
		struct hl_slot *s = hl_share_slot(d->share, i);

		/* acquire: everything the owner wrote (partner: hl_slot_seal) */
		if (atomic_load_explicit(&s->state, memory_order_acquire) != HL_SLOT_SEALED)
			continue;
		take(d, i, hl_roster_lookup(d->roster, s->image_entry, s->image_id), n);
		taken++;
	}
	return taken;
}

void hl_drain_open(struct hl_drain *d)
{
	uint64_t look = hl_share_now(d->share);
	uint32_t n = note_present(d);
	struct hl_note note;

	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (d->roster->live[i])
			d->roster->live[i]->sync = d->last_look;
	for (uint32_t i = 0; i < n; i++) {
		struct hl_slot *s = hl_share_slot(d->share, i);
		uint64_t hook;
		struct hl_out *out;
		struct hl_chunk c;

		/* A slot that was sealed since the list was taken counts as well: SYNC is about all events. */
		if (state_of(d, i) == HL_SLOT_FREE)
			continue;
		out = hl_roster_lookup(d->roster, s->image_entry, s->image_id);
		if (!out)
			continue;
		hook = atomic_load_explicit(&s->in_hook_since, memory_order_acquire);
		if (hook && hook < out->sync)
			out->sync = hook;
		if (copy_new(d, s, 0, &c)) {
			s->collected = c.offset + c.bytes;
			deliver(d, out, &c);
		}
	}
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = d->roster->live[i];

		if (!out || !out->writer || !out->dirty || out->sync == 0)
			continue;
		hl_note_start(&note, look);
		hl_note_sync(&note, out->sync);
		hl_out_note(d->outs, out, &note);
		out->dirty = 0;
	}
	d->last_look = look;
}

void hl_drain_image(struct hl_drain *d, struct hl_out *out)
{
	uint32_t n;

	/* Its last seals: afterwards a SEALED slot of it is one that died on the way to the list. */
	hl_drain_sealed(d);
	n = note_present(d);
	for (uint32_t i = 0; i < n; i++) {
		struct hl_slot *s = hl_share_slot(d->share, i);

		if (state_of(d, i) != HL_SLOT_FREE && s->image_id == out->id && s->image_entry == out->entry)
			take(d, i, out, 0);
	}
}

void hl_drain_live(struct hl_drain *d)
{
	uint32_t n = note_present(d);

	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (d->roster->live[i])
			d->roster->live[i]->live_open = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct hl_slot *s = hl_share_slot(d->share, i);
		struct hl_out *out;

		if (state_of(d, i) == HL_SLOT_FREE)
			continue;
		out = hl_roster_lookup(d->roster, s->image_entry, s->image_id);
		if (out)
			out->live_open += atomic_load_explicit(&s->live_delta, memory_order_relaxed);
	}
}

/* The slot's pages go back to the system; who claims it next populates it, as every slot.  Its state then reads FREE. */
static void let_go(struct hl_drain *d, uint32_t i)
{
	off_t at = (off_t)((char *)hl_share_slot(d->share, i) - (char *)d->share->region);

	/* when it fails they stay */
	if (fallocate(d->share->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, HL_SLOT_BYTES) == 0)
		d->present[i] = 0;
}

/* Is an image left whose id is below that? */
static int any_before(const struct hl_drain *d, uint32_t id)
{
	struct hl_image *images = hl_region_images(d->share->region);

	for (uint32_t e = 0; e < HL_IMAGES_MAX; e++)
		/* one that has no id yet may get any */
		if (atomic_load_explicit(&images[e].pid, memory_order_acquire) &&
		    atomic_load_explicit(&images[e].id, memory_order_acquire) < id)
			return 1;
	return 0;
}

/* The whole free list, newest first, into d->order; how many.  Nobody can claim these until they are pushed again.  A list that
 * was damaged ends where it makes no sense. */
static uint32_t take_free(struct hl_drain *d)
{
	struct hl_region *r = d->share->region;
	uint32_t nslots = d->share->nslots, n = 0;

	for (uint32_t i = hl_list_take(&r->free_head, nslots);
	     i != HL_NO_SLOT && n < nslots && i < hl_share_used(d->share) && state_of(d, i) == HL_SLOT_FREE;
	     i = hl_list_next(r, i, nslots))
		d->order[n++] = i;
	return n;
}

/* Those that were on the free list are marked.  A slot that was neither there nor is open nor sealed is about to be opened; or whoever
 * claimed it was killed, or left by a jump, and it would be lost for good: it is freed.  Slots are handed back only by us, so
 * that none can have come on the list since. */
static void free_lost(struct hl_drain *d, uint32_t used)
{
	struct hl_region *r = d->share->region;
	uint32_t next = atomic_load_explicit(&r->next_image, memory_order_acquire) + 1;
	uint32_t nobody_before = 0; /* known already */

	for (uint32_t i = 0; i < used; i++) {
		int was_free = d->present[i] & LISTED;

		d->present[i] &= PRESENT;
		if (was_free || state_of(d, i) != HL_SLOT_FREE) {
			d->missing[i] = 0;
		} else if (!d->missing[i]) {
			d->missing[i] = next;
		} else if (d->missing[i] <= nobody_before || !any_before(d, d->missing[i])) {
			nobody_before = d->missing[i];
			d->missing[i] = 0;
			hl_list_push(r, &r->free_head, i);
		}
	}
}

static void wake_starved(struct hl_region *r)
{
	atomic_fetch_add_explicit(&r->free_futex, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&r->free_waiters, memory_order_seq_cst))
		hl_share_wake(&r->free_futex, INT_MAX);
}

/* A hole takes microseconds, and after a burst thousands are to be made: a few slots at a time are held for it, at most half of
 * those that are free, and all others can be claimed meanwhile. */
void hl_drain_trim(struct hl_drain *d)
{
	struct hl_region *r = d->share->region;
	uint32_t used = note_present(d), keep = 0, held[TRIM_PART], nheld = 0;

	for (uint32_t i = 0; i < used; i++)
		keep += state_of(d, i) == HL_SLOT_OPEN;
	for (unsigned round = 0;; round++) {
		uint32_t n = take_free(d), most = (n + nheld) / 2;

		if (round == 0)
			for (uint32_t k = 0; k < n; k++)
				d->present[d->order[k]] |= LISTED;
		/* those without pages lowest, the newest on top again */
		while (nheld)
			hl_list_push(r, &r->free_head, held[--nheld]);
		most = round == TRIM_ROUNDS ? 0 : most > TRIM_PART ? TRIM_PART : most + !most;
		while (n--) {
			uint32_t i = d->order[n];

			if (n >= keep && nheld < most && d->present[i] & PRESENT)
				held[nheld++] = i;
			else
				hl_list_push(r, &r->free_head, i);
		}
		if (round == 0)
			free_lost(d, used);
		wake_starved(r);
		if (!nheld)
			return;
		for (uint32_t k = 0; k < nheld; k++)
			let_go(d, held[k]);
	}
}
