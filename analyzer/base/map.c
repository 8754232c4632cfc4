/*
 * map.c - growth and deletion of the map.  Floor: base.
 *
 * Invariants: at least a quarter of the entries is empty, so every probe ends; between the home of a
 * key and its entry none is empty.
 */
#include "analyzer/base/map.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define FIRST_BITS 4

static void set_size(struct hl_map *m, unsigned bits)
{
	size_t n = (size_t)1 << bits;

	m->entries = hl_xcalloc(n, sizeof(*m->entries));
	m->mask = n - 1;
	m->limit = n - n / 4;
	m->count = 0;
	m->shift = 64 - bits;
}

void hl_map_init(struct hl_map *m)
{
	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != sizeof(m->seed)) {
		struct timespec ts;

		/* no randomness yet at boot: hard to guess is enough here */
		clock_gettime(CLOCK_MONOTONIC, &ts);
		m->seed = ((uint64_t)ts.tv_nsec << 32 | (uint32_t)ts.tv_sec) ^ (uintptr_t)m;
	}
	set_size(m, FIRST_BITS);
}

void hl_map_release(struct hl_map *m)
{
	free(m->entries);
	*m = (struct hl_map){0};
}

void hl_map_clear(struct hl_map *m)
{
	memset(m->entries, 0, (m->mask + 1) * sizeof(*m->entries));
	m->count = 0;
}

void hl_map_grow(struct hl_map *m)
{
	struct hl_map_entry *old = m->entries;
	size_t n = m->mask + 1;

	set_size(m, 64 - m->shift + 1);
	for (size_t i = 0; i < n; i++)
		if (old[i].value)
			hl_map_put(m, old[i].key, old[i].value);
	free(old);
}

uint32_t hl_map_remove(struct hl_map *m, uint64_t key)
{
	struct hl_map_entry *e = m->entries;
	size_t hole = hl_map_home(m, key);
	uint32_t value;

	while (e[hole].value && e[hole].key != key)
		hole = (hole + 1) & m->mask;
	value = e[hole].value;
	if (!value)
		return 0;
	for (size_t i = (hole + 1) & m->mask; e[i].value; i = (i + 1) & m->mask) {
		size_t home = hl_map_home(m, e[i].key);

		/* an entry may move back to the hole only when its home is not after it */
		if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
			e[hole] = e[i];
			hole = i;
		}
	}
	e[hole].value = 0;
	m->count--;
	return value;
}
