/*
 * capture.c PATTERN DEPTH PAIRS REPETITIONS [THREADS] - what a malloc(48)+free pair costs at a depth, in a pattern
 *
 * DEPTH is the number of frames from the caller of malloc to _start (or clone), as a tracer sees it: 6 to 256.
 * PATTERN says how one stack follows from the last; a lap is a list of captures:
 *   same       the same stack again
 *   p=.5       up one frame, and one more with probability 1/2 each, then down again through random functions: 2
 *              frames change on average; laps of 1024 captures are repeated, so their stacks are known after the
 *              first lap, and each comes again after 1023 others: of the programs of reuse.py 83 to 100 % of the captures come
 *              again sooner
 *   p=.5wide   the same with laps of 16384 captures, 32 thousand stack nodes: nobody's tables stay in the cache
 *   p=.5new    the same, every lap another: about two frames of each stack were never seen
 *   known      256 stacks round-robin; each differs from the last in all but the 5 frames of main and libc
 *   fresh      every stack is new, but for the first frames above main that chance repeats
 * One lap goes before the clock starts, and making a lap is never timed.  Prints a line:
 *   NS MIN MAX PAIRS CHANGED SECONDS
 * NS, MIN, MAX: nanoseconds a pair, the median and the extremes of the repetitions; CHANGED: frames that the list
 * of instructions replaces between captures, on average; SECONDS: all repetitions.
 * With THREADS, each runs PAIRS * REPETITIONS pairs with instructions of its own, main only joins; NS is that of
 * all threads together from a common start to the last end (the extremes are the same then).
 */
#include "capture.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROOT_FRAMES  5 /* run_lap, main, two of libc, _start */
#define THREAD_ROOTS 4 /* run_lap, worker, start_thread, clone */
#define DEPTH_MAX    256

struct pattern {
	const char *name;
	unsigned captures; /* of a lap */
	int again;	   /* laps are repeated */
	enum { SAME, HALF, ALL } kind;
};

static const struct pattern patterns[] = {
	{"same", 4096, 1, SAME},    {"p=.5", 1024, 1, HALF}, {"p=.5wide", 16384, 1, HALF},
	{"p=.5new", 4096, 0, HALF}, {"known", 256, 1, ALL},   {"fresh", 1024, 0, ALL},
};

static function *table[FUNCTIONS];

