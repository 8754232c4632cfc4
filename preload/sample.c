/*
 * sample.c - where the points lie, and the set of sampled live blocks.
 *
 * The set is tables of keys, each eight times the one before, made when a key finds no place in those that are
 * there.  A key lies at one of REACH places of one table; a place that is free ends no search, so nothing has to be
 * left behind where a key goes, and threads that enter and remove at the same time cannot hide a key
 * from each other.
 *
 * Invariant: a key is entered by who allocated the block, before anybody else can know of it, and removed by who
 * frees it: no two threads handle one key at a time.
 */
#include "preload/sample.h"
#include "heapledger/stamp.h"
#include <sys/mman.h>

#define REACH      32u
#define FIRST_BITS 12
#define TABLES     6

struct entry {
	uint64_t size;
	uint64_t drawn; /* of its thread when it was allocated, less what was left: hl_thread.sample_drawn */
	uint32_t serial;
};

struct table {
	uint32_t shift; /* of a hash to a place */
	_Atomic uint64_t *key;
	struct entry *entry;
};

_Atomic uint8_t hl_filter[1u << HL_FILTER_BITS];
__thread uint64_t hl_sample_credit;
static struct table *_Atomic tables[TABLES];

/* -ln(u) for u in (0, 1], to about 1e-9.  With u = m * 2^e, m in [1, 2), and z = (m - 1) / (m + 1):
 * ln m = 2 * (z + z^3 / 3 + z^5 / 5 + ...). */
static double minus_log(double u)
{
	uint64_t bits;
	double m, z, zz, sum = 0;
	int e;

	__builtin_memcpy(&bits, &u, sizeof bits);
	e = (int)(bits >> 52) - 1023;
	bits = (bits & 0xfffffffffffffull) | 1023ull << 52;
	__builtin_memcpy(&m, &bits, sizeof m);
	z = (m - 1) / (m + 1);
	zz = z * z;
	for (int k = 17; k >= 1; k -= 2)
		sum = sum * zz + 1.0 / k;
	return -(e * 0.69314718055994530942 + 2 * z * sum);
}

/* Bytes to the next point. */
static int64_t draw(struct hl_thread *t)
{
	uint64_t rate = hl_guest.config.sample, random, was;
	double far;
	int64_t left;

	/* xorshift64*: Marsaglia 2003, Vigna 2016 */
	t->sample_random ^= t->sample_random >> 12;
	t->sample_random ^= t->sample_random << 25;
	t->sample_random ^= t->sample_random >> 27;
	random = (t->sample_random * 0x2545f4914f6cdd1dull >> 11) + 1;
	was = hl_cpu_float_begin();
	__asm__ volatile("" : "+r"(rate), "+r"(random)); /* nothing of it before that */
	far = (double)rate * minus_log((double)random * 0x1p-53);
	left = far < 0x1p62 ? (int64_t)far : (int64_t)1 << 62;
	__asm__ volatile("" : "+r"(left)); /* nor after this */
	hl_cpu_float_end(was);
	return left;
}

static int64_t left_of(const struct hl_thread *t)
{
	return hl_sample_credit ? (int64_t)hl_sample_credit : t->sample_left;
}

static void set_left(struct hl_thread *t, int64_t left)
{
	t->sample_left = left;
	/* of a borrowed state nothing may be left behind with the thread */
	hl_sample_credit = t->serial && t->entry_hint == HL_ENTRY_COUNT ? (uint64_t)left : 0;
}

void hl_sample_hold(struct hl_thread *t)
{
	t->sample_left = left_of(t);
	hl_sample_credit = 0;
}

void hl_sample_go_on(struct hl_thread *t)
{
	if (hl_guest.config.sample)
		set_left(t, left_of(t));
}

void hl_sample_end(void)
{
	hl_sample_credit = 0;
}

static void draw_next(struct hl_thread *t)
{
	int64_t left = draw(t);

	/* and one: a block that begins at its point is also one after those before it */
	t->sample_drawn += (uint64_t)left + 1;
	set_left(t, left);
}

/* Moves with every allocation. */
static uint64_t position(const struct hl_thread *t)
{
	return t->sample_drawn - (uint64_t)left_of(t);
}

void hl_sample_begin(struct hl_thread *t)
{
	if (!hl_guest.config.sample)
		return;
	if (hl_sys_random(&t->sample_random, sizeof t->sample_random) < 0)
		t->sample_random = hl_stamp_clock() ^ (uint64_t)t->tid << 32;
	t->sample_random ^= (uint64_t)(uintptr_t)t * 0x9e3779b97f4a7c15ull;
	if (!t->sample_random)
		t->sample_random = 1;
	draw_next(t);
}

