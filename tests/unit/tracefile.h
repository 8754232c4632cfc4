/*
 * tracefile.h - trace and region files for tests, in a directory of their own.
 */
#ifndef HL_TESTS_TRACEFILE_H
#define HL_TESTS_TRACEFILE_H

#include "analyzer/collect/writer.h"
#include "analyzer/input/trace.h"
#include "tests/unit/encode.h"
#include "heapledger/tracefile.h"
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICKS_PER_S 100000000ull /* 10 ns; the repair window is 2000 of them */

static char dir[64];

static inline void make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/hl_test_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void remove_dir(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Valid until the next but three calls. */
static inline const char *in_dir(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *p = paths[next++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static inline struct hl_file_header make_header(uint32_t image)
{
	return (struct hl_file_header){
		.uuid = "the same for all",
		.image_id = image,
		.pid = 1000 + image,
		.clock = HL_CLOCK_TSC,
		.ticks_per_s = TICKS_PER_S,
	};
}

static inline struct hl_writer *make_trace(const char *name, uint32_t image)
{
	struct hl_file_header h = make_header(image);
	struct hl_writer *w;
	struct hl_diag d = {0};

	ck_assert_msg(hl_writer_open(&w, in_dir(name), &h, 0, &d) == HL_OK, "%s", d.text);
	return w;
}

/* Bytes [from, to) of what e has, as a block of its own. */
static inline void add_part(struct hl_writer *w, const struct encode *e, uint32_t stream, uint32_t claim,
			    size_t from, size_t to)
{
	struct hl_chunk c = {
		.stream = stream,
		.claim = claim,
		.offset = (uint32_t)from,
		.bytes = (uint32_t)(to - from),
		.facts = e->facts,
		.tid = 4000 + HL_STREAM_THREAD(stream),
		.base_stamp = e->base_stamp,
		.data = e->data + from,
	};
	struct hl_diag d = {0};

	ck_assert_msg(hl_writer_add(w, &c, &d) == HL_OK, "%s", d.text);
}

static inline void add_claim(struct hl_writer *w, const struct encode *e, uint32_t stream, uint32_t claim)
{
	add_part(w, e, stream, claim, 0, e->n);
}

static inline void finish(struct hl_writer *w)
{
	struct hl_diag d = {0};

	ck_assert_msg(hl_writer_finish(w, &d) == HL_OK, "%s", d.text);
}

static inline struct hl_trace *open_trace(const char *name)
{
	struct hl_trace *t;
	struct hl_diag d = {0};

	ck_assert_msg(hl_trace_open(&t, in_dir(name), &d) == HL_OK, "%s", d.text);
	return t;
}

/* ---- whole files ---- */

static inline uint8_t *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	uint8_t *p;

	ck_assert_ptr_nonnull(f);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n + 1);
	ck_assert_uint_eq(fread(p, 1, *n, f), *n);
	fclose(f);
	return p;
}

static inline void spill(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- region files ---- */

static inline void put_at(int fd, const void *p, size_t n, uint64_t at)
{
	ck_assert_int_eq(pwrite(fd, p, n, (off_t)at), (ssize_t)n);
}

/* A sparse region file with room for nslots, none used yet; image entry 7 belongs to `image`. */
static inline int make_region(const char *name, uint32_t nslots, uint32_t image)
{
	struct hl_region r = {
		.magic = HL_REGION_MAGIC,
		.major = HL_FORMAT_MAJOR,
		.backing = HL_BACKING_FILE,
		.nslots = nslots,
		.slot_bytes = HL_SLOT_BYTES,
		.uuid = "the same for all",
		.clock = HL_CLOCK_TSC,
		.ticks_per_s = TICKS_PER_S,
	};
	struct hl_image im = {.pid = 1000 + image, .id = image};
	int fd = open(in_dir(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	im.lost[HL_LOST_FULL] = 3;
	put_at(fd, &r, sizeof(r), 0);
	put_at(fd, &im, sizeof(im), HL_REGION_IMAGES + 7 * sizeof(im));
	ck_assert_int_eq(ftruncate(fd, (off_t)hl_region_bytes(HL_BACKING_FILE, nslots)), 0);
	return fd;
}

static inline void set_bump(int fd, uint32_t bump)
{
	put_at(fd, &bump, sizeof(bump), offsetof(struct hl_region, bump));
}

static inline void put_slot(int fd, uint32_t i, const struct encode *e, uint32_t image, uint32_t stream,
			    uint32_t claim, enum hl_slot_state state)
{
	uint64_t at = hl_region_slots_off(HL_BACKING_FILE, 0) + (uint64_t)i * HL_SLOT_BYTES;
	struct hl_slot s = {
		.state = state,
		.image_entry = 7,
		.image_id = image,
		.stream = stream,
		.tid = 4000 + HL_STREAM_THREAD(stream),
		.claim = claim,
		.base_stamp = e->base_stamp,
		.used = (uint32_t)e->n,
		/* the owner counts a fact after it committed it: an open slot may not say it yet */
		.facts = state == HL_SLOT_OPEN ? 0 : e->facts,
	};

	put_at(fd, e->data, e->n, at + sizeof(s));
	put_at(fd, &s, sizeof(s), at);
}

#endif
