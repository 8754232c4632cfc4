/*
 * watch.c - the run time of a library built with -fsanitize=thread: notes who writes which line.
 *
 * A slot changes hands.  What its former owners did is forgotten when a thread claims it: then two writers of one of
 * its lines wrote while it belonged to one of them.
 */
#include "tests/sharing/watch.h"
#include "preload/guest.h"
#include "preload/window.h"
#include <stdio.h>
#include <string.h>

#define LINES  (1u << 19)
#define REACH  64u
#define HIDDEN __attribute__((visibility("hidden"), noinline))
#define SHOWN  __attribute__((visibility("default")))
#define CALLER ((uintptr_t)__builtin_return_address(0))

struct line {
	_Atomic uintptr_t number; /* address / HL_WATCH_LINE; 0: free */
	_Atomic uint32_t writers, readers;
	_Atomic uint64_t writes;
	_Atomic uintptr_t pc[3];
};

static struct line lines[LINES];
static _Atomic uint64_t writes[HL_WATCH_THREADS], region_writes, handovers, overflow;
static _Atomic uint32_t threads;
static volatile int watching;
static __thread uint8_t me; /* 1 + its number */
static __thread uint8_t muted;

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static struct line *line_of(uintptr_t number, int make)
{
	uint64_t at = number * 0x9e3779b97f4a7c15ull >> 45;

	for (uint32_t i = 0; i < REACH; i++) {
		struct line *l = &lines[(at + i) % LINES];
		uintptr_t none = 0;

		if (l->number == number)
			return l;
		if (!l->number &&
		    (!make || atomic_compare_exchange_strong(&l->number, &none, number) || none == number))
			return make ? l : NULL;
	}
	overflow += (uint64_t)make;
	return NULL;
}

static uint64_t region_tables(void)
{
	return hl_region_slots_off(hl_guest.backing, hl_guest.nslots);
}

static void note(uintptr_t address, size_t bytes, int is_write, uintptr_t pc)
{
	uintptr_t number = address / HL_WATCH_LINE, last = (address + bytes - 1) / HL_WATCH_LINE;
	uint32_t bit;

	if (!watching || muted || !bytes)
		return;
	if (!me)
		me = (uint8_t)(1 + threads++ % HL_WATCH_THREADS);
	bit = 1u << (me - 1);
	if (is_write) {
		writes[me - 1]++;
		region_writes += address - (uintptr_t)hl_guest.region < region_tables();
	}
	for (; number <= last; number++) {
		struct line *l = line_of(number, 1);

		if (!l)
			continue;
		if (!is_write) {
			if (!(l->readers & bit)) {
				l->readers |= bit;
				l->pc[2] = pc;
			}
			continue;
		}
		if (!(l->writers & bit))
			l->pc[l->writers != 0] = pc;
		l->writers |= bit;
		l->writes++;
	}
}

/* The calling thread has claimed slot i. */
static void claimed(uint32_t i)
{
	uintptr_t number;

	if (!watching || muted || i >= hl_guest.nslots)
		return;
	handovers++;
	muted = 1;
	number = (uintptr_t)hl_window_slot(i) / HL_WATCH_LINE;
	muted = 0;
	for (uint32_t k = 0; k < HL_SLOT_BYTES / HL_WATCH_LINE; k++) {
		struct line *l = line_of(number + k, 0);

		if (l)
			l->writers = l->readers = 0;
	}
}

static const char *place_of(uintptr_t address)
{
	static const struct {
		size_t offset;
		const char *name;
	} in_header[] = {
		{offsetof(struct hl_region, mail), "region header: mail"},
		{offsetof(struct hl_region, clock_seq), "region header: clock_seq"},
		{offsetof(struct hl_region, heartbeat), "region header: heartbeat"},
		{offsetof(struct hl_region, free_futex), "region header: free_futex"},
		{offsetof(struct hl_region, seal_futex), "region header: seal_futex"},
		{offsetof(struct hl_region, bump), "region header: bump"},
		{offsetof(struct hl_region, sealed_head), "region header: sealed_head"},
		{offsetof(struct hl_region, free_head), "region header: free_head"},
		{0, "region header: constants"},
	};
	uint64_t offset = address - (uintptr_t)hl_guest.region;

	if (offset >= region_tables())
		return "";
	if (offset >= HL_REGION_LINKS)
		return "region: links";
	if (offset >= HL_REGION_IMAGES)
		return "region: images";
	for (size_t i = 0;; i++)
		if (offset >= in_header[i].offset)
			return in_header[i].name;
}

