/*
 * graph_bench.c - how fast is a heap judged: graph_bench [MILLION BLOCKS [POINTERS A BLOCK [LOST PER CENT [POOL]]]]
 *
 * Blocks of common sizes in three stretches of memory, in the order a hash table gives them.  Half of the
 * pointers stay near their block, the others go anywhere; one in 16 points to a middle, and as many words again
 * point to vtables and to memory that holds no blocks.  Lost are lists of 100, some of them closed to rings.
 * With POOL, each so many blocks are inside a larger one that has a pointer before them and one after them.
 * CPU time, and the highest resident memory, of which this program's own tables are a part that is told.
 */
#include "analyzer/analysis/graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define LIST 100

static uint64_t seed = 1;

static uint32_t pick(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) * n >> 32);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double total, ours;

static void report(const char *what, double start)
{
	struct rusage u;
	double seconds = now() - start;

	getrusage(RUSAGE_SELF, &u);
	printf("%-12s %5.2f s, %5.0f MiB at most\n", what, seconds, (double)u.ru_maxrss / 1024 - ours);
	total += seconds;
}

struct heap {
	uint32_t n, lost; /* the first `lost` blocks */
	uint32_t pool;	  /* blocks a pool, 0: there are none */
	uint64_t *address;
	uint16_t *size;
};

static void make_heap(struct heap *h)
{
	static const uint16_t sizes[] = {16, 24, 32, 32, 48, 48, 64, 64, 96, 128, 200, 512};
	static const uint64_t stretch[] = {0x555555800000, 0x7f1000000000, 0x7f8000000000};
	uint64_t at = 0;

	h->address = malloc(h->n * sizeof(*h->address));
	h->size = malloc(h->n * sizeof(*h->size));
	for (uint32_t i = 0; i < h->n; i++) {
		if (i % (h->n / 3 + 1) == 0)
			at = stretch[i / (h->n / 3 + 1)];
		h->size[i] = sizes[pick(12)];
		/* a pool's pointers are 16 bytes before its first block and after its last one */
		if (h->pool && i % h->pool == 0)
			at += 32;
		h->address[i] = at + 16;
		/* here and there a free chunk */
		at += (h->size[i] + 8u + 15) / 16 * 16 + (pick(8) ? 0 : 64);
	}
}

/* The end of the pool that begins with block i: behind the word after its last block. */
static uint64_t pool_end(const struct heap *h, uint32_t i)
{
	uint32_t last = i + h->pool - 1 < h->n ? i + h->pool - 1 : h->n - 1;

	/* a pool that would reach into the next stretch of memory holds one block only */
	if (h->address[last] - h->address[i] > 1ull << 32)
		last = i;
	return (h->address[last] + h->size[last] + 7) / 8 * 8 + 8;
}

