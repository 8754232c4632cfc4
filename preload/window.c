/*
 * window.c - mapping the region.  A window is published once by compare-and-swap and never
 * unmapped, so a slot pointer stays good for the life of the process.
 */
#include "preload/window.h"
#include "heapledger/stamp.h"
#include "preload/vdso.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE        4096u /* the unit of the format; kernels round lengths up to their own */
#define WINDOWS_MAX 1024u
/* Where the kernel cannot populate (before 5.14): the file is allocated whole, up to this. */
#define PREALLOCATE (1ull << 30)
/* Of a file's tables only the header and the first image entry are ever used. */
#define TABLES_USED (HL_REGION_IMAGES + PAGE)
#define MAP_LEN     ((size_t)HL_WINDOW_BYTES + PAGE)

static _Atomic(char *) windows[WINDOWS_MAX];
static int populate; /* 1: MADV_POPULATE_WRITE works */

/* Window k, of which the one before is mapped. */
static char *map_next(uint32_t k)
{
	char *before = atomic_load_explicit(&windows[k - 1], memory_order_acquire), *none = NULL, *w;

	w = hl_sys_mremap(before + HL_WINDOW_BYTES, 0, MAP_LEN, MREMAP_MAYMOVE);
	if (!w)
		return NULL;
	if (!atomic_compare_exchange_strong_explicit(&windows[k], &none, w, memory_order_acq_rel,
						     memory_order_acquire)) {
		hl_sys_munmap(w, MAP_LEN);
		w = none;
	}
	return w;
}

/* A program that was just started may be handed a slot of the last of a thousand windows, and in a signal handler with
 * little stack. */
static char *window(uint32_t k)
{
	char *w = atomic_load_explicit(&windows[k], memory_order_acquire);
	uint32_t i = k;

	if (HL_LIKELY(w != NULL))
		return w;
	while (i && !atomic_load_explicit(&windows[i], memory_order_acquire))
		i--;
	w = atomic_load_explicit(&windows[i], memory_order_acquire);
	while (w && i < k)
		w = map_next(++i);
	return w;
}

