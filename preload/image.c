/*
 * image.c - one image from its beginning to its end.
 *
 * Order: the writing thread's stack is walked while others still run, for the unwinder may need a lock of the loader's that one
 * of them holds.  Between stopping them and letting them go nothing waits for anybody but the collector.
 *
 * One image at a time: `busy` is taken by whoever stops the others, and by the image of the end for good.
 */
#include "preload/image.h"
#include "heapledger/stamp.h"
#include "preload/arena.h"
#include "preload/image_copy.h"
#include "preload/image_shot.h"
#include "preload/image_signal.h"
#include "preload/record.h"
#include "preload/vdso.h"
#include <signal.h>
#include <time.h>

#define COPY_FAILED   255
#define BUSY_SLICE_NS 10000000u
#define BUSY_SLICES   100

#define BEGIN_LIMIT_NS 1000000000ull

static _Atomic uint32_t forbidden;
static _Atomic uint32_t written_by; /* image id of the process that wrote that of its end, or began to */
static _Atomic uint32_t writing;    /* 1: it is being written now, by the thread with that thread pointer */
static _Atomic uint64_t written_tp;
static _Atomic uint32_t busy;
static struct hl_shot *shot; /* whoever is busy has it */
static uint32_t last_number;

void hl_image_setup(void (*request)(const void *context))
{
	if (!hl_guest.config.image)
		return;
	hl_stack_setup();
	if (hl_state() == HL_ACTIVE && !atomic_load_explicit(&forbidden, memory_order_relaxed))
		hl_signal_setup(request);
}

void hl_image_forbid(void)
{
	atomic_store_explicit(&forbidden, 1, memory_order_relaxed);
	hl_signal_withdraw();
}

static int is_possible(void)
{
	return hl_guest.config.image && hl_state() == HL_ACTIVE &&
	       !atomic_load_explicit(&forbidden, memory_order_relaxed);
}

int hl_image_is_due(void)
{
	/* what makes no system call first */
	return is_possible() &&
	       atomic_load_explicit(&written_by, memory_order_relaxed) != hl_guest.image_id &&
	       !hl_is_vfork_child();
}

static int take_busy(void)
{
	uint32_t none = 0;

	return atomic_compare_exchange_strong_explicit(&busy, &none, 1, memory_order_acquire,
						       memory_order_relaxed);
}

static void give_busy(void)
{
	atomic_store_explicit(&busy, 0, memory_order_release);
	hl_sys_futex_wake(&busy, INT32_MAX);
}

/* What is used again and again. */
static struct hl_shot *have_shot(void)
{
	struct hl_shot *x = shot;

	if (!x)
		shot = x = hl_arena_alloc(sizeof *x);
	if (x && !x->stream)
		x->stream = hl_arena_alloc(sizeof *x->stream);
	if (x && !x->words)
		x->words = hl_arena_alloc(sizeof *x->words);
	return x && x->stream && x->words ? x : NULL;
}

static struct hl_shot *begin(uint32_t flags)
{
	struct hl_shot *x = have_shot();

	if (!x)
		return NULL;
	x->number = ++last_number;
	x->flags = flags | (hl_guest.config.image == HL_IMAGES_GENTLE ? HL_IMAGE_GENTLE : 0);
	x->until_ns = hl_vdso_clock(CLOCK_MONOTONIC) + HL_IMAGE_LIMIT_NS;
	x->failed = x->frozen = x->still = x->masked = x->signal = 0;
	x->reader = hl_sys_gettid();
	x->nmaps = x->maps_room = x->nthreads = 0;
	x->nwords = 0;
	x->last = NULL;
	x->stream->stream = HL_STREAM_IMAGE(x->number);
	x->stream->slot = NULL;
	x->stream->claim = x->stream->at = x->stream->limit = x->stream->denied = 0;
	x->stream->starving = 0;
	x->writer.serial = x->number;
	/* not the state's: a thread that is past its end has borrowed one */
	x->writer.tid = hl_sys_gettid();
	/* without it, it would stop itself */
	return x->writer.tid && hl_shot_count_threads(x) ? x : NULL;
}