SHOWN void heapledger_watch_switch(int on);
SHOWN size_t heapledger_watch_lines(struct hl_watch_line *out, size_t room, struct hl_watch_sum *sum);

SHOWN void heapledger_watch_switch(int on)
{
	watching = on;
}

SHOWN size_t heapledger_watch_lines(struct hl_watch_line *out, size_t room, struct hl_watch_sum *sum)
{
	size_t n = 0;

	for (uint32_t k = 0; k < HL_WATCH_THREADS; k++)
		sum->writes[k] = writes[k];
	sum->region_writes = region_writes;
	sum->handovers = handovers;
	sum->overflow = overflow;
	for (struct line *l = lines; l < lines + LINES; l++) {
		uint32_t w = l->writers;
		struct hl_watch_line *o = &out[n];

		if (!w || (!(w & (w - 1)) && !(l->readers & ~w)))
			continue;
		if (n++ >= room)
			continue;
		*o = (struct hl_watch_line){.address = l->number * HL_WATCH_LINE,
					    .writers = w,
					    .readers = l->readers,
					    .writes = l->writes};
		for (int k = 0; k < 3; k++)
			o->pc[k] = l->pc[k] ? l->pc[k] - (uintptr_t)__ehdr_start : 0;
		strcpy(o->place, place_of(o->address));
	}
	return n;
}

/* ---- what the instrumented code calls (gcc's tsan.cc, LLVM's tsan_interface.h) ---- */
HIDDEN void __tsan_init(void);
HIDDEN void __tsan_func_entry(void *pc);
HIDDEN void __tsan_func_exit(void);
HIDDEN void __tsan_read_range(void *p, size_t n);
HIDDEN void __tsan_write_range(void *p, size_t n);
HIDDEN void *__tsan_memcpy(void *to, const void *from, size_t n);
HIDDEN void *__tsan_memmove(void *to, const void *from, size_t n);
HIDDEN void *__tsan_memset(void *to, int byte, size_t n);
HIDDEN void __tsan_atomic_thread_fence(int order);
HIDDEN void __tsan_atomic_signal_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *p, size_t n)
{
	note((uintptr_t)p, n, 0, CALLER);
}

void __tsan_write_range(void *p, size_t n)
{
	note((uintptr_t)p, n, 1, CALLER);
}

void *__tsan_memcpy(void *to, const void *from, size_t n)
{
	note((uintptr_t)from, n, 0, CALLER);
	note((uintptr_t)to, n, 1, CALLER);
	return memcpy(to, from, n);
}

void *__tsan_memmove(void *to, const void *from, size_t n)
{
	note((uintptr_t)from, n, 0, CALLER);
	note((uintptr_t)to, n, 1, CALLER);
	return memmove(to, from, n);
}

void *__tsan_memset(void *to, int byte, size_t n)
{
	note((uintptr_t)to, n, 1, CALLER);
	return memset(to, byte, n);
}

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
	atomic_thread_fence(memory_order_seq_cst);
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order;
	atomic_signal_fence(memory_order_seq_cst);
}

#define PLAIN(name, bytes, is_write)                                                                         \
	HIDDEN void name(void *p);                                                                           \
	void name(void *p)                                                                                   \
	{                                                                                                    \
		note((uintptr_t)p, bytes, is_write, CALLER);                                                 \
	}
