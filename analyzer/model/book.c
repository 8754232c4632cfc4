/*
 * book.c - births, deaths, sums and their maximum.  Floor: model.
 *
 * Invariants: live_blocks = inherited_blocks + allocs - frees; live_bytes is the sum of the weights of the
 * blocks in the pool that are not DEAD (in a complete trace: of their sizes).
 */
#include "analyzer/model/book.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>

#define DEAD 0xff /* hl_block.domain of a free place in the pool */

void hl_book_init(struct hl_book *b, const struct hl_sink *sink, void *ctx, uint64_t sample_bytes)
{
	static const struct hl_sink none;

	*b = (struct hl_book){.sink = sink ? sink : &none, .ctx = ctx, .sample_bytes = sample_bytes};
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
		b->counts.peak_bytes_error = b->counts.live_bytes_error;
	}
}

static inline struct hl_weight weigh(const struct hl_book *b, const struct hl_block *p)
{
	return hl_weigh(b->sample_bytes, p->domain, p->size);
}

static void vary_live(struct hl_replay_counts *c, const struct hl_weight *w, double sign)
{
	c->live_bytes_error += sign * w->bytes_variance;
	c->live_blocks_error += sign * w->blocks_variance;
	/* without blocks there is no error, whatever rounding has left */
	if (!c->live_blocks)
		c->live_bytes_error = c->live_blocks_error = 0;
}

/* What a sample counts of a birth beyond what a complete trace does. */
static void sample_birth(struct hl_book *b, const struct hl_block *p, const struct hl_weight *w)
{
	struct hl_replay_counts *c = &b->counts;

	c->recorded++;
	/* the other half may not have been recorded: what the program did is told by this one alone */
	if (p->entry == HL_ENTRY_REALLOC)
		c->reallocs += w->blocks;
	c->total_bytes_error += w->bytes_variance;
	c->allocs_error += w->blocks_variance;
	vary_live(c, w, 1);
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
	struct hl_weight w;

	fill(p, e, 0);
	w = weigh(b, p);
	b->counts.allocs += w.blocks;
	b->counts.total_bytes += w.bytes;
	b->counts.live_blocks += w.blocks;
	b->counts.live_bytes += w.bytes;
	if (b->sample_bytes)
		sample_birth(b, p, &w);
	else
		set_newest(b, e->thread, i);
	check_peak(b, e->stamp);
	if (b->sink->born && !b->silent)
		b->sink->born(b->ctx, p);
	return i;
}

struct hl_death hl_death_by(const struct hl_event *e)
{
	return (struct hl_death){.stamp = e->stamp,
				 .stack = e->stack,
				 .thread = e->thread,
				 .entry = e->entry,
				 .temporary = e->temporary};
}

struct hl_death hl_death_at(uint64_t stamp)
{
	return (struct hl_death){.stamp = stamp, .entry = HL_ENTRY_COUNT};
}

void hl_book_die(struct hl_book *b, uint32_t i, const struct hl_death *death)
{
	struct hl_block *p = hl_book_block(b, i);
	struct hl_weight w = weigh(b, p);
	int temporary = b->sample_bytes ? death->temporary : end_newest(b, p->thread, i);
	struct hl_death told = *death;

	told.temporary = (uint8_t)temporary;
	b->counts.frees += w.blocks;
	b->counts.mismatched_frees += (unsigned)hl_entry_mismatch(p->entry, death->entry);
	b->counts.temporary += temporary ? w.blocks : 0;
	b->counts.live_blocks -= w.blocks;
	b->counts.live_bytes -= w.bytes;
	if (b->sample_bytes) {
		b->counts.temporary_error += temporary ? w.blocks_variance : 0;
		vary_live(&b->counts, &w, -1);
	}
	if (b->sink->died && !b->silent)
		b->sink->died(b->ctx, p, &told);
	p->domain = DEAD;
	hl_pool_give(&b->blocks, i);
}