static void put_begin(struct hl_shot *x)
{
	uint8_t buf[32], *p = hl_put_uv(buf, x->number);

	p = hl_put_uv(p, x->writer.tid);
	p = hl_put_uv(p, x->flags);
	hl_shot_put(x, HL_FACT_IMAGE_BEGIN, buf, (size_t)(p - buf), NULL, 0);
}

static void put_end(struct hl_shot *x, uint64_t stamp)
{
	uint8_t buf[64], *p = hl_put_uv(buf, x->number);

	p = hl_put_uv(p, stamp);
	p = hl_put_uv(p, x->nwords);
	p = hl_put_uv(p, x->nmaps);
	p = hl_put_uv(p, x->nthreads);
	hl_shot_put(x, HL_FACT_IMAGE_END, buf, (size_t)(p - buf), NULL, 0);
}

/* Later than all events so far, and all events from now on are later. */
static uint64_t take_stamp(void)
{
	/* as region.h says of marks */
	atomic_fetch_add_explicit(&hl_guest.region->clock_seq, 1, memory_order_seq_cst);
	return hl_stamp_fenced(hl_guest.clock, hl_guest.shift);
}

static int write_all(struct hl_shot *x, uint64_t stamp)
{
	put_begin(x);
	hl_shot_take_maps(x);
	if (!x->failed) {
		hl_shot_put_threads(x);
		hl_shot_scan(x);
		hl_shot_put_maps(x);
		put_end(x, stamp);
	}
	hl_slots_seal(x->stream);
	return !x->failed;
}

void hl_image_settle(void)
{
	atomic_store_explicit(&written_by, hl_guest.image_id, memory_order_relaxed);
}

/* Of the last one, if it is over, or until it is.  Killed with the thread that made it, perhaps: nobody else tells. */
static int reap(int wait)
{
	int status, gone = hl_copy_reap(wait, &status);

	if (gone && status == HL_COPY_KILLED)
		hl_lost(HL_LOST_IMAGE, 1);
	return gone;
}

/* Another thread's image on demand is over in a moment; its copy takes its time. */
static int take_busy_at_end(void)
{
	for (int i = 0; !take_busy(); i++) {
		if (i == BUSY_SLICES)
			return 0;
		hl_sys_futex_wait(&busy, 1, BUSY_SLICE_NS);
	}
	reap(1);
	return 1;
}

static void write_last(struct hl_thread *t, int resume)
{
	struct hl_shot *x;
	int done;

	x = take_busy_at_end() ? begin(HL_IMAGE_AT_EXIT) : NULL;
	if (!x) {
		hl_lost(HL_LOST_IMAGE, 1);
		return;
	}
	hl_shot_own_stack(x, t);
	hl_shot_park(x);
	hl_shot_read_maps(x);
	done = !x->failed && write_all(x, take_stamp());
	if (!done)
		hl_lost(HL_LOST_IMAGE, 1);
	if (resume)
		hl_shot_resume(x);
}

void hl_image_write(struct hl_thread *t, int resume)
{
	uint32_t other = atomic_load_explicit(&written_by, memory_order_relaxed);

	/* two threads may end the process at once */
	if (other == hl_guest.image_id ||
	    !atomic_compare_exchange_strong_explicit(&written_by, &other, hl_guest.image_id,
						     memory_order_relaxed, memory_order_relaxed))
		return;
	atomic_store_explicit(&written_tp, hl_cpu_thread_pointer(), memory_order_relaxed);
	atomic_store_explicit(&writing, 1, memory_order_release);
	hl_sys_futex_wake(&writing, INT32_MAX);
	write_last(t, resume);
	atomic_store_explicit(&writing, 0, memory_order_release);
	hl_sys_futex_wake(&writing, INT32_MAX);
}

void hl_image_await(void)
{
	uint64_t until;

	if (HL_LIKELY(!atomic_load_explicit(&writing, memory_order_acquire)) ||
	    atomic_load_explicit(&written_tp, memory_order_relaxed) == hl_cpu_thread_pointer())
		return;
	until = hl_vdso_clock(CLOCK_MONOTONIC) + HL_IMAGE_LIMIT_NS;
	while (atomic_load_explicit(&writing, memory_order_acquire) && hl_vdso_clock(CLOCK_MONOTONIC) < until)
		hl_sys_futex_wait(&writing, 1, 100000000u);
}