#define PLAIN_OF(bytes)                                                                                      \
	PLAIN(__tsan_read##bytes, bytes, 0)                                                                  \
	PLAIN(__tsan_write##bytes, bytes, 1)                                                                 \
	PLAIN(__tsan_unaligned_read##bytes, bytes, 0)                                                        \
	PLAIN(__tsan_unaligned_write##bytes, bytes, 1)
PLAIN_OF(1)
PLAIN_OF(2)
PLAIN_OF(4)
PLAIN_OF(8)
PLAIN_OF(16)

/* A slot is claimed by taking its index from free_head, or by moving bump. */
static void after_exchange(const void *p, uint64_t was)
{
	if (hl_guest.region && p == (const void *)&hl_guest.region->free_head)
		claimed((uint32_t)was - 1);
}

static void after_add(const void *p, uint64_t was)
{
	if (hl_guest.region && p == (const void *)&hl_guest.region->bump)
		claimed((uint32_t)was);
}

#define FETCH(bits, op)                                                                                      \
	HIDDEN uint##bits##_t __tsan_atomic##bits##_fetch_##op(volatile void *p, uint##bits##_t v,           \
							       int order);                                   \
	uint##bits##_t __tsan_atomic##bits##_fetch_##op(volatile void *p, uint##bits##_t v, int order)       \
	{                                                                                                    \
		uint##bits##_t was = __atomic_fetch_##op((volatile uint##bits##_t *)p, v, __ATOMIC_SEQ_CST); \
                                                                                                             \
		(void)order;                                                                                 \
		note((uintptr_t)p, bits / 8, 1, CALLER);                                                     \
		after_add((const void *)p, was);                                                             \
		return was;                                                                                  \
	}
#define EXCHANGE(bits, strength)                                                                             \
	HIDDEN int __tsan_atomic##bits##_compare_exchange_##strength(                                        \
		volatile void *p, void *expected, uint##bits##_t v, int order, int failed);                  \
	int __tsan_atomic##bits##_compare_exchange_##strength(volatile void *p, void *expected,              \
							      uint##bits##_t v, int order, int failed)       \
	{                                                                                                    \
		uint##bits##_t was = *(uint##bits##_t *)expected;                                            \
		int done = __atomic_compare_exchange_n((volatile uint##bits##_t *)p,                         \
						       (uint##bits##_t *)expected, v, 0, __ATOMIC_SEQ_CST,   \
						       __ATOMIC_SEQ_CST);                                    \
                                                                                                             \
		(void)order;                                                                                 \
		(void)failed;                                                                                \
		note((uintptr_t)p, bits / 8, 1, CALLER); /* also when it failed: the line was taken */       \
		if (done)                                                                                    \
			after_exchange((const void *)p, was);                                                \
		return done;                                                                                 \
	}
/* the form that clang calls */
#define EXCHANGE_VALUE(bits)                                                                                 \
	HIDDEN uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                    \
		volatile void *p, uint##bits##_t expected, uint##bits##_t v, int order, int failed);         \
	uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(volatile void *p, uint##bits##_t expected, \
								  uint##bits##_t v, int order, int failed)   \
	{                                                                                                    \
		uint##bits##_t was = expected;                                                               \
		int done = __atomic_compare_exchange_n((volatile uint##bits##_t *)p, &was, v, 0,             \
						       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                  \
                                                                                                             \
		(void)order;                                                                                 \
		(void)failed;                                                                                \
		note((uintptr_t)p, bits / 8, 1, CALLER);                                                     \
		if (done)                                                                                    \
			after_exchange((const void *)p, was);                                                \
		return was;                                                                                  \
	}
#define ATOMIC_OF(bits)                                                                                      \
	HIDDEN uint##bits##_t __tsan_atomic##bits##_load(const volatile void *p, int order);                 \
	HIDDEN void __tsan_atomic##bits##_store(volatile void *p, uint##bits##_t v, int order);              \
	HIDDEN uint##bits##_t __tsan_atomic##bits##_exchange(volatile void *p, uint##bits##_t v, int order); \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile void *p, int order)                         \
	{                                                                                                    \
		(void)order;                                                                                 \
		note((uintptr_t)p, bits / 8, 0, CALLER);                                                     \
		return __atomic_load_n((const volatile uint##bits##_t *)p, __ATOMIC_SEQ_CST);                \
	}                                                                                                    \
	void __tsan_atomic##bits##_store(volatile void *p, uint##bits##_t v, int order)                      \
	{                                                                                                    \
		(void)order;                                                                                 \
		note((uintptr_t)p, bits / 8, 1, CALLER);                                                     \
		__atomic_store_n((volatile uint##bits##_t *)p, v, __ATOMIC_SEQ_CST);                         \
	}                                                                                                    \
	uint##bits##_t __tsan_atomic##bits##_exchange(volatile void *p, uint##bits##_t v, int order)         \
	{                                                                                                    \
		(void)order;                                                                                 \
		note((uintptr_t)p, bits / 8, 1, CALLER);                                                     \
		return __atomic_exchange_n((volatile uint##bits##_t *)p, v, __ATOMIC_SEQ_CST);               \
	}                                                                                                    \
	FETCH(bits, add)                                                                                     \
	FETCH(bits, sub)                                                                                     \
	FETCH(bits, and)                                                                                     \
	FETCH(bits, or)                                                                                      \
	EXCHANGE(bits, strong)                                                                               \
	EXCHANGE(bits, weak)                                                                                 \
	EXCHANGE_VALUE(bits)
ATOMIC_OF(8)
ATOMIC_OF(16)
ATOMIC_OF(32)
ATOMIC_OF(64)
