/*
 * program.cc - threads that allocate, resize, free and hand blocks to each other; the watched library says who wrote
 * which line meanwhile.
 *
 * Everything is done three times, from the same places: by the third time every stack, call site and table is known.
 * Prints the sum of what was written, then each line that more than one thread used:
 *   events N stores N least N region N handovers N
 *   line ADDRESS writers N readers N writes N PC PC PC [PLACE]
 */
#include "watch.h"
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>
#include <string>
#include <vector>

#define THREADS 4
#define ROUNDS  6000

static std::atomic<void *> box[64]; /* what one thread puts in, another takes out */
static pthread_barrier_t barrier;
static hl_watch_switch_t *watch;
static unsigned long events[THREADS];
static volatile unsigned sink;

static void *hand_over(int me, int i, void *p)
{
	return box[(i * 7 + me * 16) % 64].exchange(p);
}

__attribute__((noinline)) static void go(int me, int i, int depth)
{
	char *p, *q;

	if (depth) {
		go(me, i, depth - 1);
		sink = (unsigned)depth;
		return;
	}
	p = (char *)malloc(16 + i % 500);
	q = (char *)calloc(3, 8 + i % 90);
	p = (char *)realloc(p, 700 + i % 50);
	free(hand_over(me, i, p));
	q = (char *)realloc(hand_over(me, i + 1, q), 33);
	free(q);
	free(aligned_alloc(64, 128));
	p = (char *)hand_over(me, i + 2, malloc(100000));
	free(realloc(p, 200));
	events[me] += 11;
}

__attribute__((noinline)) static void go_cplusplus(int me, int i)
{
	std::string *s = new std::string(40 + i % 30, 'x');
	std::vector<int> v;
	int *a = new int[12];

	for (int k = 0; k < 20; k++)
		v.push_back(k);
	sink = (unsigned)(s->size() + v.size() + (unsigned)a[0] * 0);
	delete[] a;
	delete s;
	events[me] += 2 + 2 + 2 + 6 + 6;
}

static void *thread(void *arg)
{
	int me = (int)(long)arg;

	for (int time = 0; time < 3; time++) {
		pthread_barrier_wait(&barrier);
		if (time == 2 && me == 0)
			watch(1);
		pthread_barrier_wait(&barrier);
		events[me] = 0;
		for (int i = 0; i < ROUNDS; i++) {
			go(me, i, i % 9);
			go_cplusplus(me, i);
		}
	}
	pthread_barrier_wait(&barrier);
	if (me == 0)
		watch(0);
	pthread_barrier_wait(&barrier);
	return NULL;
}

int main()
{
	static struct hl_watch_line line[4096];
	hl_watch_lines_t *lines = (hl_watch_lines_t *)dlsym(RTLD_DEFAULT, "heapledger_watch_lines");
	struct hl_watch_sum sum;
	pthread_t t[THREADS];
	unsigned long all = 0, stores = 0, least = ~0ul;
	size_t n;

	watch = (hl_watch_switch_t *)dlsym(RTLD_DEFAULT, "heapledger_watch_switch");
	if (!watch || !lines) {
		puts("the library that is preloaded cannot watch");
		return 1;
	}
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, thread, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	n = lines(line, 4096, &sum);
	for (int i = 0; i < THREADS; i++) {
		all += events[i];
		stores += sum.writes[i];
		if (sum.writes[i] < least)
			least = sum.writes[i];
	}
	if (sum.overflow || n > 4096) {
		printf("%lu lines were not noted, %zu are shared\n", (unsigned long)sum.overflow, n);
		return 1;
	}
	printf("events %lu stores %lu least %lu region %lu handovers %lu\n", all, stores, least,
	       (unsigned long)sum.region_writes, (unsigned long)sum.handovers);
	for (size_t i = 0; i < n; i++)
		printf("line %#lx writers %d readers %d writes %lu %#lx %#lx %#lx %s\n",
		       (unsigned long)line[i].address, __builtin_popcount(line[i].writers),
		       __builtin_popcount(line[i].readers), (unsigned long)line[i].writes,
		       (unsigned long)line[i].pc[0], (unsigned long)line[i].pc[1],
		       (unsigned long)line[i].pc[2], line[i].place);
	return 0;
}
