/*
 * image.c - one image from its beginning to its end.
 *
 * Order: the exiting thread's stack is walked while others still run, for the unwinder may need a lock of the loader's that one
 * of them holds.  Between stopping them and letting them go nothing waits for anybody but the collector.
 */
#include "preload/image.h"
#include "heapledger/stamp.h"
#include "preload/arena.h"
#include "preload/image_shot.h"
#include "preload/vdso.h"
#include <time.h>

static _Atomic uint32_t forbidden;
static _Atomic uint32_t written_by; /* image id of the process that wrote one, or began to */

void hl_image_setup(void)
{
	if (hl_guest.config.image)
		hl_stack_setup();
}

void hl_image_forbid(void)
{
	atomic_store_explicit(&forbidden, 1, memory_order_relaxed);
}

int hl_image_is_due(void)
{
	/* what makes no system call first */
	return hl_guest.config.image && hl_state() == HL_ACTIVE &&
	       !atomic_load_explicit(&forbidden, memory_order_relaxed) &&
	       atomic_load_explicit(&written_by, memory_order_relaxed) != hl_guest.image_id &&
	       !hl_is_vfork_child();
}

static struct hl_shot *make(void)
{
	struct hl_shot *x = hl_arena_alloc(sizeof *x);

	if (!x)
		return NULL;
	x->number = 1;
	x->flags = HL_IMAGE_AT_EXIT;
	x->until_ns = hl_vdso_clock(CLOCK_MONOTONIC) + HL_IMAGE_LIMIT_NS;
	x->stream = hl_arena_alloc(sizeof *x->stream);
	x->words = hl_arena_alloc(sizeof *x->words);
	if (!x->stream || !x->words || !hl_shot_count_threads(x))
		return NULL;
	x->stream->stream = HL_STREAM_IMAGE(x->number);
	x->writer.serial = x->number;
	/* not the state's: a thread that is past its end has borrowed one */
	x->writer.tid = hl_sys_gettid();
	if (!x->writer.tid)
		return NULL; /* it would stop itself */
	return x;
}

static void put_begin(struct hl_shot *x)
{
	uint8_t buf[32], *p = hl_put_uv(buf, x->number);

	p = hl_put_uv(p, x->writer.tid);
	p = hl_put_uv(p, x->flags);
	hl_shot_put(x, HL_FACT_IMAGE_BEGIN, buf, (size_t)(p - buf), NULL, 0, NULL, 0);
}

static void put_end(struct hl_shot *x, uint64_t stamp)
{
	uint8_t buf[64], *p = hl_put_uv(buf, x->number);

	p = hl_put_uv(p, stamp);
	p = hl_put_uv(p, x->nwords);
	p = hl_put_uv(p, x->nmaps);
	p = hl_put_uv(p, x->nthreads);
	hl_shot_put(x, HL_FACT_IMAGE_END, buf, (size_t)(p - buf), NULL, 0, NULL, 0);
}

/* Later than all events so far, and all events from now on are later. */
static uint64_t take_stamp(void)
{
	/* as region.h says of marks */
	atomic_fetch_add_explicit(&hl_guest.region->clock_seq, 1, memory_order_seq_cst);
	return hl_stamp_fenced(hl_guest.clock, hl_guest.shift);
}

static int write_all(struct hl_shot *x)
{
	uint64_t stamp = take_stamp();

	put_begin(x);
	hl_shot_read_maps(x);
	if (x->failed)
		return 0;
	hl_shot_put_threads(x);
	hl_shot_scan(x);
	hl_shot_put_maps(x);
	put_end(x, stamp);
	return !x->failed;
}

void hl_image_write(struct hl_thread *t, int resume)
{
	uint32_t other = atomic_load_explicit(&written_by, memory_order_relaxed);
	struct hl_shot *x;
	int done;

	/* two threads may end the process at once */
	if (other == hl_guest.image_id ||
	    !atomic_compare_exchange_strong_explicit(&written_by, &other, hl_guest.image_id,
						     memory_order_relaxed, memory_order_relaxed))
		return;
	x = make();
	if (!x) {
		hl_lost(HL_LOST_IMAGE, 1);
		return;
	}
	hl_shot_own_stack(x, t);
	hl_shot_park(x);
	done = !x->failed && write_all(x);
	hl_slots_seal(x->stream);
	if (!done)
		hl_lost(HL_LOST_IMAGE, 1);
	if (resume)
		hl_shot_resume(x);
}
