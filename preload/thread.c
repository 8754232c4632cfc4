/*
 * thread.c - per-thread state: making it, finding it, handing it on.
 *
 * Invariant: a state is in exactly one place: some thread's TLS, the idle list, or borrowed.
 */
#include "preload/thread.h"
#include "preload/unwind.h"
#include "preload/arena.h"
#include "preload/sample.h"
#include "preload/window.h"
#include <pthread.h>

/* Two words of static TLS; everything else hangs on the state. */
__thread struct hl_thread *hl_thread_current;
static __thread uint8_t over;

static _Atomic(struct hl_thread *) all;
static _Atomic(struct hl_thread *) idle; /* popped whole, so no ABA: see take_idle */
static _Atomic(struct hl_thread *) shared;
static _Atomic uint32_t shared_busy;
static _Atomic uint64_t borrower;      /* its thread pointer; 0: none, or not yet said */
static _Atomic uint32_t borrowed_long; /* somebody waited to no avail: the borrower may never come back */
static _Atomic uint32_t last_serial;
static pthread_key_t key;
static uint8_t have_key;
static void (*on_begin)(struct hl_thread *);
static void (*on_end)(struct hl_thread *);

#define BORROW_SPINS   2000
#define BORROW_WAITS   200
#define BORROW_WAIT_NS 1000000u

static void push_idle(struct hl_thread *t)
{
	struct hl_thread *head = NULL, *last = t;

	/* Mostly the end of what is put back need not be found: meanwhile a signal handler finds no state but a new one.
	 * release: the state as its last owner left it (partner: take_idle) */
	if (atomic_compare_exchange_strong_explicit(&idle, &head, t, memory_order_release,
						    memory_order_relaxed))
		return;
	while (last->next_idle)
		last = last->next_idle;
	do
		last->next_idle = head;
	/* release: as above */
	while (!atomic_compare_exchange_weak_explicit(&idle, &head, t, memory_order_release,
						      memory_order_relaxed));
}

/* Detach the whole list, keep the first, put the rest back: no pointer of a list that others change
 * is ever dereferenced. */
static struct hl_thread *take_idle(void)
{
	struct hl_thread *t = atomic_exchange_explicit(&idle, NULL, memory_order_acquire);

	if (t && t->next_idle) {
		push_idle(t->next_idle);
		t->next_idle = NULL;
	}
	return t;
}

static struct hl_thread *make(void)
{
	struct hl_thread *t = hl_arena_alloc(sizeof *t);

	if (!t)
		return NULL;

	struct hl_thread *head = atomic_load_explicit(&all, memory_order_relaxed);

	do
		t->next_all = head;
	while (!atomic_compare_exchange_weak_explicit(&all, &head, t, memory_order_release,
						      memory_order_relaxed));
	return t;
}

static struct hl_stream *make_stream(uint32_t id)
{
	struct hl_stream *s = hl_arena_alloc(sizeof *s);
	size_t room = hl_guest.config.room;
	unsigned bits = id == HL_STREAM(1, 0) ? HL_NEAR_BITS_FIRST : HL_NEAR_BITS;

	if (!s)
		return NULL;
	s->stream = id;
	s->pcs = hl_arena_alloc((room + HL_FRAMES_EXTRA) * sizeof *s->pcs);
	s->fresh = hl_arena_alloc((room + 1) * sizeof *s->fresh);
	s->trail.frames = hl_arena_alloc((room + 1) * sizeof *s->trail.frames);
	s->trail.probes = hl_arena_alloc((HL_PROBES_BEFORE + room * 2) * sizeof *s->trail.probes);
	s->near.shift = 64 - bits;
	s->near.rules = hl_arena_alloc(sizeof *s->near.rules << bits);
	s->near.nodes = hl_arena_alloc(sizeof *s->near.nodes << bits);
	if (!s->near.rules || !s->near.nodes || !s->pcs || !s->fresh || !s->trail.frames || !s->trail.probes)
		return NULL;
	hl_trail_init(&s->trail);
	return s;
}

static void begin(struct hl_thread *t)
{
	t->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
	t->tid = hl_sys_gettid();
	t->level = 0;
	t->own = 0;
	t->entry_hint = HL_ENTRY_COUNT;
	t->ignoring = 0;
	t->key_rounds = 0;
	t->stack_low = t->stack_high = t->foreign_sp = 0;
	t->name[0] = 0;
	hl_sample_begin(t);
	for (uint32_t l = 0; l < HL_LEVELS; l++) {
		struct hl_stream *s = t->streams[l];

		if (!s)
			continue;
		s->limit = 0; /* its claim is the last owner's */
		/* and so is the stack: ours may lie below one that was too deep */
		s->trail.n = 0;
		s->trail.deep_sp = 0;
		s->released = 0;
		if (s->stream == 0)
			s->stream = HL_STREAM(t->serial, l);
	}
}

struct hl_thread *hl_thread_self(void)
{
	struct hl_thread *t = hl_thread_current, *known = NULL;

