/*
 * book.c - births, deaths, sums and their maximum.  Floor: model.
 *
 * Invariants: live_blocks = inherited_blocks + allocs - frees; live_bytes is the sum of the sizes of the
 * blocks in the pool that are not DEAD.
 */
#include "analyzer/model/book.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>

#define DEAD 0xff /* hl_block.domain of a free place in the pool */

void hl_book_init(struct hl_book *b, const struct hl_sink *sink, void *ctx)
{
	static const struct hl_sink none;

	*b = (struct hl_book){.sink = sink ? sink : &none, .ctx = ctx};
	hl_pool_init(&b->blocks, sizeof(struct hl_block));
	b->newest = hl_xcalloc(HL_BOOK_DIRECT, sizeof(*b->newest));
	hl_map_init(&b->newest_map);
}

void hl_book_release(struct hl_book *b)
{
	hl_pool_release(&b->blocks);
	hl_map_release(&b->newest_map);
	free(b->newest);
}

static inline void set_newest(struct hl_book *b, uint32_t thread, uint32_t i)
{
	if (thread < HL_BOOK_DIRECT)
		b->newest[thread] = i;
	else
		hl_map_put(&b->newest_map, thread, i);
}

/* 1: block i was the newest of its thread; then it has none now. */
static inline int end_newest(struct hl_book *b, uint32_t thread, uint32_t i)
{
	if (thread < HL_BOOK_DIRECT) {
		if (b->newest[thread] != i)
			return 0;
		b->newest[thread] = 0;
		return 1;
	}
	if (hl_map_get(&b->newest_map, thread) != i)
		return 0;
	hl_map_remove(&b->newest_map, thread);
	return 1;
}

static inline void check_peak(struct hl_book *b, uint64_t stamp)
{
	if (b->counts.live_bytes > b->counts.peak_bytes) {
		b->counts.peak_bytes = b->counts.live_bytes;
		b->counts.peak_stamp = stamp;
	}
}

static inline void fill(struct hl_block *p, const struct hl_event *e, uint32_t user)
{
	*p = (struct hl_block){
		.address = e->address,
		.size = e->size,
		.stamp = e->stamp,
		.stack = e->stack,
		.thread = e->thread,
		.user = user,
		.entry = e->entry,
		.domain = e->domain,
		.inherited = e->inherited,
	};
}

uint32_t hl_book_born(struct hl_book *b, const struct hl_event *e)
{
	uint32_t i = hl_pool_take(&b->blocks);
	struct hl_block *p = hl_book_block(b, i);

	fill(p, e, 0);
	set_newest(b, e->thread, i);
	b->counts.allocs++;
	b->counts.total_bytes += e->size;
	b->counts.live_blocks++;
	b->counts.live_bytes += e->size;
	check_peak(b, e->stamp);
	if (b->sink->born && !b->silent)
		b->sink->born(b->ctx, p);
	return i;
}

void hl_book_die(struct hl_book *b, uint32_t i, uint64_t stamp)
{
	struct hl_block *p = hl_book_block(b, i);
	int temporary = end_newest(b, p->thread, i);

	b->counts.frees++;
	b->counts.temporary += (uint64_t)temporary;
	b->counts.live_blocks--;
	b->counts.live_bytes -= p->size;
	if (b->sink->died && !b->silent)
		b->sink->died(b->ctx, p, stamp, temporary);
	p->domain = DEAD;
	hl_pool_give(&b->blocks, i);
}

void hl_book_move(struct hl_book *b, uint32_t i, const struct hl_event *e)
{
	struct hl_block *p = hl_book_block(b, i), old = *p;

	fill(p, e, old.user);
	set_newest(b, e->thread, i);
	b->counts.allocs++;
	b->counts.frees++;
	b->counts.reallocs++;
	b->counts.total_bytes += e->size;
	b->counts.live_bytes += e->size - old.size;
	check_peak(b, e->stamp);
	if (b->sink->moved && !b->silent)
		b->sink->moved(b->ctx, &old, p);
}

void hl_book_cut(struct hl_book *b, uint32_t i, uint64_t bytes, uint64_t address, uint64_t stamp)
{
	struct hl_block *p = hl_book_block(b, i);

	if (bytes >= p->size) {
		hl_book_die(b, i, stamp);
		return;
	}
	p->size -= bytes;
	p->address = address;
	b->counts.live_bytes -= bytes;
	if (b->sink->shrunk && !b->silent)
		b->sink->shrunk(b->ctx, p, bytes, stamp);
}

void hl_book_fork(struct hl_book *b, uint64_t stamp)
{
	uint64_t blocks = b->counts.live_blocks, bytes = b->counts.live_bytes;

	b->silent = 0;
	b->counts = (struct hl_replay_counts){
		.live_blocks = blocks,
		.live_bytes = bytes,
		.inherited_blocks = blocks,
		.inherited_bytes = bytes,
		.peak_bytes = bytes,
		.peak_stamp = stamp,
	};
	for (uint32_t i = 1; i < b->blocks.len && b->sink->born; i++)
		if (hl_book_block(b, i)->domain != DEAD)
			b->sink->born(b->ctx, hl_book_block(b, i));
}

void hl_book_each(const struct hl_book *b, void (*live)(void *ctx, const struct hl_block *b), void *ctx)
{
	for (uint32_t i = 1; i < b->blocks.len; i++)
		if (hl_book_block(b, i)->domain != DEAD)
			live(ctx, hl_book_block(b, i));
}