void hl_book_move(struct hl_book *b, uint32_t i, const struct hl_event *e)
{
	struct hl_block *p = hl_book_block(b, i), old = *p;
	struct hl_weight was = weigh(b, p), w;

	fill(p, e, old.user);
	w = weigh(b, p);
	b->counts.mismatched_frees += (unsigned)hl_entry_mismatch(old.entry, HL_ENTRY_REALLOC);
	b->counts.allocs += w.blocks;
	b->counts.frees += was.blocks;
	b->counts.total_bytes += w.bytes;
	b->counts.live_blocks += w.blocks - was.blocks;
	b->counts.live_bytes += w.bytes - was.bytes;
	if (b->sample_bytes) {
		vary_live(&b->counts, &was, -1);
		sample_birth(b, p, &w);
	} else {
		b->counts.reallocs++;
		set_newest(b, e->thread, i);
	}
	check_peak(b, e->stamp);
	if (b->sink->moved && !b->silent)
		b->sink->moved(b->ctx, &old, p);
}

void hl_book_cut(struct hl_book *b, uint32_t i, uint64_t bytes, uint64_t address, uint64_t stamp)
{
	struct hl_block *p = hl_book_block(b, i);

	if (bytes >= p->size) {
		struct hl_death death = hl_death_at(stamp);

		hl_book_die(b, i, &death);
		return;
	}
	/* weights of a mapping are in proportion to its size: nothing of it is left out of a sample */
	p->size -= bytes;
	p->address = address;
	b->counts.live_bytes -= hl_weigh(b->sample_bytes, HL_DOMAIN_MMAP, bytes).bytes;
	if (b->sink->shrunk && !b->silent)
		b->sink->shrunk(b->ctx, p, bytes, stamp);
}

void hl_book_fork(struct hl_book *b, uint64_t stamp)
{
	uint64_t blocks = b->counts.live_blocks, bytes = b->counts.live_bytes;
	double bytes_error = b->counts.live_bytes_error, blocks_error = b->counts.live_blocks_error;

	b->silent = 0;
	b->counts = (struct hl_replay_counts){
		.live_blocks = blocks,
		.live_bytes = bytes,
		.inherited_blocks = blocks,
		.inherited_bytes = bytes,
		.peak_bytes = bytes,
		.peak_stamp = stamp,
		.live_bytes_error = bytes_error,
		.live_blocks_error = blocks_error,
		.peak_bytes_error = bytes_error,
	};
	for (uint32_t i = 1; i < b->blocks.len; i++) {
		if (hl_book_block(b, i)->domain == DEAD)
			continue;
		b->counts.recorded++;
		if (b->sink->born)
			b->sink->born(b->ctx, hl_book_block(b, i));
	}
}

void hl_book_finish(struct hl_book *b, struct hl_replay_counts *out)
{
	struct hl_replay_counts c = b->counts;
	uint64_t r = b->sample_bytes;

	c.sample_bytes = r;
	if (!r) {
		c.recorded += c.allocs;
		*out = c;
		return;
	}
	c.allocs = hl_sample_blocks(r, c.allocs);
	c.reallocs = hl_sample_blocks(r, c.reallocs);
	c.temporary = hl_sample_blocks(r, c.temporary);
	c.live_blocks = hl_sample_blocks(r, c.live_blocks);
	c.inherited_blocks = hl_sample_blocks(r, c.inherited_blocks);
	/* not rounded by itself, so that the numbers go on adding up */
	c.frees = c.inherited_blocks + c.allocs - c.live_blocks;
	c.total_bytes = hl_sample_bytes(r, c.total_bytes);
	c.live_bytes = hl_sample_bytes(r, c.live_bytes);
	c.peak_bytes = hl_sample_bytes(r, c.peak_bytes);
	c.inherited_bytes = hl_sample_bytes(r, c.inherited_bytes);
	c.live_bytes_error = hl_sample_error(c.live_bytes_error);
	c.live_blocks_error = hl_sample_error(c.live_blocks_error);
	c.peak_bytes_error = hl_sample_error(c.peak_bytes_error);
	c.total_bytes_error = hl_sample_error(c.total_bytes_error);
	c.allocs_error = hl_sample_error(c.allocs_error);
	c.temporary_error = hl_sample_error(c.temporary_error);
	*out = c;
}

void hl_book_each(const struct hl_book *b, void (*live)(void *ctx, const struct hl_block *b), void *ctx)
{
	for (uint32_t i = 1; i < b->blocks.len; i++)
		if (hl_book_block(b, i)->domain != DEAD)
			live(ctx, hl_book_block(b, i));
}
