/*
 * reuse.c TRACE - how long ago a program was where it allocates: of each captured stack that was captured before, how
 * many different ones were captured since (its LRU stack distance).
 *
 * A table of stacks answers from the nearest cache when that number is small.  Prints a line:
 *   CAPTURES SAME NEW WITHIN...
 * SAME: the very stack of the capture before; NEW: never captured before; WITHIN: of all others and SAME those with less
 * than 512, 1024, 2048, 16384 others since.
 */
#include "analyzer/input/trace.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMITS 4

static const uint32_t limits[LIMITS] = {512, 1024, 2048, 16384};

/* A Fenwick tree over time: 1 where a stack was captured last. */
struct times {
	uint32_t *sum;
	size_t n;
};

static void add(struct times *t, size_t at, uint32_t d)
{
	for (at++; at <= t->n; at += at & -at)
		t->sum[at] += d;
}

static uint32_t before(const struct times *t, size_t at)
{
	uint32_t s = 0;

	for (; at; at -= at & -at)
		s += t->sum[at];
	return s;
}

static size_t count_captures(struct hl_trace *t)
{
	struct hl_merge *m = hl_merge_new(t);
	struct hl_event e;
	size_t n = 0;

	while (hl_merge_next(m, &e) == 1)
		n += e.type == HL_EV_ALLOC || e.type == HL_EV_REALLOC;
	hl_merge_free(m);
	return n;
}

int main(int argc, char **argv)
{
	uint64_t captures = 0, distinct = 0, same = 0, within[LIMITS] = {0};
	struct hl_trace *t;
	struct hl_event e;
	struct hl_diag d;
	struct times times;
	struct hl_merge *m;
	size_t *last;
	uint32_t previous = 0;

	if (argc != 2 || hl_trace_open(&t, argv[1], &d)) {
		fprintf(stderr, "reuse: %s\n", argc == 2 ? d.text : "TRACE");
		return 1;
	}
	times.n = count_captures(t) + 1;
	times.sum = calloc(times.n + 1, sizeof(*times.sum));
	last = calloc(hl_trace_facts(t)->nnodes + 1, sizeof(*last));
	m = hl_merge_new(t);
	if (!times.sum || !last)
		return 1;
	while (hl_merge_next(m, &e) == 1) {
		if ((e.type != HL_EV_ALLOC && e.type != HL_EV_REALLOC) || !e.stack)
			continue;
		if (last[e.stack]) {
			uint32_t others = before(&times, captures) - before(&times, last[e.stack]);

			for (unsigned i = 0; i < LIMITS; i++)
				within[i] += others < limits[i];
			add(&times, last[e.stack] - 1, (uint32_t)-1);
		} else {
			distinct++;
		}
		same += e.stack == previous;
		previous = e.stack;
		add(&times, captures, 1);
		last[e.stack] = ++captures;
	}
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64, captures, same, distinct);
	for (unsigned i = 0; i < LIMITS; i++)
		printf(" %" PRIu64, within[i]);
	puts("");
	hl_merge_free(m);
	hl_trace_close(t);
	free(times.sum);
	free(last);
	return 0;
}
