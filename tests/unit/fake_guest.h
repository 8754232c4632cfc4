/*
 * fake_guest.h - a stand-in for the preloaded library: a process that maps a region and writes records
 * through region.h, as the library would, but only what a test tells it to.
 */
#ifndef HL_TESTS_FAKE_GUEST_H
#define HL_TESTS_FAKE_GUEST_H

#include "analyzer/collect/share.h"
#include "heapledger/stamp.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct guest {
	struct hl_share *share;
	uint32_t entry, id;
	/* the one stream that is being written */
	struct hl_slot *slot;
	uint32_t index, stream, claim;
	uint64_t stamp;
	int report; /* write a byte to tell the test, then wait to be killed */
};

static inline uint64_t guest_now(const struct guest *g)
{
	return hl_stamp_fenced(g->share->region->clock, g->share->region->stamp_shift);
}

/* Take an entry of the image table, as a program that starts (parent 0) or a forked copy. */
static inline void guest_image(struct guest *g, uint32_t parent)
{
	struct hl_region *r = g->share->region;
	struct hl_image *images = hl_region_images(r);

	for (uint32_t i = 0; i < HL_IMAGES_MAX; i++) {
		uint32_t none = 0;

		if (!atomic_compare_exchange_strong(&images[i].pid, &none, (uint32_t)getpid()))
			continue;
		images[i].parent = parent;
		g->entry = i;
		g->id = atomic_fetch_add(&r->next_image, 1) + 1;
		atomic_store_explicit(&images[i].id, g->id, memory_order_release);
		g->slot = NULL;
		g->claim = 0;
		g->stream = HL_STREAM(1, 0);
		return;
	}
	abort();
}

static inline struct hl_image *guest_entry(const struct guest *g)
{
	return &hl_region_images(g->share->region)[g->entry];
}

/* A slot, waiting for one as long as it takes (the test has a time limit). */
static inline void guest_open(struct guest *g)
{
	struct hl_region *r = g->share->region;
	uint32_t i;

	while ((i = hl_region_claim(r, HL_BACKING_MEMFD, g->share->nslots, g->share->nbuffer)) ==
	       HL_NO_SLOT) {
		uint32_t seen;

		atomic_fetch_add(&r->free_waiters, 1);
		seen = atomic_load(&r->free_futex);
		if ((uint32_t)atomic_load(&r->free_head) == 0)
			hl_share_sleep(&r->free_futex, seen, 100000000);
		atomic_fetch_sub(&r->free_waiters, 1);
	}
	g->index = i;
	g->slot = hl_share_slot(g->share, i);
	g->stamp = guest_now(g);
	hl_slot_open(g->slot, g->entry, g->id, g->stream, (uint32_t)getpid(), g->claim++, g->stamp);
}

static inline void guest_seal(struct guest *g)
{
	if (g->slot && hl_slot_seal(g->share->region, g->slot, g->index, HL_BACKING_MEMFD))
		hl_share_wake(&g->share->region->seal_futex, 1);
	g->slot = NULL;
}

/* Write one record of n bytes and commit it. */
static inline void guest_record(struct guest *g, const uint8_t *data, size_t n, int fact)
{
	uint32_t used = g->slot ? atomic_load_explicit(&g->slot->used, memory_order_relaxed) : HL_SLOT_ROOM;

	if (used + n > HL_SLOT_ROOM) {
		guest_seal(g);
		guest_open(g);
		used = 0;
	}
	memcpy(g->slot->data + used, data, n);
	if (fact)
		atomic_fetch_add_explicit(&g->slot->facts, 1, memory_order_relaxed);
	atomic_store_explicit(&g->slot->used, used + (uint32_t)n, memory_order_release);
}

static inline void guest_fact(struct guest *g, enum hl_fact fact, const uint8_t *payload, const uint8_t *end)
{
	uint8_t b[600], *p = b;

	*p++ = (uint8_t)(HL_TAG_FACT | fact << 2);
	p = hl_put_uv(p, (uint64_t)(end - payload));
	memcpy(p, payload, (size_t)(end - payload));
	guest_record(g, b, (size_t)(p - b) + (size_t)(end - payload), 1);
}

static inline void guest_hello(struct guest *g)
{
	uint8_t b[100], *p = b;

	p = hl_put_uv(p, g->id);
	p = hl_put_uv(p, (uint64_t)getpid());
	p = hl_put_uv(p, (uint64_t)getppid());
	p = hl_put_uv(p, 1);
	p = hl_put_uv(p, guest_now(g));
	p = hl_put_uv(p, 64);
	for (const char *s = "/bin/guest"; s; s = NULL) {
		p = hl_put_uv(p, strlen(s));
		memcpy(p, s, strlen(s));
		p += strlen(s);
	}
	p = hl_put_uv(p, 0);
	p = hl_put_uv(p, 0);
	guest_fact(g, HL_FACT_HELLO, b, hl_put_uv(p, 0));
}

/* The child inherited nothing of parent but the listed prefix of its one stream. */
static inline void guest_fork_fact(struct guest *g, uint32_t parent, pid_t parent_pid, uint32_t claim,
				   uint32_t used)
{
	uint8_t b[100],
		*p = hl_put_uv(hl_put_uv(hl_put_uv(hl_put_uv(b, parent), (uint64_t)parent_pid), 2), 1);

	p = hl_put_uv(hl_put_uv(hl_put_uv(p, HL_STREAM(1, 0)), claim), used);
	guest_fact(g, HL_FACT_FORK, b, p);
}

static inline void guest_alloc(struct guest *g, uint64_t address, uint64_t size)
{
	uint8_t b[64], *p = b;
	uint64_t now = guest_now(g);

	if (!g->slot)
		guest_open(g);
	*p++ = HL_TAG_EVENT | HL_OP_ALLOC << 2;
	/* a record that moves on to a new slot must not start before it */
	if (atomic_load_explicit(&g->slot->used, memory_order_relaxed) + 64 > HL_SLOT_ROOM) {
		guest_seal(g);
		guest_open(g);
		now = g->stamp;
	}
	p = hl_put_uv(p, now - g->stamp);
	g->stamp = now;
	p = hl_put_uv(hl_put_uv(p, HL_DOMAIN_HEAP), HL_ENTRY_MALLOC);
	p = hl_put_uv(hl_put_uv(hl_put_uv(p, address), size), HL_STACK_NONE);
	guest_record(g, b, (size_t)(p - b), 0);
	atomic_fetch_add_explicit(&g->slot->live_delta, (int64_t)size, memory_order_relaxed);
}

/* Tell the test that this point is reached, and stay until killed. */
static inline void guest_stay(struct guest *g)
{
	if (write(g->report, "x", 1) != 1)
		_exit(9);
	for (;;)
		pause();
}

/* Run body in a forked process; returns when it stays or ends. */
static inline pid_t guest_run(struct hl_share *share, void (*body)(struct guest *))
{
	int ends[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct guest g = {.share = share, .report = ends[1]};

		close(ends[0]);
		body(&g);
		_exit(0);
	}
	close(ends[1]);
	(void)!read(ends[0], &byte, 1);
	close(ends[0]);
	return pid;
}

static inline int guest_kill(pid_t pid)
{
	int status = 0;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

#endif