void hl_image_await_begin(void)
{
	uint64_t until;

	if (HL_LIKELY(*(const volatile char *)hl_guest.single_threaded || !hl_image_is_due()))
		return;
	until = hl_vdso_clock(CLOCK_MONOTONIC) + BEGIN_LIMIT_NS;
	while (hl_image_is_due() && hl_vdso_clock(CLOCK_MONOTONIC) < until)
		hl_sys_futex_wait(&writing, 0, BUSY_SLICE_NS);
}

/* ---- of a process that goes on ---- */

static void tell(const struct hl_image_request *r, enum hl_ask state)
{
	/* release: the mark, or the image, was recorded before (partner: the command that asked) */
	if (r->state)
		atomic_store_explicit(r->state, (uint8_t)state, memory_order_release);
}

/* In the copy. */
static __attribute__((noreturn)) void write_frozen(struct hl_shot *x, uint64_t stamp,
						   const struct hl_image_request *r)
{
	int done;

	x->frozen = 1;
	x->reader = hl_sys_gettid();
	done = write_all(x, stamp);
	if (!done)
		hl_lost(HL_LOST_IMAGE, 1);
	tell(r, done ? HL_ASK_DONE : HL_ASK_GIVEN_UP);
	if (done && r->then) {
		hl_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&x->mask, 0, 8);
		hl_copy_end(r->then());
	}
	hl_copy_end(done ? 0 : COPY_FAILED);
}

/* All that the others stand still for. */
static enum hl_ask freeze(struct hl_shot *x, struct hl_thread *t, const struct hl_image_request *r)
{
	uint64_t stamp;
	long pid;

	hl_shot_read_maps(x);
	if (x->failed)
		return HL_ASK_NO_LIST;
	stamp = hl_record_mark(t, r->reason, r->label);
	if (!stamp)
		return HL_ASK_DENIED;
	/* before the copy can say that it is done */
	tell(r, HL_ASK_WRITING);
	pid = hl_copy_start(r->then ? 3 : 0);
	if (!pid)
		write_frozen(x, stamp, r);
	return pid > 0 ? HL_ASK_WRITING : HL_ASK_NO_COPY;
}

static enum hl_ask take(struct hl_thread *t, const struct hl_image_request *r)
{
	struct hl_shot *x = begin(HL_IMAGE_FROZEN | r->flags);
	enum hl_ask result;

	if (!x)
		return HL_ASK_NO_LIST;
	if (r->context) {
		hl_shot_note_context(&x->threads[0], r->context);
		x->nthreads = 1;
	} else {
		hl_shot_own_stack(x, t);
	}
	hl_shot_park(x);
	result = freeze(x, t, r);
	hl_shot_resume(x);
	return result;
}

enum hl_ask hl_image_live(struct hl_thread *t, const struct hl_image_request *r, int *status)
{
	enum hl_ask result = HL_ASK_BUSY;

	if (!is_possible() || hl_is_vfork_child())
		result = HL_ASK_DENIED;
	else if (take_busy()) {
		if (reap(status != NULL)) {
			result = take(t, r);
			if (result == HL_ASK_WRITING && status) {
				hl_copy_reap(1, status);
				result =
					*status < 0 || *status == COPY_FAILED ? HL_ASK_GIVEN_UP : HL_ASK_DONE;
			}
		}
		give_busy();
	}
	if (result > HL_ASK_DONE) {
		tell(r, result);
		hl_lost(HL_LOST_IMAGE, result != HL_ASK_BUSY && result != HL_ASK_DENIED);
	}
	return result;
}

void hl_image_reap(void)
{
	if (HL_LIKELY(!hl_copy_runs()) || !take_busy())
		return;
	reap(0);
	give_busy();
}

void hl_image_abandon(void)
{
	if (HL_LIKELY(!hl_copy_runs()) || !take_busy())
		return;
	if (!reap(0)) {
		hl_copy_kill();
		hl_lost(HL_LOST_IMAGE, 1);
	}
	give_busy();
}

void hl_image_forked(void)
{
	hl_copy_forked();
	hl_park_forked();
	last_number = 0;
	atomic_store_explicit(&writing, 0, memory_order_relaxed);
	atomic_store_explicit(&busy, 0, memory_order_relaxed);
}
