/*
 * liveset.c SEED THREADS OPS FILE - random work in several threads, which at its end writes its own
 * live set to FILE, "ADDRESS SIZE LINE" for each block, without allocating.
 *
 * A table of slots, each under a spin lock of its own; every thread picks slots at random, so most
 * blocks are freed or resized by a thread that did not make them.  Threads come in three generations:
 * the blocks of a thread outlive it.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS = 1 << 12, GENERATIONS = 3 };

struct slot {
	atomic_flag busy;
	int line;
	void *p;
	size_t size;
};

static struct slot table[SLOTS];
static int nops;
/* Not a constant, so that no compiler refuses the absurd size. */
static volatile size_t absurd = SIZE_MAX / 2 + 1;

/* The line is that of the call.  The size is noted as asked for. */
#define MAKE(s, n, call) ((s)->line = __LINE__, (s)->size = (n), (s)->p = (call))

/* A statement expression: the line of __LINE__ is that of the call, and only a block that is there has one. */
#define RESIZE(s, call)                                                                                      \
	({                                                                                                   \
		void *made_ = (call);                                                                        \
		if (made_)                                                                                   \
			(s)->line = __LINE__;                                                                \
		made_;                                                                                       \
	})

static size_t pick_size(unsigned r)
{
	switch (r % 16) {
	case 0:
		return 0;
	case 1:
		return 200000 + (r >> 8) % 100000; /* above the mmap threshold */
	case 2:
	case 3:
		return 1000 + (r >> 8) % 9000;
	default:
		return 1 + (r >> 8) % 300;
	}
}

static void with_posix(struct slot *s, size_t n)
{
	MAKE(s, n, NULL), posix_memalign(&s->p, 64, n) ? abort() : (void)0;
}

/* clang-format off: one line, one call site */
static void make(struct slot *s, unsigned r, size_t n)
{
	switch (r % 12) {
	case 0:
		MAKE(s, n, malloc(n));
		break;
	case 1:
		MAKE(s, n, malloc(n));
		break;
	case 2:
		MAKE(s, n, calloc(1, n));
		break;
	case 3:
		MAKE(s, n * 3, calloc(3, n));
		break;
	case 4:
		MAKE(s, n, realloc(NULL, n));
		break;
	case 5:
		MAKE(s, n, memalign(32, n));
		break;
	case 6:
		MAKE(s, n, aligned_alloc(16, n));
		break;
	case 7:
		MAKE(s, n, valloc(n));
		break;
	case 8:
		MAKE(s, n, pvalloc(n));
		break;
	case 9:
		MAKE(s, n * 2, reallocarray(NULL, n, 2));
		break;
	case 10:
		with_posix(s, n);
		break;
	default:
		MAKE(s, n, malloc(n));
		break;
	}
}

static void resize(struct slot *s, unsigned r, size_t n)
{
	void *q;

	switch (r % 5) {
	case 0:
		q = RESIZE(s, realloc(s->p, n));
		break;
	case 1:
		q = RESIZE(s, reallocarray(s->p, 1, n));
		break;
	case 2:
		if (realloc(s->p, absurd))
			abort();
		return;
	case 3:
		n = 0;
		q = realloc(s->p, n);
		break;
	default:
		q = RESIZE(s, realloc(s->p, n));
		break;
	}
	s->p = q;
	s->size = n;
}

/* clang-format on */

static void *work(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < nops; i++) {
		unsigned r = (unsigned)rand_r(&seed), what = (unsigned)rand_r(&seed),
			 how = (unsigned)rand_r(&seed);
		struct slot *s = &table[r % SLOTS];

		while (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
			;
		if (!s->p) {
			make(s, what, pick_size(how));
		} else if (what % 3 == 0) {
			resize(s, how, pick_size(r >> 3));
		} else {
			free(s->p);
			s->p = NULL;
		}
		atomic_flag_clear_explicit(&s->busy, memory_order_release);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static pthread_t t[64];
	unsigned seed;
	int n, fd;

	if (argc != 5)
		return 2;
	seed = (unsigned)atoi(argv[1]);
	n = atoi(argv[2]);
	nops = atoi(argv[3]) / GENERATIONS;
	if (n < 1 || n > 64)
		return 2;
	for (int g = 0; g < GENERATIONS; g++) {
		for (int i = 0; i < n; i++)
			if (pthread_create(&t[i], NULL, work,
					   (void *)(uintptr_t)(seed * 1000 + g * 100 + i + 1)))
				return 1;
		for (int i = 0; i < n; i++)
			pthread_join(t[i], NULL);
	}
	fd = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < SLOTS; i++) {
		char line[100];
		int len;

		if (!table[i].p)
			continue;
		len = snprintf(line, sizeof line, "%p %zu %d\n", table[i].p, table[i].size, table[i].line);
		if (write(fd, line, (size_t)len) != len)
			return 1;
	}
	return close(fd);
}
