/*
 * sample.cc FILE - a known number of blocks from known lines; at its end it writes to FILE.PID what it did:
 *   LINE SIZE ALLOCATIONS LIVE TEMPORARY
 * once for each line and size.  Of a forked child, as of its trace, LIVE counts its parent's blocks too, the others do
 * not.
 *
 * Every block is noted when it comes and when it goes, on the line that made it, in memory of our own.
 */
#include "heapledger.h"
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <new>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

struct note {
	std::atomic<uint64_t> key; /* line << 40 | size; 0: free */
	std::atomic<long> made, live, temporary;
};
static note notes[1 << 16];

static note &note_of(unsigned line, size_t size)
{
	uint64_t key = (uint64_t)line << 40 | size;

	for (uint64_t at = key * 0x9e3779b97f4a7c15ull >> 48;; at = (at + 1) % (1 << 16)) {
		uint64_t none = 0;

		if (notes[at].key == key || notes[at].key.compare_exchange_strong(none, key) || none == key)
			return notes[at];
	}
}

struct block {
	void *p;
	size_t size;
	unsigned line;
};

static block came(unsigned line, size_t size, void *p)
{
	note &n = note_of(line, size);

	if (!p)
		abort();
	n.made++;
	n.live++;
	return {p, size, line};
}

static void went(const block &b, bool temporary = false)
{
	note &n = note_of(b.line, b.size);

	n.live--;
	n.temporary += temporary;
}

/* The line of the call is that of the block. */
#define MAKE(size, call) came(__LINE__, size, call)

static void drop(const block &b, bool temporary = false)
{
	went(b, temporary);
	free(b.p);
}

/* Not constants: no compiler refuses the absurd, or drops a pair. */
static volatile size_t absurd = SIZE_MAX / 2 + 1, nothing = 0;
static block kept[200000];
static std::atomic<int> nkept;

static void keep(const block &b)
{
	kept[nkept++] = b;
}

static void plain_blocks()
{
	for (int i = 0; i < 20000; i++) {
		keep(MAKE(48, malloc(48)));
		keep(MAKE(1, malloc(1)));
		if (i % 4 == 0) {
			keep(MAKE(0, malloc(nothing)));
			keep(MAKE(100, calloc(4, 25)));
			keep(MAKE(40, operator new(40)));
			keep(MAKE(72, operator new[](72)));
			keep(MAKE(300, memalign(64, 300)));
		}
	}
}

/* From a byte to 3 MiB, every power of two as often as the next; every second one goes again. */
static void all_sizes()
{
	uint32_t random = 1;

	for (int i = 0; i < 4000; i++) {
		size_t low = (size_t)1 << i % 22, size;
		block b;

		random = random * 1664525 + 1013904223;
		size = low + (random >> 8) % (low < 1 << 21 ? low : 1 << 20);
		b = MAKE(size, malloc(size));
		if (i % 2)
			drop(b, true);
		else
			keep(b);
	}
}

static void resized()
{
	for (int i = 0; i < 3000; i++) {
		block b = MAKE(100, malloc(100));

		for (size_t size = 200; size <= 12800; size *= 2) {
			void *now = realloc(b.p, size);

			went(b);
			b = came(__LINE__ - 3, size, now);
		}
		if (i % 3 == 0) {
			void *now = realloc(b.p, 20);

			went(b);
			b = came(__LINE__ - 3, 20, now);
		}
		if (i % 3 == 1) {
			went(b, true);
			if (realloc(b.p, nothing))
				abort();
			continue;
		}
		if (realloc(b.p, absurd))
			abort();
		keep(b);
	}
	for (int i = 0; i < 4000; i++) {
		keep(MAKE(66, realloc(NULL, 66)));
		keep(MAKE(90, reallocarray(NULL, 9, 10)));
	}
}

static void temporaries()
{
	for (int i = 0; i < 40000; i++) {
		block b = MAKE(64, malloc(64));

		drop(b, true);
		b = MAKE(33, operator new(33));
		went(b, true);
		operator delete(b.p);
	}
}

/* Blocks that another thread frees or resizes. */
enum { THREADS = 3, HANDED = 6000 };
static block handed[THREADS][HANDED];
static pthread_barrier_t barrier;

static void *hand_over(void *arg)
{
	long me = (long)arg, from = (me + 1) % THREADS;

	for (int i = 0; i < HANDED; i++)
		handed[me][i] = MAKE(160, malloc(160));
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < HANDED; i++) {
		block b = handed[from][i];

		if (i % 3 == 0) {
			drop(b);
		} else if (i % 3 == 1) {
			void *now = realloc(b.p, 250);

			went(b);
			handed[from][i] = came(__LINE__ - 3, 250, now);
		}
	}
	return NULL;
}

static void threads()
{
	pthread_t t[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, hand_over, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

static char arena[32 * 20000];

static void pool()
{
	for (int i = 0; i < 20000; i++) {
		block b;

		HEAPLEDGER_ALLOC(arena + 32 * i, 32); /* this line */
		b = came(__LINE__ - 1, 32, arena + 32 * i);
		if (i % 2) {
			went(b, true);
			HEAPLEDGER_FREE(b.p);
		}
	}
}

static void write_notes(const char *name)
{
	static char line[256];
	int fd;

	snprintf(line, sizeof line, "%s.%d", name, (int)getpid());
	fd = open(line, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		_exit(1);
	for (note &n : notes)
		if (n.key) {
			int length = snprintf(line, sizeof line, "%u %zu %ld %ld %ld\n",
					      (unsigned)(n.key >> 40), (size_t)(n.key & 0xffffffffffull),
					      n.made.load(), n.live.load(), n.temporary.load());

			if (write(fd, line, (size_t)length) != length)
				_exit(1);
		}
	close(fd);
}

static void child()
{
	int n = nkept;

	for (note &t : notes)
		t.made = t.temporary = 0;
	/* of the parent's blocks every third goes, every 16th is resized */
	for (int i = 0; i < n; i++) {
		block b = kept[i];

		if (i % 3 == 0) {
			drop(b);
		} else if (i % 16 == 1 && b.size < 1000) {
			void *now = realloc(b.p, b.size + 500);

			went(b);
			kept[i] = came(__LINE__ - 3, b.size + 500, now);
		}
	}
	for (int i = 0; i < 10000; i++)
		keep(MAKE(80, malloc(80)));
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	plain_blocks();
	all_sizes();
	resized();
	temporaries();
	threads();
	pool();
	pid = fork();
	if (pid == 0)
		child();
	else if (waitpid(pid, &status, 0) != pid || status)
		return 1;
	write_notes(argv[1]);
	return 0;
}
