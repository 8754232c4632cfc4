/*
 * image_scan.c - which memory is read, and how.
 *
 * Anonymous memory is read as it is while all others stand still, or in a copy: nothing can unmap it.  Everything else goes through
 * process_vm_readv, which answers where a file was cut and a read would be a SIGBUS.  Pages that were never touched are left
 * out, or reading would make them.
 */
#include "preload/image_shot.h"
#include "preload/vdso.h"
#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>

#define NO_PAGEMAP (1ull << 32) /* so much is read of a map when it is not known which pages are there */

size_t hl_shot_read(struct hl_shot *x, uint64_t address, void *out, size_t n)
{
	struct iovec to = {out, n}, from = {(void *)(uintptr_t)address, n};
	long r;

	r = hl_sys6(SYS_process_vm_readv, x->reader, (long)(uintptr_t)&to, 1, (long)(uintptr_t)&from, 1, 0);
	if (r >= 0 || r == -14)
		return r < 0 ? 0 : (size_t)r;
	/* not allowed in some containers, or not built in */
	if (x->mem < 0)
		x->mem = hl_sys_open("/proc/thread-self/mem", O_RDONLY | O_CLOEXEC, 0);
	r = x->mem < 0 ? -1 : hl_sys4(SYS_pread64, x->mem, (long)(uintptr_t)out, (long)n, (long)address);
	return r < 0 ? 0 : (size_t)r;
}

/* Through a copy. */
static void scan_copied(struct hl_shot *x, struct hl_shot_map *m, uint64_t at, uint64_t end)
{
	while (at < end && !x->failed) {
		size_t want = end - at < HL_SHOT_BOUNCE ? end - at : HL_SHOT_BOUNCE;
		size_t got = hl_shot_read(x, at, x->bounce, want);

		hl_words_scan(x, x->bounce, got / 8, at);
		at += got & ~7ull;
		if (got < want) {
			m->flags |= HL_IMAGE_MAP_PARTLY;
			at = (at + hl_guest.page_bytes) & ~(uint64_t)(hl_guest.page_bytes - 1);
		}
	}
}

static void scan_run(struct hl_shot *x, struct hl_shot_map *m, uint64_t at, uint64_t end)
{
	if (at >= end)
		return;
	/* a protection key may deny what the map allows: the kernel answers for the whole of it */
	if (m->direct && (x->still || x->frozen) && hl_sys_readable(at))
		hl_words_scan(x, (const uint64_t *)(uintptr_t)at, (end - at) / 8, at);
	else
		scan_copied(x, m, at, end);
}

int hl_shot_is_late(struct hl_shot *x)
{
	if (hl_vdso_clock(CLOCK_MONOTONIC) >= x->until_ns)
		x->failed = 1;
	return x->failed;
}

/* The runs of pages that are there, in memory or swapped out. */
static void scan_present(struct hl_shot *x, struct hl_shot_map *m)
{
	static const uint64_t there = 3ull << 62; /* proc_pid_pagemap(5): bits 62 and 63 */
	uint64_t page = hl_guest.page_bytes, at = m->start, run = at;
	uint64_t *entries = x->entries;

	while (at < m->end && !hl_shot_is_late(x)) {
		uint64_t left = (m->end - at + page - 1) / page,
			 n = left < HL_SHOT_ENTRIES ? left : HL_SHOT_ENTRIES;
		long r = hl_sys4(SYS_pread64, x->pagemap, (long)(uintptr_t)entries, (long)(n * 8),
				 (long)(at / page * 8));

		if (r < 8) {
			m->flags |= HL_IMAGE_MAP_PARTLY;
			break;
		}
		for (uint64_t i = 0; i < (uint64_t)r / 8 && !x->failed; i++, at = (at & ~(page - 1)) + page)
			if (!(entries[i] & there)) {
				scan_run(x, m, run, at);
				run = (at & ~(page - 1)) + page;
			}
	}
	at = at < m->end ? at : m->end;
	if (!x->failed)
		scan_run(x, m, run, at);
}

static void scan_map(struct hl_shot *x, struct hl_shot_map *m)
{
	uint64_t end = m->end;

	if (!(m->flags & HL_IMAGE_MAP_SCANNED))
		return;
	/* who did not stand still went on writing while the process was copied, or is read; what others share was not copied */
	if (!x->still || (x->frozen && m->flags & HL_IMAGE_MAP_SHARED))
		m->flags |= HL_IMAGE_MAP_TORN;
	/* a program can keep its memory from its children (MADV_DONTFORK) */
	if (x->frozen && !hl_sys_readable(m->start)) {
		m->flags |= HL_IMAGE_MAP_PARTLY;
		return;
	}
	if (m->present && x->pagemap >= 0) {
		scan_present(x, m);
		return;
	}
	if (end - m->start > NO_PAGEMAP) {
		m->flags |= HL_IMAGE_MAP_PARTLY;
		end = m->start + NO_PAGEMAP;
	}
	scan_run(x, m, m->start, end);
}

void hl_shot_scan(struct hl_shot *x)
{
	x->mem = -1;
	x->pagemap = hl_sys_open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	hl_word_begin(x->words);
	for (uint32_t i = 0; i < x->nmaps && !hl_shot_is_late(x); i++)
		scan_map(x, &x->maps[i]);
	if (!x->failed)
		hl_words_flush(x);
	if (x->pagemap >= 0)
		hl_sys_close(x->pagemap);
	if (x->mem >= 0)
		hl_sys_close(x->mem);
}