static void add_blocks(struct hl_graph *g, const struct heap *h)
{
	uint32_t *order = malloc(h->n * sizeof(*order));
	double start;

	for (uint32_t i = 0; i < h->n; i++) {
		uint32_t k = pick(i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	start = now();
	for (uint32_t i = 0; i < h->n; i++)
		hl_graph_add_block(g, h->address[order[i]], h->size[order[i]], order[i]);
	for (uint32_t i = 0; h->pool && i < h->n; i += h->pool)
		hl_graph_add_block(g, h->address[i] - 16, pool_end(h, i) - (h->address[i] - 16), i);
	report("add blocks", start);
	free(order);
}

/* A live block, one below i: a forest below the roots keeps what shall live; or near it, or any. */
static uint64_t live_value(const struct heap *h, uint32_t i)
{
	uint32_t to = h->lost + pick(h->n - h->lost);

	if (pick(2))
		to = i - h->lost > 200 ? i - 200 + pick(200) : h->lost;
	return h->address[to] + (pick(16) ? 0 : 8);
}

static uint64_t value_of(const struct heap *h, uint32_t i, unsigned word)
{
	if (i >= h->lost)
		return live_value(h, i);
	if (word == 0 && i % LIST != LIST - 1)
		return h->address[i + 1];
	if (word == 0 && i % (3 * LIST) == LIST - 1)
		return h->address[i - LIST + 1];
	return live_value(h, h->n - 1);
}

/* Values are made before the clock starts, some at a time. */
struct batch {
	uint64_t slot[1 << 15], value[1 << 15];
	size_t n;
	double seconds;
};

static void batch_flush(struct hl_graph *g, struct batch *b)
{
	double start = now();

	for (size_t i = 0; i < b->n; i++)
		hl_graph_add_word(g, b->slot[i], b->value[i], b->value[i] & 8 ? (int64_t)(i % 1000) : -1, -1);
	b->seconds += now() - start;
	b->n = 0;
}

static void batch_add(struct hl_graph *g, struct batch *b, uint64_t slot, uint64_t value)
{
	if (b->n == sizeof(b->slot) / sizeof(*b->slot))
		batch_flush(g, b);
	b->slot[b->n] = slot;
	b->value[b->n++] = value;
}

static void add_words(struct hl_graph *g, const struct heap *h, uint64_t pointers)
{
	static struct batch b;
	uint64_t added = 0, others = 0;

	for (uint32_t i = 0; i < h->n; i++) {
		uint64_t want = pointers * (i + 1) / h->n;
		unsigned words = h->size[i] / 8u;

		if (h->pool && i % h->pool == 0)
			batch_add(g, &b, h->address[i] - 16, live_value(h, h->n - 1));
		for (unsigned w = 0; w < words; w++) {
			if (added < want && w + 1 < words) {
				batch_add(g, &b, h->address[i] + w * 8, value_of(h, i, w));
				added++;
			} else if (w + 1 == words) {
				batch_add(g, &b, h->address[i] + w * 8, 0x7f9000000000 + pick(1u << 16) * 64);
				others++;
			}
		}
		if (h->pool && i % h->pool == h->pool - 1)
			batch_add(g, &b, pool_end(h, i - i % h->pool) - 8, live_value(h, h->n - 1));
	}
	batch_flush(g, &b);
	report("add words", now() - b.seconds);
	printf("             %.1f M words in blocks that point to blocks, %.1f M that do not\n",
	       (double)added * 1e-6, (double)others * 1e-6);
}

static void add_roots(struct hl_graph *g, const struct heap *h)
{
	double start = now();

	/* every live block without one below it to keep it has a chance of one in 20 */
	for (uint32_t i = h->lost; i < h->n; i += 20)
		hl_graph_add_root(g, h->address[i], i, -1, -1);
	report("add roots", start);
}

int main(int argc, char **argv)
{
	struct heap h = {.n = (uint32_t)((argc > 1 ? atof(argv[1]) : 5) * 1e6)};
	double a_block = argc > 2 ? atof(argv[2]) : 4, lost = argc > 3 ? atof(argv[3]) : 10, start;
	struct hl_graph *g = hl_graph_new(HL_HEURISTICS_ALL);
	const struct hl_graph_group *groups;
	uint64_t kinds[HL_LEAK_KINDS] = {0}, cycles = 0;
	struct hl_diag d;
	struct rusage u;
	size_t ngroups;

	h.pool = argc > 4 ? (uint32_t)atol(argv[4]) : 0;
	h.lost = (uint32_t)(h.n * lost / 100) / (3 * LIST) * (3 * LIST);
	if (h.n < 1000 || h.lost >= h.n)
		return 1;
	make_heap(&h);
	getrusage(RUSAGE_SELF, &u);
	ours = (double)u.ru_maxrss / 1024;
	printf("%.1f M blocks; %.0f MiB of this program's own are left out below\n", h.n * 1e-6, ours);
	add_blocks(g, &h);
	hl_graph_add_vtables(g, 0x7f9000000000, 0x7f9000400000);
	start = now();
	if (hl_graph_sort(g, &d))
		return 1;
	report("sort", start);
	add_words(g, &h, (uint64_t)(h.n * a_block));
	add_roots(g, &h);
	start = now();
	if (hl_graph_solve(g, &d))
		return 1;
	report("solve", start);
	/* as suppressions do: every third lost block is kept after all */
	for (uint32_t b = 0; b < hl_graph_nblocks(g); b += 3)
		if (hl_graph_block(g, b).kind <= HL_LEAK_INDIRECT)
			hl_graph_keep(g, b, 0);
	start = now();
	if (hl_graph_solve(g, &d))
		return 1;
	report("solve again", start);
	start = now();
	if (hl_graph_retain(g, &d))
		return 1;
	report("retain", start);
	groups = hl_graph_groups(g, &ngroups);
	for (size_t i = 0; i < ngroups; i++)
		cycles += groups[i].cycle;
	for (uint32_t b = 0; b < hl_graph_nblocks(g); b++)
		kinds[hl_graph_block(g, b).kind]++;
	printf("definite %lu, indirect %lu, possible %lu, reachable %lu; %zu groups, %lu cycles\n", kinds[0], kinds[1],
	       kinds[2], kinds[3], ngroups, cycles);
	printf("together     %5.2f s\n", total);
	hl_graph_free(g);
	return 0;
}
