/*
 * bare.c - a snapshot of a program that writes its own trace: the command becomes one more writer of
 * the shared file and takes a slot as a thread would.  Floor: collect.
 */
#include "analyzer/collect/mail.h"
#include "analyzer/collect/note.h"
#include "analyzer/collect/share.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct hl_slot *slot_at(const struct hl_found *f, uint32_t i)
{
	return (struct hl_slot *)((char *)f->region + hl_region_slots_off(f->backing, f->nslots) +
				  (uint64_t)i * HL_SLOT_BYTES);
}

/* The disk must have room before the slot is touched: afterwards it would be SIGBUS. */
static int populate(const struct hl_found *f, uint32_t i)
{
	off_t at = (off_t)(hl_region_slots_off(f->backing, f->nslots) + (uint64_t)i * HL_SLOT_BYTES);

	if (madvise(slot_at(f, i), HL_SLOT_BYTES, MADV_POPULATE_WRITE) == 0)
		return 0;
	return errno == EINVAL ? fallocate(f->fd, 0, at, HL_SLOT_BYTES) : -1;
}

int hl_bare_find_entry(const struct hl_found *f, uint32_t pid, uint32_t *entry, uint32_t *id)
{
	struct hl_image *images = hl_region_images(f->region);

	for (uint32_t i = 0; i < HL_IMAGES_MAX; i++) {
		/* acquire: the entry was filled in before its id */
		*id = atomic_load_explicit(&images[i].id, memory_order_acquire);
		if (*id && atomic_load_explicit(&images[i].pid, memory_order_relaxed) == pid) {
			*entry = i;
			return 1;
		}
	}
	return 0;
}

/* Claims of the collector's stream so far.  Under the file's lock nobody else adds one. */
static uint32_t next_claim(const struct hl_found *f, uint32_t id)
{
	uint32_t n = atomic_load_explicit(&f->region->bump, memory_order_acquire), claim = 0;

	for (uint32_t i = 0; i < n && i < f->nslots; i++) {
		const struct hl_slot *s = slot_at(f, i);

		if (atomic_load_explicit(&s->state, memory_order_acquire) != HL_SLOT_FREE &&
		    s->image_id == id && s->stream == HL_STREAM_COLLECTOR && s->claim >= claim)
			claim = s->claim + 1;
	}
	return claim;
}

int hl_bare_snapshot(struct hl_found *f, pid_t pid, const char *label, uint64_t *stamp, struct hl_diag *d)
{
	uint32_t entry, id, i, claim;
	struct hl_note n;
	struct hl_slot *s;

	if (!hl_bare_find_entry(f, (uint32_t)pid, &entry, &id))
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld is not traced (yet)", (long)pid);
	if (flock(f->fd, LOCK_EX) < 0)
		return hl_fail(d, HL_ERR_NOTFOUND, "cannot lock the trace of process %ld: %s", (long)pid,
			       strerror(errno));
	claim = next_claim(f, id);
	i = hl_region_claim(f->region, f->backing, f->nslots, f->nslots);
	if (i == HL_NO_SLOT)
		return hl_fail(d, HL_ERR_NOTFOUND, "the trace of process %ld is full", (long)pid);
	if (populate(f, i) < 0)
		return hl_fail(d, HL_ERR_NOTFOUND, "cannot write the trace of process %ld: %s", (long)pid,
			       strerror(errno));
	s = slot_at(f, i);
	atomic_fetch_add_explicit(&f->region->clock_seq, 1, memory_order_seq_cst);
	*stamp = hl_stamp_fenced(f->region->clock, f->region->stamp_shift & 63);
	hl_note_start(&n, *stamp);
	hl_note_mark(&n, *stamp, HL_MARK_COMMAND, label);
	hl_slot_open(s, entry, id, HL_STREAM_COLLECTOR, (uint32_t)getpid(), claim, *stamp);
	memcpy(s->data, n.data, n.bytes);
	/* release: the record before it can be read (partner: input/reader) */
	atomic_store_explicit(&s->used, n.bytes, memory_order_release);
	hl_slot_seal(f->region, s, i, f->backing);
	flock(f->fd, LOCK_UN);
	return HL_OK;
}
