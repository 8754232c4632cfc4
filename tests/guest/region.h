/*
 * region.h - guest programs that look at what the library writes, or stop at its instructions.
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

#if defined(__x86_64__)
#define TRAP_FLAG(op)                                                                                        \
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" op " (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), "   \
			 "%%rsp"                                                                             \
			 :                                                                                   \
			 :                                                                                   \
			 : "memory", "cc")
#define STEP_ON  TRAP_FLAG("orq $0x100,")
#define STEP_OFF TRAP_FLAG("andq $~0x100,")
#else
#define STEP_ON
#define STEP_OFF
#endif

static const struct hl_region *region; /* NULL: untraced */
static unsigned long low, high;        /* our library's code; untraced there is none */

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

static inline void find_code(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512], flags[8];

	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (strstr(line, "/libheapledger.so") &&
		    sscanf(line, "%lx-%lx %7s", &low, &high, flags) == 3 && flags[2] == 'x')
			break;
		else
			low = high = 0;
	fclose(f);
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
