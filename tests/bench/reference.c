/*
 * reference.c - other ways to take a stack, as a preload: what heapledger's captures are compared with.
 *
 * BENCH_METHOD names one:
 *   unw_backtrace   libunwind's cached walk, as heaptrack and memray use it
 *   backtrace       glibc's
 *   frames          frame pointers; for a program that was built with them
 *   none            the hooks alone
 * Each hands the frames above malloc to the same trie, one hash look-up a frame from the root on, which makes the
 * stack a number.  Nothing is recorded and free does nothing, so the figure is that of capture and interning only.
 * One thread.  Tables come from mmap, never from the program's heap.
 * With BENCH_CHECK=1 a line goes to stderr at exit: captures, frames a capture, frames that changed since the last capture,
 * distinct nodes; for the tests of the rig, not for timing.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DEPTH_MAX 300

extern void *__libc_malloc(size_t);
extern void __libc_free(void *);
extern void *__libc_stack_end;

struct edge {
	uint64_t pc; /* 0: empty */
	uint32_t parent, id;
};

static struct edge *edges;
static uint64_t mask, limit;
static uint32_t nodes;
static int (*take)(void **, int);
static int busy = 1, check;
static void *pcs[DEPTH_MAX];
static volatile uint32_t last_stack; /* somebody uses the number */

static struct {
	uint64_t captures, frames, changed;
	int n;
	void *pcs[DEPTH_MAX];
} seen;

static uint64_t hash_of(uint64_t pc, uint32_t parent)
{
	uint64_t h = (pc ^ (uint64_t)parent << 40 ^ parent) * 0x9e3779b97f4a7c15u;

	return h ^ h >> 32;
}

static void resize(uint64_t n)
{
	struct edge *old = edges;
	uint64_t old_n = old ? mask + 1 : 0;

	edges = mmap(NULL, n * sizeof *edges, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (edges == MAP_FAILED)
		abort();
	mask = n - 1;
	limit = n / 2;
	for (uint64_t i = 0; i < old_n; i++) {
		uint64_t k;

		if (!old[i].pc)
			continue;
		for (k = hash_of(old[i].pc, old[i].parent) & mask; edges[k].pc;)
			k = (k + 1) & mask;
		edges[k] = old[i];
	}
	if (old)
		munmap(old, old_n * sizeof *old);
}

static uint32_t child_of(uint32_t parent, uint64_t pc)
{
	uint64_t k = hash_of(pc, parent) & mask;

	for (; edges[k].pc; k = (k + 1) & mask)
		if (edges[k].pc == pc && edges[k].parent == parent)
			return edges[k].id;
	edges[k] = (struct edge){pc, parent, ++nodes};
	if (nodes == limit)
		resize((mask + 1) * 2);
	return nodes;
}

static void note(void **p, int n)
{
	int common = 0;

	while (common < n && common < seen.n && p[n - 1 - common] == seen.pcs[seen.n - 1 - common])
		common++;
	seen.captures++;
	seen.frames += (uint64_t)n;
	seen.changed += (uint64_t)(n - common);
	seen.n = n;
	memcpy(seen.pcs, p, (size_t)n * sizeof *p);
}

/* Inlined into malloc: pcs[0] is then an address in malloc itself. */
static inline __attribute__((always_inline)) void capture(void)
{
	uint32_t id = 0;
	int n, first = 1;

	busy = 1;
	if (take) {
		n = take(pcs, DEPTH_MAX);
	} else {
		void **fp = __builtin_frame_address(0), **end = __libc_stack_end;

		/* libc's own start has none: whatever it left in the register ends the walk */
		for (n = 0; n < DEPTH_MAX; fp = *fp) {
			pcs[n++] = fp[1];
			if ((void **)*fp <= fp || (void **)*fp >= end || (uintptr_t)*fp & 7)
				break;
		}
		first = 0;
	}
	for (int i = n - 1; i >= first; i--)
		id = child_of(id, (uint64_t)(uintptr_t)pcs[i]);
	last_stack = id;
	if (__builtin_expect(check, 0))
		note(pcs + first, n - first);
	busy = 0;
}

void *malloc(size_t size)
{
	void *p = __libc_malloc(size);

	if (!busy)
		capture();
	return p;
}

void free(void *p)
{
	__libc_free(p);
}

static __attribute__((constructor)) void start(void)
{
	const char *method = getenv("BENCH_METHOD");
	void *lib, *warm[4];

	check = getenv("BENCH_CHECK") != NULL;
	if (!method || !strcmp(method, "none"))
		return;
	if (!strcmp(method, "unw_backtrace")) {
		/* not linked: it exports a backtrace of its own */
		lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
		take = lib ? (int (*)(void **, int))dlsym(lib, "unw_backtrace") : NULL;
	} else if (!strcmp(method, "backtrace")) {
		take = backtrace;
	}
	if (!take && strcmp(method, "frames")) {
		fprintf(stderr, "reference: no %s here\n", method);
		_Exit(3);
	}
	if (take)
		take(warm, 4);
	/* it grows as needed: a table that is sparse would cost a page and a cache line a node */
	resize(1u << 12);
	busy = 0;
}

static __attribute__((destructor)) void end(void)
{
	busy = 1;
	if (check && seen.captures)
		fprintf(stderr, "%llu %.4f %.4f %u\n", (unsigned long long)seen.captures,
			(double)seen.frames / (double)seen.captures, (double)seen.changed / (double)seen.captures, nodes);
}