static struct table *make(uint32_t k)
{
	uint32_t bits = FIRST_BITS + 3 * k;
	size_t keys = (((size_t)1 << bits) + REACH) * sizeof(uint64_t);
	size_t bytes = 64 + keys + (((size_t)1 << bits) + REACH) * sizeof(struct entry);
	char *map = hl_sys_mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				-1, 0);
	struct table *n = (struct table *)map, *none = NULL;

	if (!n)
		return NULL;
	n->shift = 64 - bits;
	n->key = (_Atomic uint64_t *)(map + 64);
	n->entry = (struct entry *)(map + 64 + keys);
	if (atomic_compare_exchange_strong_explicit(&tables[k], &none, n, memory_order_acq_rel,
						    memory_order_acquire))
		return n;
	hl_sys_munmap(map, bytes);
	return none;
}

static uint64_t place(const struct table *n, uint64_t key)
{
	return (key >> 4 ^ key >> 63) * 0xd6e8feb86659fd93ull >> n->shift;
}

static int enter(uint64_t key, const struct entry *e)
{
	for (uint32_t k = 0; k < TABLES; k++) {
		struct table *n = atomic_load_explicit(&tables[k], memory_order_acquire);
		uint64_t at;

		if (!n && !(n = make(k)))
			return 0;
		at = place(n, key);
		for (uint64_t i = at; i < at + REACH; i++) {
			uint64_t none = 0;

			if (!atomic_load_explicit(&n->key[i], memory_order_relaxed) &&
			    atomic_compare_exchange_strong_explicit(
				    &n->key[i], &none, key, memory_order_acquire, memory_order_relaxed)) {
				n->entry[i] = *e;
				return 1;
			}
		}
	}
	return 0;
}

static int leave(uint64_t key, struct entry *e)
{
	struct table *n;

	for (uint32_t k = 0; k < TABLES && (n = atomic_load_explicit(&tables[k], memory_order_acquire));
	     k++) {
		uint64_t at = place(n, key);

		for (uint64_t i = at; i < at + REACH; i++)
			if (atomic_load_explicit(&n->key[i], memory_order_relaxed) == key) {
				*e = n->entry[i];
				/* release: the entry was read before another's is written there */
				atomic_store_explicit(&n->key[i], 0, memory_order_release);
				return 1;
			}
	}
	return 0;
}

/* The filter's count goes up before the block enters the set, and down after it left: who leaves by a jump in between
 * lets it say too much for good, never too little. */
static void count(uint64_t key, int by)
{
	_Atomic uint8_t *c = &hl_filter[hl_filter_place(key)];
	uint8_t was = atomic_load_explicit(c, memory_order_relaxed);

	do
		if (was == 255)
			return;
	while (!atomic_compare_exchange_weak_explicit(c, &was, (uint8_t)(was + by), memory_order_relaxed,
						      memory_order_relaxed));
}

static int put(uint64_t key, const struct entry *e)
{
	struct entry stale;

	/* An end that was lost, or that the program has its own way for, leaves its block here: now it goes, or
	 * one of the two would be taken for a later block at that address. */
	if (HL_UNLIKELY(hl_filter_maybe(key)) && leave(key, &stale))
		count(key, -1);
	count(key, 1);
	if (enter(key, e))
		return 1;
	count(key, -1);
	return 0;
}

int hl_sample_take(struct hl_thread *t, uint64_t key, uint64_t size)
{
	uint64_t step = size ? size : 1;
	struct entry e = {.size = size, .serial = t->serial};
	int64_t left = left_of(t);

	if (step <= (uint64_t)left) {
		set_left(t, left - (int64_t)step);
		return 0;
	}
	draw_next(t);
	e.drawn = position(t);
	if (put(key, &e))
		return 1;
	hl_lost(HL_LOST_FULL, 1);
	return 0;
}

int hl_sample_drop(struct hl_thread *t, uint64_t key, uint64_t *size, int *temporary)
{
	struct entry e;

	if (!hl_filter_maybe(key) || !leave(key, &e))
		return 0;
	count(key, -1);
	*size = e.size;
	*temporary = t->serial && e.serial == t->serial && e.drawn == position(t);
	return 1;
}

void hl_sample_undrop(struct hl_thread *t, uint64_t key, uint64_t size)
{
	struct entry e = {.size = size, .serial = t->serial};

	put(key, &e);
}

/* exp(-x), x >= 0: by its series for x / 2^k, squared k times. */
static double exp_minus(double x)
{
	double y = 1, sum = 1;
	int k = 0;

	if (x > 700)
		return 0;
	for (; x > 0.125; k++)
		x /= 2;
	for (int i = 1; i < 9; i++)
		sum += y *= -x / i;
	while (k--)
		sum *= sum;
	return sum;
}

uint64_t hl_sample_weight(uint64_t size)
{
	uint64_t rate = hl_guest.config.sample, was = hl_cpu_float_begin(), weight;
	double x;

	__asm__ volatile("" : "+r"(rate), "+r"(size)); /* as in draw */
	x = (size ? (double)size : 1) / (double)rate;
	/* 1 - exp(-x), also where that loses its digits */
	weight = (uint64_t)((double)size / (x < 1e-6 ? x : 1 - exp_minus(x)));
	__asm__ volatile("" : "+r"(weight));
	hl_cpu_float_end(was);
	return weight;
}
