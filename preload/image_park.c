/*
 * image_park.c - the other threads stand still.
 *
 * Each gets a signal whose handler notes its registers and waits.  A thread that does not answer in time may still run the
 * handler later, which then returns at once: so a handler that is there for one image only stays unless all answered.
 */
#include "preload/arena.h"
#include "preload/image_shot.h"
#include "preload/image_signal.h"
#include "preload/vdso.h"
#include <signal.h>
#include <time.h>
#include <ucontext.h>

#define WAIT_NS      20000000ull
#define WAIT_LAST_NS 1000000000ull /* at the end: who gets no processor for a while is worth it */
#define BEGIN_NS     200000ull
#define EACH_NS      100000ull /* to look at one and to signal it */
#define ROUNDS       3u
#define RED_ZONE     128u

/* Where threads wait.  One image after the other uses it. */
struct park {
	_Atomic uint32_t round;    /* number of the stop that goes on; 0: none */
	_Atomic uint32_t go;       /* stops up to this one are over */
	_Atomic uint32_t claimed;  /* places taken */
	_Atomic uint32_t arrived;  /* and filled in */
	_Atomic uint32_t prepared; /* places are those of this stop */
	uint64_t writer_tp;        /* who writes does not wait for itself */
	uint32_t last, room;
	uint32_t *tids; /* of the places; written last */
	struct hl_shot_thread *threads;
};

static struct park park;

static void note_all(struct hl_shot_thread *t, const void *words, size_t bytes)
{
	const uint64_t *p = words;

	for (size_t i = 0; i < bytes / 8; i++)
		hl_shot_note(t, p[i]);
}

#if defined(__x86_64__)
/* 1: the thread is in a system call that a library makes.  All vector registers are the callee's (System V psABI for AMD64, 3.2.1):
 * who called the library keeps nothing in them, and what is there was left by somebody before.  The kernel moves the pc back to
 * the instruction when the call is to be made again. */
static int is_in_librarys_call(uint64_t pc)
{
	const uint8_t *p = (const uint8_t *)(uintptr_t)pc;

	return hl_pc_is_librarys(pc) && ((p[0] == 0x0f && p[1] == 0x05) || (p[-2] == 0x0f && p[-1] == 0x05));
}

/* arch/x86/include/uapi/asm/sigcontext.h: the general registers, and behind fpregs the area that XSAVE filled. */
static void note_context(struct hl_shot_thread *t, const ucontext_t *u)
{
	const uint32_t *fp = (const void *)u->uc_mcontext.fpregs;
	uint32_t bytes = 512;

	t->sp = (uint64_t)u->uc_mcontext.gregs[REG_RSP] - RED_ZONE;
	for (int i = 0; i < REG_RIP; i++)
		if (i != REG_RSP)
			hl_shot_note(t, (uint64_t)u->uc_mcontext.gregs[i]);
	if (!fp || is_in_librarys_call((uint64_t)u->uc_mcontext.gregs[REG_RIP]))
		return;
	/* sw_reserved: FP_XSTATE_MAGIC1, extended_size, xfeatures, xstate_size */
	if (fp[116] == 0x46505853u && fp[120] >= 512 && fp[120] < 65536)
		bytes = fp[120];
	/* vector registers first: xmm behind 160 bytes, the rest of the larger ones behind the header */
	note_all(t, (const uint8_t *)fp + 160, 256);
	if (bytes > 576)
		note_all(t, (const uint8_t *)fp + 576, bytes - 576);
}
#else
static void note_context(struct hl_shot_thread *t, const ucontext_t *u)
{
	t->sp = u->uc_mcontext.sp;
	note_all(t, u->uc_mcontext.regs, sizeof u->uc_mcontext.regs);
	note_all(t, u->uc_mcontext.__reserved, sizeof u->uc_mcontext.__reserved);
}
#endif

void hl_shot_note_context(struct hl_shot_thread *t, const void *context)
{
	t->tid = hl_sys_gettid();
	t->how = HL_IMAGE_PARKED;
	t->tp = hl_cpu_thread_pointer();
	t->n = 0;
	t->alt = t->alt_bytes = 0;
	hl_shot_note_signal_stack(t, &((const ucontext_t *)context)->uc_stack);
	note_context(t, context);
}

/* Of the thread in place i, if it is still that of its round: the next one may have begun. */
static struct hl_call call_of(uint32_t i, uint32_t round)
{
	struct hl_call call = {.known = 0};

	call.number = park.threads[i].call.number;
	call.first = park.threads[i].call.first;
	call.known = park.threads[i].call.known;
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&park.prepared, memory_order_relaxed) != round)
		call.known = 0;
	return call;
}

void hl_park_here(void *context)
{
	struct hl_call call;
	/* acquire: all of the park (partner: hl_shot_park) */
	uint32_t round = atomic_load_explicit(&park.round, memory_order_acquire), i, go;

	if (!round || hl_cpu_thread_pointer() == park.writer_tp ||
	    atomic_load_explicit(&park.go, memory_order_acquire) >= round)
		return;
	i = atomic_fetch_add_explicit(&park.claimed, 1, memory_order_relaxed);
	if (i >= park.room)
		return;
	hl_shot_note_context(&park.threads[i], context);
	/* release: the registers (partner: collect) */
	__atomic_store_n(&park.tids[i], park.threads[i].tid, __ATOMIC_RELEASE);
	atomic_fetch_add_explicit(&park.arrived, 1, memory_order_release);
	hl_sys_futex_wake(&park.arrived, 1);
	while ((go = atomic_load_explicit(&park.go, memory_order_acquire)) < round)
		hl_sys_futex_wait(&park.go, go, 1000000000u);
	call = call_of(i, round);
	hl_call_restart(context, &call);
}