	if (HL_LIKELY(t != NULL))
		return t;
	if (over)
		return NULL;
	t = take_idle();
	if (!t)
		t = make();
	if (!t) {
		hl_lost(HL_LOST_THREAD, 1);
		return NULL;
	}
	begin(t);
	/* Nobody may go on without the clock: there is one stream more. */
	atomic_fetch_add_explicit(&hl_guest.region->clock_seq, 1, memory_order_seq_cst);
	/* A signal handler that allocated meanwhile has made the thread known already. */
	if (!__atomic_compare_exchange_n(&hl_thread_current, &known, t, 0, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED)) {
		push_idle(t);
		hl_sample_begin(known); /* the thread's count of bytes is not its state's any more */
		return known;
	}
	/* pthread_setspecific may allocate for late keys: ours, not the program's */
	t->own = 1;
	t->level = 1; /* not the common way in */
	if (have_key)
		pthread_setspecific(key, t);
	t->level = 0;
	t->own = 0;
	if (on_begin)
		on_begin(t);
	return t;
}

int hl_thread_is_over(void)
{
	return over;
}

/* As late as pthread lets us: other keys' destructors free memory too (POSIX gives at least four
 * rounds, PTHREAD_DESTRUCTOR_ITERATIONS). */
static void key_destructor(void *p)
{
	struct hl_thread *t = p;

	if (t != hl_thread_current || !hl_records(hl_state()))
		return;
	if (++t->key_rounds < 3) {
		pthread_setspecific(key, t);
		return;
	}
	if (on_end)
		on_end(t);
	over = 1;
	hl_sample_end();
	hl_thread_current = NULL;
	t->next_idle = NULL;
	push_idle(t);
}

void hl_thread_setup(void (*began)(struct hl_thread *), void (*ends)(struct hl_thread *))
{
	on_begin = began;
	on_end = ends;
	have_key = pthread_key_create(&key, key_destructor) == 0;
}

struct hl_stream *hl_thread_stream(struct hl_thread *t, uint32_t l)
{
	struct hl_stream *s = t->streams[l];

	if (HL_LIKELY(s != NULL))
		return s;
	s = make_stream(t->serial ? HL_STREAM(t->serial, l) : HL_STREAM(0, 3));
	t->streams[l] = s;
	return s;
}

struct hl_thread *hl_thread_borrow(void)
{
	struct hl_thread *t;

	for (int i = 0; atomic_exchange_explicit(&shared_busy, 1, memory_order_acquire); i++) {
		if (i < BORROW_SPINS) {
			hl_cpu_relax();
			continue;
		}
		/* A handler that interrupted the borrower would wait for itself.  Else the borrower may have lost its
		 * processor. */
		if (atomic_load_explicit(&borrower, memory_order_relaxed) == hl_cpu_thread_pointer() ||
		    atomic_load_explicit(&borrowed_long, memory_order_relaxed))
			return NULL;
		if (i == BORROW_SPINS + BORROW_WAITS) {
			atomic_store_explicit(&borrowed_long, 1, memory_order_relaxed);
			return NULL;
		}
		hl_sys_futex_wait(&shared_busy, 1, BORROW_WAIT_NS);
	}
	atomic_store_explicit(&borrower, hl_cpu_thread_pointer(), memory_order_relaxed);
	t = atomic_load_explicit(&shared, memory_order_relaxed);
	if (!t) {
		t = make();
		if (!t) {
			hl_thread_give_back(NULL);
			return NULL;
		}
		begin(t);
		t->serial = 0; /* attributed to no thread */
		hl_sample_hold(t);
		atomic_store_explicit(&shared, t, memory_order_relaxed);
	}
	return t;
}

void hl_thread_give_back(struct hl_thread *t)
{
	(void)t;
	atomic_store_explicit(&borrowed_long, 0, memory_order_relaxed);
	atomic_store_explicit(&borrower, 0, memory_order_relaxed);
	atomic_store_explicit(&shared_busy, 0, memory_order_release);
}

struct hl_thread *hl_thread_all(void)
{
	return atomic_load_explicit(&all, memory_order_acquire);
}

uint32_t hl_thread_next_serial(void)
{
	return atomic_load_explicit(&last_serial, memory_order_relaxed) + 1;
}

void hl_thread_forked(void)
{
	struct hl_thread *mine = hl_thread_current, *t;

	atomic_store_explicit(&idle, NULL, memory_order_relaxed);
	atomic_store_explicit(&borrower, 0, memory_order_relaxed);
	atomic_store_explicit(&shared_busy, 0, memory_order_relaxed);
	for (t = hl_thread_all(); t; t = t->next_all) {
		int borrowed = t == atomic_load_explicit(&shared, memory_order_relaxed);
		uint32_t serial = t == mine ? hl_thread_next_serial() : 0;

		/* The slots are the parent's; a new serial gives streams of our own. */
		for (uint32_t l = 0; l < HL_LEVELS; l++) {
			struct hl_stream *s = t->streams[l];

			if (!s)
				continue;
			/* a signal handler forked inside our hook; of a borrowed state perhaps another thread's */
			if ((t == mine || borrowed) && l < t->level && s->slot)
				hl_window_part(s->index);
			s->limit = 0; /* before the slot, as in hl_slots_seal */
			atomic_signal_fence(memory_order_seq_cst);
			s->slot = NULL;
			s->claim = 0;
			s->at = 0;
			s->starving = 0;
			s->denied = 0;
			s->trail.n = 0;
			if (!borrowed)
				s->stream = t == mine ? HL_STREAM(serial, l) : 0; /* 0: by its next owner */
		}
		if (t == mine) {
			atomic_store_explicit(&last_serial, serial, memory_order_relaxed);
			t->serial = serial;
			t->tid = hl_sys_gettid();
			t->name[0] = 0; /* of this serial nobody has been told it */
			hl_sample_begin(t);
		} else if (!borrowed) {
			t->next_idle = NULL;
			t->level = 0;
			push_idle(t);
		}
	}
}
