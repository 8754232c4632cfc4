/*
 * source_region.c - the slots of a region file that bare LD_PRELOAD wrote.  Floor: input.
 *
 * The writer may be running: a slot's header is read once, and `used` of then is what counts.  Slots of
 * a region file are never recycled, so bytes below `used` do not change any more.  The file is sparse:
 * slots that were never published are holes, which are jumped over.
 */
#include "analyzer/input/source.h"
#include "heapledger/tracefile.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

/* struct hl_slot and struct hl_region as plain bytes: fields are copied out at their offsets. */
static uint32_t u32_at(const uint8_t *p, size_t offset)
{
	uint32_t v;

	memcpy(&v, p + offset, sizeof(v));
	return v;
}

static uint64_t u64_at(const uint8_t *p, size_t offset)
{
	uint64_t v;

	memcpy(&v, p + offset, sizeof(v));
	return v;
}

static int read_header(struct hl_source *s, uint8_t *p, uint64_t *slots_off, uint32_t *nslots,
		       struct hl_diag *d)
{
	struct hl_file_header *h = &s->header;
	ssize_t n = hl_source_read(s, p, sizeof(struct hl_region), 0);
	uint32_t backing;

	if (n < 0)
		return hl_fail(d, HL_ERR_IO, "%s: %s", s->path, strerror(errno));
	if (n != sizeof(struct hl_region))
		return hl_fail(d, HL_ERR_FORMAT, "%s: is cut in its header, at offset %zd", s->path, n);
	memcpy(&h->major, p + offsetof(struct hl_region, major), sizeof(h->major));
	memcpy(&h->minor, p + offsetof(struct hl_region, minor), sizeof(h->minor));
	if (h->major > HL_FORMAT_MAJOR)
		return hl_fail(
			d, HL_ERR_FORMAT,
			"%s: was written by a newer heapledger (format %u.%u at offset 8, this one reads %u)",
			s->path, h->major, h->minor, HL_FORMAT_MAJOR);
	backing = u32_at(p, offsetof(struct hl_region, backing));
	*nslots = u32_at(p, offsetof(struct hl_region, nslots));
	if (h->major != HL_FORMAT_MAJOR || backing != HL_BACKING_FILE ||
	    u32_at(p, offsetof(struct hl_region, slot_bytes)) != HL_SLOT_BYTES)
		return hl_fail(d, HL_ERR_FORMAT, "%s: header at offset 0 is damaged", s->path);
	*slots_off = hl_region_slots_off(backing, *nslots);
	h->magic = HL_FILE_MAGIC;
	h->header_bytes = (uint32_t)*slots_off;
	memcpy(h->uuid, p + offsetof(struct hl_region, uuid), sizeof(h->uuid));
	h->clock = u32_at(p, offsetof(struct hl_region, clock));
	h->stamp_shift = u32_at(p, offsetof(struct hl_region, stamp_shift));
	h->ticks_per_s = u64_at(p, offsetof(struct hl_region, ticks_per_s));
	h->start_stamp = u64_at(p, offsetof(struct hl_region, start_stamp));
	h->start_realtime_ns = u64_at(p, offsetof(struct hl_region, start_realtime_ns));
	return HL_OK;
}

/* What the image said of itself outside its records: its pid, and what it lost. */
static void read_image(struct hl_source *s, uint32_t entry)
{
	uint8_t p[sizeof(struct hl_image)];
	size_t lost = offsetof(struct hl_image, lost);

	if (entry >= HL_IMAGES_MAX ||
	    hl_source_read(s, p, sizeof(p), HL_REGION_IMAGES + (uint64_t)entry * sizeof(p)) != sizeof(p) ||
	    u32_at(p, offsetof(struct hl_image, id)) != s->header.image_id)
		return;
	s->header.pid = u32_at(p, offsetof(struct hl_image, pid));
	for (int k = 0; k < HL_LOST_KINDS; k++)
		s->lost[k] = u64_at(p, lost + (size_t)k * 8);
}

/* One slot that was opened at some time. */
static void add_slot(struct hl_source *s, const uint8_t *p, uint64_t position)
{
	uint32_t state = u32_at(p, offsetof(struct hl_slot, state));
	uint32_t used = u32_at(p, offsetof(struct hl_slot, used));
	uint32_t image = u32_at(p, offsetof(struct hl_slot, image_id));
	uint32_t facts = u32_at(p, offsetof(struct hl_slot, facts));
	uint64_t data = position + sizeof(struct hl_slot);
	uint64_t room = s->file_bytes > data ? s->file_bytes - data : 0;

	if (state > HL_SLOT_SEALED || used > HL_SLOT_ROOM) {
		hl_source_bad_block(s, position, "its slot header is damaged");
		return;
	}
	if (!s->header.image_id) {
		s->header.image_id = image;
		read_image(s, u32_at(p, offsetof(struct hl_slot, image_entry)));
	}
	if (image != s->header.image_id) {
		hl_source_bad_block(s, position, "belongs to another program");
		return;
	}
	if (used > room) {
		if (!s->health.cut_offset)
			s->health.cut_offset = s->file_bytes;
		hl_source_problem(s, "%s: is cut at offset %llu", s->path, (unsigned long long)s->file_bytes);
		hl_source_bad_block(s, position, "is cut");
		return;
	}
	if (state == HL_SLOT_OPEN)
		s->health.unverified_bytes += used;
	if (!used)
		return;
	hl_source_add(s, &(struct hl_piece){
				 .position = data,
				 .base_stamp = u64_at(p, offsetof(struct hl_slot, base_stamp)),
				 .stream = u32_at(p, offsetof(struct hl_slot, stream)),
				 .claim = u32_at(p, offsetof(struct hl_slot, claim)),
				 /* while it is open its count of facts may lag behind */
				 .facts = state == HL_SLOT_OPEN ? facts + !facts : facts,
				 .tid = u32_at(p, offsetof(struct hl_slot, tid)),
				 .bytes = (uint16_t)used,
			 });
}

int hl_source_index_region(struct hl_source *s, struct hl_diag *d)
{
	uint8_t p[sizeof(struct hl_region)];
	uint64_t slots_off = 0, end;
	uint32_t nslots = 0, bump;
	int err = read_header(s, p, &slots_off, &nslots, d);

	if (err)
		return err;
	s->bare = s->health.bare = 1;
	bump = u32_at(p, offsetof(struct hl_region, bump));
	end = slots_off + (uint64_t)(bump < nslots ? bump : nslots) * HL_SLOT_BYTES;
	if (end > s->file_bytes)
		end = s->file_bytes;
	for (uint64_t position = slots_off, next; position < end; position = next) {
		next = position + HL_SLOT_BYTES;
		if (hl_source_read(s, p, sizeof(struct hl_slot), position) != sizeof(struct hl_slot))
			break;
		if (u32_at(p, offsetof(struct hl_slot, state)) != HL_SLOT_FREE) {
			add_slot(s, p, position);
		} else {
			/* claimed and never published, or a hole: on to the slot that has data */
			uint64_t data = hl_source_data(s, position);

			if (data > next)
				next += (data - next) / HL_SLOT_BYTES * HL_SLOT_BYTES;
		}
	}
	return HL_OK;
}