/* Map the tables and window 0 from fd. */
static int map(int fd, uint32_t backing, uint32_t nslots)
{
	uint64_t off = hl_region_slots_off(backing, nslots);
	struct hl_region *r = hl_sys_mmap(off, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *w;

	if (!r)
		return -12;
	w = hl_sys_mmap(MAP_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, off);
	if (!w) {
		hl_sys_munmap(r, off);
		return -12;
	}
	hl_guest.region = r;
	hl_guest.backing = backing;
	hl_guest.nslots = nslots;
	hl_guest.reserve = 0;
	atomic_store_explicit(&windows[0], w, memory_order_release);
	populate = hl_sys_advice_is_heeded() && hl_sys_madvise(r, PAGE, MADV_POPULATE_WRITE) == 0;
	return 0;
}

int hl_window_attach(const char *path)
{
	struct hl_region *h = NULL;
	uint64_t size, dev, ino;
	int fd = hl_sys_open(path, O_RDWR | O_CLOEXEC | O_NOCTTY, 0), r;

	if (fd < 0)
		return fd;
	r = hl_sys_fstat(fd, &size, &dev, &ino);
	if (r < 0)
		goto out;
	r = -22;
	if (size < HL_REGION_LINKS)
		goto out;
	h = hl_sys_mmap(PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (!h)
		goto out;

	/* Copied once, then only the copies are used: the mapping is shared with others. */
	uint32_t nslots = h->nslots, shift = h->stamp_shift, clock = h->clock, reserve = h->reserve;

	if (h->magic != HL_REGION_MAGIC || h->major != HL_FORMAT_MAJOR || h->slot_bytes != HL_SLOT_BYTES ||
	    h->backing != HL_BACKING_MEMFD || nslots == 0 || nslots > WINDOWS_MAX * HL_SLOTS_PER_WINDOW ||
	    shift > 20 || hl_region_bytes(HL_BACKING_MEMFD, nslots) > size)
		goto out;
	hl_guest.clock = clock;
	hl_guest.shift = shift;
	r = map(fd, HL_BACKING_MEMFD, nslots);
	hl_guest.reserve = reserve < nslots ? reserve : 0;
out:
	if (h)
		hl_sys_munmap(h, PAGE);
	hl_sys_close(fd);
	return r;
}

/* Ticks per second of the TSC, measured against the raw clock over 2 ms; the reader only needs
 * it to print seconds. */
static uint64_t measure_tsc(uint32_t shift)
{
	uint64_t c0 = hl_stamp_clock(), t0 = hl_stamp(HL_CLOCK_TSC, 0), c1, t1;

	do
		c1 = hl_stamp_clock();
	while (c1 - c0 < 2000000);
	t1 = hl_stamp(HL_CLOCK_TSC, 0);
	return (uint64_t)((double)(t1 - t0) * 1e9 / (double)(c1 - c0)) >> shift;
}

/* The TSC is usable when the kernel itself keeps time by it: it checks invariance and
 * synchronisation of the cores. */
static int tsc_is_clock(void)
{
#if defined(__x86_64__)
	char name[16] = "";

	hl_sys_read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", name,
			 sizeof name - 1);
	return hl_after(name, "tsc") != NULL;
#else
	return 0;
#endif
}

static void fill_header(struct hl_region *r, uint32_t nslots)
{

	r->major = HL_FORMAT_MAJOR;
	r->minor = HL_FORMAT_MINOR;
	r->backing = HL_BACKING_FILE;
	r->nslots = nslots;
	r->slot_bytes = HL_SLOT_BYTES;
	hl_sys_random(r->uuid, sizeof r->uuid);
	r->clock = !hl_guest.config.raw_clock && tsc_is_clock() ? HL_CLOCK_TSC : HL_CLOCK_MONOTONIC_RAW;
	r->stamp_shift = r->clock == HL_CLOCK_TSC ? 5 : 3;
	/* A forked child has it from its parent: measuring takes 2 ms. */
	if (!hl_guest.ticks_per_s)
		hl_guest.ticks_per_s = r->clock == HL_CLOCK_TSC ? measure_tsc(5) : 1000000000u >> 3;
	r->ticks_per_s = hl_guest.ticks_per_s;
	r->start_stamp = hl_stamp(r->clock, r->stamp_shift);
	r->start_realtime_ns = hl_vdso_clock(CLOCK_REALTIME);
	/* last: a reader takes the file for a region only when the header is whole */
	atomic_thread_fence(memory_order_release);
	r->magic = HL_REGION_MAGIC;
	hl_guest.clock = r->clock;
	hl_guest.shift = r->stamp_shift;
}

int hl_window_create(const char *path, uint64_t max_bytes)
{
	uint64_t limit = hl_sys_fsize_limit(), off = hl_region_slots_off(HL_BACKING_FILE, 0);
	uint32_t nslots;
	int fd, r;

	if (max_bytes > limit)
		max_bytes = limit;
	if (max_bytes < off + 4 * HL_SLOT_BYTES)
		return -27;
	if (max_bytes > (uint64_t)WINDOWS_MAX * HL_WINDOW_BYTES)
		max_bytes = (uint64_t)WINDOWS_MAX * HL_WINDOW_BYTES;
	nslots = (uint32_t)((max_bytes - off) / HL_SLOT_BYTES);
	fd = hl_sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fd;
	/* There a page that is present and was written out meanwhile needs space again: when there is none, the
	 * program gets a SIGBUS, or hangs. */
	r = hl_sys_copies_on_write(fd) ? -95 : hl_sys_ftruncate(fd, hl_region_bytes(HL_BACKING_FILE, nslots));
	if (r < 0)
		goto out;
	r = map(fd, HL_BACKING_FILE, nslots);
	if (r < 0)
		goto out;
	/* Never a write to a page that is not there: a full disk answers by SIGBUS. */
	if (!populate) {
		uint64_t whole = hl_region_bytes(HL_BACKING_FILE, nslots);

		if (whole > PREALLOCATE) {
			nslots = (uint32_t)((PREALLOCATE - off) / HL_SLOT_BYTES);
			hl_guest.nslots = nslots;
			whole = hl_region_bytes(HL_BACKING_FILE, nslots);
		}
		r = hl_sys_fallocate(fd, whole);
	} else {
		r = hl_sys_madvise(hl_guest.region, TABLES_USED, MADV_POPULATE_WRITE);
	}
	if (r < 0) {
		hl_window_detach();
		goto out;
	}
	fill_header(hl_guest.region, nslots);
out:
	hl_sys_close(fd);
	if (r < 0)
		hl_sys4(SYS_unlinkat, AT_FDCWD, (long)(uintptr_t)path, 0, 0);
	return r;
}

struct hl_slot *hl_window_slot(uint32_t i)
{
	char *w = i < hl_guest.nslots ? window(i / HL_SLOTS_PER_WINDOW) : NULL;

	if (!w)
		return NULL;
	w += (size_t)(i % HL_SLOTS_PER_WINDOW) * HL_SLOT_BYTES;

	/* A page may hold two slots. */
	size_t before = (uintptr_t)w & (hl_guest.page_bytes - 1);

	if (populate && hl_sys_madvise(w - before, before + HL_SLOT_BYTES, MADV_POPULATE_WRITE) < 0)
		return NULL;
	return (struct hl_slot *)w;
}

int hl_window_holds(uint64_t address)
{
	if (address - (uint64_t)(uintptr_t)hl_guest.region <
	    hl_region_slots_off(hl_guest.backing, hl_guest.nslots))
		return 1;
	for (uint32_t k = 0; k < WINDOWS_MAX; k++) {
		const char *w = atomic_load_explicit(&windows[k], memory_order_acquire);

		if (w && address - (uint64_t)(uintptr_t)w < MAP_LEN)
			return 1;
	}
	return 0;
}

void hl_window_part(uint32_t i)
{
	uint32_t k = i / HL_SLOTS_PER_WINDOW;
	char *w = window(k), *slot = w + (size_t)(i % HL_SLOTS_PER_WINDOW) * HL_SLOT_BYTES, *other;
	size_t before = (uintptr_t)slot & (hl_guest.page_bytes - 1);

	/* The slot may come to the child as its own: only this mapping of it is replaced.  A file's is not used
	 * any more. */
	if (hl_guest.backing == HL_BACKING_MEMFD) {
		other = hl_sys_mremap(w, 0, MAP_LEN, MREMAP_MAYMOVE);
		if (!other)
			return;
		atomic_store_explicit(&windows[k], other, memory_order_release);
	}
	hl_sys6(SYS_mmap, (long)(uintptr_t)(slot - before), (long)(before + HL_SLOT_BYTES),
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void hl_window_detach(void)
{
	/* The parent's mappings stay: they cost address space only, and a signal handler of this
	 * thread may still hold a pointer into them. */
	for (uint32_t k = 0; k < WINDOWS_MAX; k++)
		atomic_store_explicit(&windows[k], NULL, memory_order_relaxed);
	hl_guest.region = NULL;
	hl_guest.image = NULL;
}
