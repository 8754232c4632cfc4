/*
 * replay_bench.c - how fast a trace is read: replay_bench [MILLION EVENTS [LIVE BLOCKS]]
 *
 * Two threads allocate and free in a temporary file, from 400 places in the program, mostly the block
 * they freed last; then the events are merged, replayed, and a chunk is scanned for facts.  CPU time.
 */
#include "analyzer/input/decode.h"
#include "analyzer/model/replay.h"
#include "tests/unit/encode.h"
#include "analyzer/collect/writer.h"
#include "heapledger/tracefile.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STREAMS 2
#define SITES   400

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

struct thread {
	struct encode e;
	uint32_t claim, live, nblocks;
	uint32_t *blocks; /* a permutation: the first `live` are allocated */
};

static void flush(struct hl_writer *w, struct thread *t, uint32_t stream)
{
	struct hl_chunk c = {.stream = stream,
			     .claim = t->claim++,
			     .bytes = (uint32_t)t->e.n,
			     .facts = t->e.facts,
			     .tid = stream,
			     .base_stamp = t->e.base_stamp,
			     .data = t->e.data};
	struct hl_diag d;

	if (hl_writer_add(w, &c, &d)) {
		fprintf(stderr, "%s\n", d.text);
		exit(1);
	}
}

static void one_event(struct thread *t, unsigned i, uint64_t stamp)
{
	static const uint16_t sizes[] = {16, 24, 32, 48, 64, 96, 128, 200, 256, 512, 1024, 4096};
	int alloc =
		t->live == 0 || (t->live < t->nblocks && pick(100) < (t->live < t->nblocks / 2 ? 60 : 50));
	uint32_t block, k;

	if (alloc) {
		uint32_t site = pick(4) ? pick(30) : pick(SITES);

		block = t->blocks[t->live++];
		encode_alloc(&t->e, stamp, HL_ENTRY_MALLOC, 0x555500000000 + i * (1ull << 32) + block * 64ull,
			     sizes[site % 12], site + 1);
		return;
	}
	/* mostly one of the newest */
	k = pick(4) && t->live > 8 ? t->live - 1 - pick(8) : pick(t->live);
	block = t->blocks[k];
	t->blocks[k] = t->blocks[--t->live];
	t->blocks[t->live] = block;
	encode_free(&t->e, stamp, 0x555500000000 + i * (1ull << 32) + block * 64ull, 0);
}

static void make_trace(const char *path, uint64_t events, uint32_t live)
{
	static struct thread threads[STREAMS];
	struct hl_file_header h = {.image_id = 1, .pid = 1, .clock = HL_CLOCK_TSC, .ticks_per_s = 100000000};
	struct hl_writer *w;
	struct hl_diag d;
	uint64_t stamp = 1000, raw = 0;
	double start = now(), encoding;

	if (hl_writer_open(&w, path, &h, 1, &d)) {
		fprintf(stderr, "%s\n", d.text);
		exit(1);
	}
	for (unsigned i = 0; i < STREAMS; i++) {
		struct thread *t = &threads[i];

		t->nblocks = live * 2 / STREAMS;
		t->blocks = malloc(t->nblocks * sizeof(*t->blocks));
		for (uint32_t k = 0; k < t->nblocks; k++)
			t->blocks[k] = k;
		encode_start(&t->e, stamp);
		for (uint64_t id = 1; id <= SITES && i == 0; id++)
			encode_node(&t->e, id, id / 2, 0x400000 + pick(1u << 20), 0);
	}
	for (uint64_t n = 0; n < events; n++) {
		unsigned i = pick(STREAMS);
		struct thread *t = &threads[i];

		if (!encode_room(&t->e)) {
			raw += t->e.n;
			flush(w, t, HL_STREAM(i + 1, 0));
			encode_start(&t->e, stamp);
		}
		stamp += 1 + pick(12);
		one_event(t, i, stamp);
	}
	for (unsigned i = 0; i < STREAMS; i++) {
		raw += threads[i].e.n;
		flush(w, &threads[i], HL_STREAM(i + 1, 0));
	}
	if (hl_writer_finish(w, &d)) {
		fprintf(stderr, "%s\n", d.text);
		exit(1);
	}
	encoding = now() - start;
	printf("wrote    %5.1f M events in %.2f s, %.2f bytes an event in the region\n",
	       (double)events * 1e-6, encoding, (double)raw / (double)events);
}

static void report(const char *what, uint64_t n, double seconds)
{
	printf("%-8s %6.1f M/s, %5.1f ns each\n", what, (double)n / seconds * 1e-6,
	       seconds / (double)n * 1e9);
}

/* The facts pass over claims of events that it must step over; many, so that no branch is learnt. */
static void bench_facts(void)
{
	static struct encode claims[256];
	static struct thread t;
	struct hl_fact_reader r;
	struct hl_fact_record f;
	uint64_t n = 0, stamp = 0, rounds = 20;
	double start;

	t.nblocks = 4000;
	t.blocks = malloc(t.nblocks * sizeof(*t.blocks));
	for (uint32_t k = 0; k < t.nblocks; k++)
		t.blocks[k] = k;
	for (size_t i = 0; i < 256; i++) {
		encode_start(&t.e, stamp);
		for (; encode_room(&t.e); n++)
			one_event(&t, 0, stamp += 1 + pick(25));
		claims[i] = t.e;
	}
	start = now();
	for (uint64_t i = 0; i < rounds * 256; i++) {
		r = (struct hl_fact_reader){claims[i % 256].data, claims[i % 256].data + claims[i % 256].n};
		if (hl_decode_fact(&r, &f))
			abort();
	}
	report("facts", n * rounds, now() - start);
}

int main(int argc, char **argv)
{
	uint64_t events = (argc > 1 ? strtoull(argv[1], NULL, 10) : 20) * 1000000;
	uint32_t live = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 20000;
	char path[] = "/tmp/hl_bench_XXXXXX";
	int fd = mkstemp(path);
	struct hl_replay_counts c;
	struct hl_trace *t;
	struct hl_merge *m;
	struct hl_event e;
	struct hl_diag d;
	double start;

	if (fd < 0 || events == 0 || live < 4)
		return 1;
	close(fd);
	make_trace(path, events, live);
	start = now();
	if (hl_trace_open(&t, path, &d)) {
		fprintf(stderr, "%s\n", d.text);
		return 1;
	}
	printf("file     %.2f bytes an event; opened in %.3f s\n",
	       (double)hl_trace_health(t)->file_bytes / (double)events, now() - start);
	start = now();
	m = hl_merge_new(t);
	while (hl_merge_next(m, &e))
		;
	hl_merge_free(m);
	report("merge", events, now() - start);
	start = now();
	hl_replay(t, UINT64_MAX, NULL, NULL, &c, &d);
	report("replay", c.events, now() - start);
	printf("         %llu live blocks at the end, %llu violations\n", (unsigned long long)c.live_blocks,
	       (unsigned long long)c.violations);
	bench_facts();
	hl_trace_close(t);
	unlink(path);
	return 0;
}