int hl_park_prepare(uint32_t n)
{
	atomic_store_explicit(&park.prepared, park.last + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	if (n > park.room) {
		park.room = 0;
		park.threads = hl_arena_alloc(n * sizeof *park.threads);
		park.tids = hl_arena_alloc(n * sizeof *park.tids);
		if (!park.threads || !park.tids)
			return 0;
		park.room = n;
	}
	for (uint32_t i = 0; i < park.room; i++) {
		park.tids[i] = 0;
		park.threads[i].call.known = 0;
	}
	atomic_store_explicit(&park.claimed, 0, memory_order_relaxed);
	atomic_store_explicit(&park.arrived, 0, memory_order_relaxed);
	park.writer_tp = hl_cpu_thread_pointer();
	return 1;
}

void hl_park_forked(void)
{
	atomic_store_explicit(&park.go, park.last, memory_order_relaxed);
	atomic_store_explicit(&park.round, 0, memory_order_relaxed);
}

static void wait_for(uint32_t called, uint64_t ns)
{
	uint64_t until = hl_vdso_clock(CLOCK_MONOTONIC) + ns;

	for (;;) {
		uint32_t seen = atomic_load_explicit(&park.arrived, memory_order_acquire);
		uint64_t now = hl_vdso_clock(CLOCK_MONOTONIC);

		if (seen >= called || now >= until)
			return;
		hl_sys_futex_wait(&park.arrived, seen, until - now);
	}
}

static void take_answer(struct hl_shot_thread *to, const struct hl_shot_thread *from)
{
	to->how = from->how;
	to->sp = from->sp;
	to->tp = from->tp;
	to->alt = from->alt;
	to->alt_bytes = from->alt_bytes;
	to->n = from->n;
	for (uint32_t k = 0; k < from->n; k++)
		to->words[k] = from->words[k];
}

static void give_call(struct hl_call *to, const struct hl_call *from)
{
	to->number = from->number;
	to->first = from->first;
	to->known = from->known;
}

static void collect(struct hl_shot *x)
{
	uint32_t n = atomic_load_explicit(&park.claimed, memory_order_acquire);

	if (n > park.room)
		n = park.room;
	x->still = x->nthreads < x->threads_room;
	for (uint32_t i = 1; i < x->nthreads; i++) {
		uint32_t place = hl_shot_place_of(park.tids, n, x->tids[i]);

		if (place) {
			take_answer(&x->threads[i], &park.threads[place - 1]);
			give_call(&park.threads[place - 1].call, &x->threads[i].call);
			continue;
		}
		x->still = 0;
		hl_shot_ask_kernel(x, &x->threads[i]);
	}
}

/* glibc unblocks the signals of a thread when it has begun, in a moment. */
static void wait_for_beginners(struct hl_shot *x, uint64_t until)
{
	while (hl_shot_call_again(x, until) && hl_vdso_clock(CLOCK_MONOTONIC) < until)
		hl_sys_futex_wait(&park.arrived, atomic_load_explicit(&park.arrived, memory_order_relaxed),
				  BEGIN_NS);
}

void hl_shot_park(struct hl_shot *x)
{
	uint64_t until = hl_vdso_clock(CLOCK_MONOTONIC) + WAIT_NS + x->threads_room * EACH_NS;
	uint64_t all = UINT64_MAX;

	/* a handler of this thread might wait for one that stands still, or never come back here */
	x->masked = hl_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&all, (long)(uintptr_t)&x->mask,
			    8) == 0;
	x->tids[0] = x->threads[0].tid;
	x->called = 0;
	x->deep = 0;
	park.last++;
	/* release: the park is ready (partner: hl_park_here) */
	atomic_store_explicit(&park.round, park.last, memory_order_release);
	x->signal = hl_signal_standing();
	x->signal_ours = !x->signal;
	if (!x->signal)
		x->signal = hl_signal_install();
	for (uint32_t round = 0; round < ROUNDS; round++) {
		int found = hl_shot_call_threads(x, until);

		if (found < 0)
			x->failed = 1;
		if (found <= 0)
			break;
		wait_for_beginners(x, hl_vdso_clock(CLOCK_MONOTONIC) + WAIT_NS);
		wait_for(x->called, x->flags & HL_IMAGE_AT_EXIT ? WAIT_LAST_NS : WAIT_NS);
	}
	collect(x);
}

void hl_shot_resume(struct hl_shot *x)
{
	atomic_store_explicit(&park.round, 0, memory_order_relaxed);
	atomic_store_explicit(&park.go, park.last, memory_order_release);
	hl_sys_futex_wake(&park.go, INT32_MAX);
	if (atomic_load_explicit(&park.arrived, memory_order_acquire) >= x->called) {
		if (x->signal && x->signal_ours)
			hl_signal_uninstall(x->signal);
		if (x->deep > 0)
			hl_signal_uninstall_deep();
	}
	if (x->masked)
		hl_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&x->mask, 0, 8);
}
