/*
 * region.h - guest programs that look at what the library writes.
 */
#ifndef HL_GUEST_REGION_H
#define HL_GUEST_REGION_H

#include "guest.h"
#include "heapledger/format.h"
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY 4096u

static const struct hl_region *region; /* NULL: untraced */

static inline void find_region(void)
{
	const char *path = getenv("HEAPLEDGER_REGION");
	struct hl_region *head;
	int fd;

	if (!path || !*path)
		path = getenv("HEAPLEDGER_OUTPUT");
	if (!path || !*path || !getenv("HEAPLEDGER_TEST_TRACED"))
		return;
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	head = mmap(NULL, sizeof *head, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(head != MAP_FAILED);
	region = mmap(NULL, hl_region_slots_off(head->backing, head->nslots) + (uint64_t)MANY * HL_SLOT_BYTES,
		      PROT_READ, MAP_SHARED, fd, 0);
	CHECK(region != MAP_FAILED);
	close(fd);
}

/* The i-th slot, when it is ours and open. */
static inline const struct hl_slot *slot_of(uint32_t i)
{
	const struct hl_image *images = (const void *)((const char *)region + HL_REGION_IMAGES);
	const struct hl_slot *s =
		(const void *)((const char *)region + hl_region_slots_off(region->backing, region->nslots) +
			       (size_t)i * HL_SLOT_BYTES);

	return s->state == HL_SLOT_OPEN && images[s->image_entry].pid == (uint32_t)getpid() ? s : NULL;
}

static inline uint32_t slots(void)
{
	return region->bump < MANY ? region->bump : MANY;
}

#endif
