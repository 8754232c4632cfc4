/*
 * book.h - the live blocks of a replay and what they add up to.  Floor: model.  One thread.
 *
 * Which block is where is not known here but in replay.c: a block in the middle of a realloc is live
 * and at no address.
 */
#ifndef HL_MODEL_BOOK_H
#define HL_MODEL_BOOK_H

#include "analyzer/base/map.h"
#include "analyzer/base/pool.h"
#include "analyzer/model/replay.h"
#include "analyzer/model/sample.h"

#define HL_BOOK_DIRECT 65536u

struct hl_book {
	struct hl_pool blocks; /* struct hl_block; index 0 is none */
	const struct hl_sink *sink;
	void *ctx;
	int silent; /* in the prefix inherited through fork: nothing is told */
	uint64_t sample_bytes;
	/* Until hl_book_finish sums are in units (sample.h), and errors are variances. */
	struct hl_replay_counts counts;
	/* The newest block of each thread while it lives: a death is temporary when it is that of the
	 * newest.  By serial, from HL_BOOK_DIRECT on in the map.  Not used in a sample. */
	uint32_t *newest;
	struct hl_map newest_map;
};

void hl_book_init(struct hl_book *b, const struct hl_sink *sink, void *ctx, uint64_t sample_bytes);
void hl_book_release(struct hl_book *b);

static inline struct hl_block *hl_book_block(const struct hl_book *b, uint32_t i)
{
	return hl_pool_at(&b->blocks, i);
}

/* A block as e says; its index. */
uint32_t hl_book_born(struct hl_book *b, const struct hl_event *e);
/* death->temporary counts in a sample only. */
void hl_book_die(struct hl_book *b, uint32_t i, const struct hl_death *death);
/* As the event e says, which ends a block. */
struct hl_death hl_death_by(const struct hl_event *e);
/* No event says how. */
struct hl_death hl_death_at(uint64_t stamp);
/* Block i becomes the one that e says; the index stays. */
void hl_book_move(struct hl_book *b, uint32_t i, const struct hl_event *e);
/* Block i keeps its index and loses bytes, at most its size; it dies when none are left.  address: of
 * what is left. */
void hl_book_cut(struct hl_book *b, uint32_t i, uint64_t bytes, uint64_t address, uint64_t stamp);
/* The counts as replay.h has them. */
void hl_book_finish(struct hl_book *b, struct hl_replay_counts *out);
/* The fork: what lives now is what the program inherited; counting starts here. */
void hl_book_fork(struct hl_book *b, uint64_t stamp);
void hl_book_each(const struct hl_book *b, void (*live)(void *ctx, const struct hl_block *b), void *ctx);

#endif