/* Aligned: walk.at changes with each instruction, and a neighbour's may not lie on its cache line. */
struct job {
	_Alignas(128) const struct pattern *pattern;
	unsigned frames; /* of the program's own functions */
	uint64_t random;
	uint16_t *list;
	double changed; /* frames, sum of the laps made */
	uint64_t captures;
	struct walk walk;
	uint64_t laps;
	pthread_barrier_t *start;
	uint64_t began_ns, ended_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned rnd(struct job *j, unsigned below)
{
	j->random = j->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((j->random >> 33) % below);
}

/* How many of the frames go before the next capture. */
static unsigned frames_up(struct job *j)
{
	unsigned up = 1;

	if (j->pattern->kind == SAME)
		return 0;
	if (j->pattern->kind == ALL)
		return j->frames;
	while (up < j->frames && rnd(j, 2))
		up++;
	return up;
}

static void make_lap(struct job *j)
{
	unsigned depth = 0, up = 0;
	uint16_t *out = j->list, stack[DEPTH_MAX] = {0};

	for (unsigned i = 0; i < j->pattern->captures; i++) {
		for (up = i ? frames_up(j) : 0; up; up--, depth--)
			*out++ = OP_RETURN;
		for (j->changed += j->frames - depth; depth < j->frames; depth++) {
			/* another than the one that was there: the frame is to change */
			unsigned f = (stack[depth] + 1 + rnd(j, FUNCTIONS - 1)) % FUNCTIONS;

			*out++ = stack[depth] = (uint16_t)f;
		}
		*out++ = OP_TAKE;
	}
	j->captures += j->pattern->captures;
	/* the functions' and the one of run_lap */
	for (; depth; depth--)
		*out++ = OP_RETURN;
	*out = OP_RETURN;
}

static __attribute__((noinline)) void run_lap(struct walk *w)
{
	for (;;) {
		unsigned op = *w->at++;

		if (op >= FUNCTIONS)
			break;
		w->call[op](w);
	}
}

/* Inlined, so that the frames below the functions are few: ROOT_FRAMES. */
static inline __attribute__((always_inline)) uint64_t timed_lap(struct job *j)
{
	uint64_t t;

	if (!j->pattern->again)
		make_lap(j);
	j->walk.at = j->list;
	t = now_ns();
	run_lap(&j->walk);
	return now_ns() - t;
}

static void init(struct job *j, const struct pattern *p, unsigned frames, unsigned seed)
{
	memset(j, 0, sizeof *j);
	j->pattern = p;
	j->frames = frames;
	j->random = seed * 7919u + 1;
	j->list = malloc(((size_t)p->captures * (2 * frames + 1) + 1) * sizeof *j->list);
	j->walk.call = table;
	for (unsigned i = 0; i < 5; i++)
		j->walk.salt[i] = i + seed;
	make_lap(j);
}

static void fill_table(void)
{
	unsigned at[3] = {0};
	function *const *modules[3] = {main_functions, a_functions, b_functions};

	for (unsigned k = 0; k < FUNCTIONS; k++)
		table[k] = modules[k % 3][at[k % 3]++];
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static inline __attribute__((always_inline)) void single(const struct pattern *p, unsigned depth, uint64_t laps,
							 unsigned repetitions)
{
	double *ns = calloc(repetitions, sizeof *ns), seconds = 0;
	uint64_t sum = 0;
	/* not on the stack: it would be realigned, and a realigned frame is another measurement */
	struct job *j = aligned_alloc(128, sizeof *j);

	init(j, p, depth - ROOT_FRAMES, 1);
	/* Lap 0 is for warming, from the same call site: from another its stacks would be others. */
	for (uint64_t i = 0; i <= laps * repetitions; i++) {
		uint64_t t = timed_lap(j);

		if (i == 0)
			continue;
		sum += t;
		if (i % laps)
			continue;
		ns[i / laps - 1] = (double)sum / (double)(laps * p->captures);
		seconds += (double)sum * 1e-9;
		sum = 0;
	}
	qsort(ns, repetitions, sizeof *ns, ascending);
	printf("%.2f %.2f %.2f %llu %.3f %.6f\n", ns[repetitions / 2], ns[0], ns[repetitions - 1],
	       (unsigned long long)(laps * p->captures * repetitions), j->changed / (double)j->captures, seconds);
}

static void *worker(void *arg)
{
	struct job *j = arg;

	/* lap 0 is for warming, as in single() */
	for (uint64_t i = 0; i <= j->laps; i++) {
		timed_lap(j);
		if (i == 0) {
			pthread_barrier_wait(j->start);
			j->began_ns = now_ns();
		}
	}
	j->ended_ns = now_ns();
	return NULL;
}

static void together(const struct pattern *p, unsigned depth, uint64_t laps, unsigned threads)
{
	struct job *jobs = aligned_alloc(128, threads * sizeof *jobs);
	pthread_t *ids = calloc(threads, sizeof *ids);
	pthread_barrier_t start;
	uint64_t t, first = UINT64_MAX, last = 0;
	double ns;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		init(&jobs[i], p, depth - THREAD_ROOTS, i + 1);
		jobs[i].laps = laps;
		jobs[i].start = &start;
		pthread_create(&ids[i], NULL, worker, &jobs[i]);
	}
	/* by the workers' clocks: main may be woken late */
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		first = jobs[i].began_ns < first ? jobs[i].began_ns : first;
		last = jobs[i].ended_ns > last ? jobs[i].ended_ns : last;
	}
	t = last - first;
	ns = (double)t / (double)(laps * p->captures * threads);
	printf("%.2f %.2f %.2f %llu %.3f %.6f\n", ns, ns, ns,
	       (unsigned long long)(laps * p->captures * threads), jobs[0].changed / (double)jobs[0].captures,
	       (double)t * 1e-9);
}

int main(int argc, char **argv)
{
	const struct pattern *p = NULL;
	unsigned depth = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	uint64_t pairs = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, laps;
	unsigned repetitions = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
	unsigned threads = argc > 5 ? (unsigned)atoi(argv[5]) : 0;

	for (unsigned i = 0; argc > 1 && i < sizeof patterns / sizeof *patterns; i++)
		if (!strcmp(argv[1], patterns[i].name))
			p = &patterns[i];
	if (!p || depth <= ROOT_FRAMES || depth > DEPTH_MAX || !pairs || !repetitions) {
		fprintf(stderr, "usage: capture PATTERN DEPTH PAIRS REPETITIONS [THREADS]\n");
		return 2;
	}
	fill_table();
	laps = (pairs + p->captures - 1) / p->captures;
	if (threads)
		together(p, depth, laps * repetitions, threads);
	else
		single(p, depth, laps, repetitions);
	return 0;
}
