/*
 * share.c - making the region of a run.  Floor: collect.
 */
#include "analyzer/collect/share.h"
#include "analyzer/collect/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ftruncate beyond the limit would raise SIGXFSZ: a memfd counts as a file. */
static uint64_t within_file_limit(uint64_t nslots)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_FSIZE, &l) < 0 || l.rlim_cur == RLIM_INFINITY)
		return nslots;
	while (nslots && hl_region_bytes(HL_BACKING_MEMFD, (uint32_t)nslots) > l.rlim_cur)
		nslots -= nslots > 64 ? 64 : nslots;
	return nslots;
}

static void fill_header(struct hl_share *s, uint64_t realtime_ns)
{
	struct hl_region *r = s->region;

	r->magic = HL_REGION_MAGIC;
	r->major = HL_FORMAT_MAJOR;
	r->minor = HL_FORMAT_MINOR;
	r->backing = HL_BACKING_MEMFD;
	r->nslots = s->nslots;
	r->reserve = s->nslots - s->nbuffer;
	r->slot_bytes = HL_SLOT_BYTES;
	r->clock = s->clock.clock;
	r->stamp_shift = s->clock.shift;
	r->ticks_per_s = s->clock.ticks_per_s;
	r->start_stamp = hl_share_now(s);
	r->start_realtime_ns = realtime_ns;
}

int hl_share_make(struct hl_share *s, uint64_t buffer_bytes, struct hl_diag *d)
{
	struct hl_share made = {.fd = -1};
	struct timespec now;
	struct stat st;
	uint64_t nslots = buffer_bytes / HL_SLOT_BYTES;
	void *map = MAP_FAILED;

	if (nslots > INT32_MAX - HL_SHARE_RESERVE)
		return hl_fail(d, HL_ERR_REFUSED, "a buffer of %llu bytes is too large",
			       (unsigned long long)buffer_bytes);
	made.nbuffer = (uint32_t)nslots;
	nslots = within_file_limit(nslots + HL_SHARE_RESERVE);
	if (nslots < made.nbuffer)
		made.nbuffer = (uint32_t)nslots;
	if (made.nbuffer < HL_SHARE_MIN_BYTES / HL_SLOT_BYTES)
		return hl_fail(d, HL_ERR_REFUSED,
			       "no room for a buffer of %u bytes (see --buffer, ulimit -f)",
			       HL_SHARE_MIN_BYTES);
	made.nslots = (uint32_t)nslots;
	made.bytes = hl_region_bytes(HL_BACKING_MEMFD, made.nslots);
	made.fd = memfd_create(HL_SHARE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (made.fd < 0 || ftruncate(made.fd, (off_t)made.bytes) < 0 ||
	    fcntl(made.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0 || fstat(made.fd, &st) < 0)
		goto fail;
	map = mmap(NULL, made.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, made.fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	made.region = map;
	made.inode = st.st_ino;
	made.began = hl_process_clock();
	hl_clock_choose(&made.clock);
	clock_gettime(CLOCK_REALTIME, &now);
	fill_header(&made, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	if (getrandom(made.region->uuid, sizeof(made.region->uuid), 0) != (ssize_t)sizeof(made.region->uuid))
		goto fail;
	*s = made;
	return HL_OK;
fail:
	hl_fail(d, HL_ERR_REFUSED, "cannot make a buffer of %zu bytes: %s", made.bytes, strerror(errno));
	if (map != MAP_FAILED)
		munmap(map, made.bytes);
	if (made.fd >= 0)
		close(made.fd);
	return HL_ERR_REFUSED;
}

void hl_share_release(struct hl_share *s)
{
	munmap(s->region, s->bytes);
	close(s->fd);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

int hl_share_alone(struct hl_share *s)
{
	void *at = s->region;
	int alone;

	/* The kernel seals against writing only when nobody has it mapped for writing: fcntl(2),
	 * F_SEAL_WRITE, EBUSY. */
	munmap(at, s->bytes);
	alone = fcntl(s->fd, F_ADD_SEALS, F_SEAL_WRITE) == 0;
	s->region = mmap(at, s->bytes, PROT_READ | PROT_WRITE,
			 (alone ? MAP_PRIVATE : MAP_SHARED) | MAP_NORESERVE | MAP_FIXED, s->fd, 0);
	if (s->region == MAP_FAILED)
		_exit(1); /* our own address range, just given back */
	return alone;
}

void hl_share_wake(_Atomic uint32_t *futex, int n)
{
	syscall(SYS_futex, futex, FUTEX_WAKE, n, NULL, NULL, 0);
}

void hl_share_sleep(_Atomic uint32_t *futex, uint32_t value, uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	syscall(SYS_futex, futex, FUTEX_WAIT, value, &t, NULL, 0);
}

void hl_share_nudge(struct hl_region *r)
{
	atomic_fetch_add_explicit(&r->seal_futex, 1, memory_order_seq_cst);
	hl_share_wake(&r->seal_futex, INT_MAX);
}
