/*
 * graph_oracle.h - what graph.h says, worked out for small graphs in the dullest way: by asking every block, by closing
 * relations until nothing changes, by taking blocks away.
 */
#ifndef HL_TESTS_GRAPH_ORACLE_H
#define HL_TESTS_GRAPH_ORACLE_H

#include "analyzer/analysis/graph.h"
#include <string.h>

#define MAX_BLOCKS 28
#define MAX_ROOTS  6
#define WORDS      512 /* of memory, from START on */
#define FAR        1000000u

enum { NO_POINTER = 9 };

struct oracle_block {
	uint64_t address, size;
	unsigned order; /* in which it was added */
};

struct oracle {
	uint64_t start, vtables, vtables_end;
	unsigned heuristics, n, nroots;
	struct oracle_block block[MAX_BLOCKS]; /* sorted: outer ones first */
	uint64_t word[WORDS];
	int64_t before8[WORDS], before24[WORDS];
	struct {
		uint64_t value;
		int64_t before8, before24;
		uint32_t id, kept; /* kept: a block + 1 */
	} root[MAX_ROOTS];

	/* worked out: */
	unsigned char inside
		[MAX_BLOCKS]
		[MAX_BLOCKS]; /* [i][j]: i's first byte is in j, which comes before it, or in one inside j */
	unsigned char how[MAX_BLOCKS][MAX_BLOCKS]; /* the strongest pointer, NO_POINTER */
	unsigned char root_how[MAX_ROOTS], root_to[MAX_ROOTS];
	enum hl_leak_kind kind[MAX_BLOCKS];
	unsigned place[MAX_BLOCKS];
	unsigned char leads[MAX_BLOCKS][MAX_BLOCKS];  /* from place to place, over any */
	unsigned char linked[MAX_BLOCKS][MAX_BLOCKS]; /* from place to place, at once */
	unsigned char head[MAX_BLOCKS];               /* of places */
	unsigned group[MAX_BLOCKS];                   /* the head's first block, of lost blocks */
};

static inline int oracle_holds(const struct oracle *o, unsigned b, uint64_t address, uint64_t bytes)
{
	uint64_t size = o->block[b].size ? o->block[b].size : 1;

	return address >= o->block[b].address && address + bytes <= o->block[b].address + size;
}

/* The innermost block; n: none. */
static inline unsigned oracle_find(const struct oracle *o, uint64_t address, uint64_t bytes)
{
	unsigned best = o->n;

	for (unsigned b = 0; b < o->n; b++)
		if (oracle_holds(o, b, address, bytes))
			best = b;
	return best;
}

static inline int oracle_comes_before(const struct oracle_block *a, const struct oracle_block *b)
{
	if (a->address != b->address)
		return a->address < b->address;
	return a->size != b->size ? a->size > b->size : a->order < b->order;
}

static inline void oracle_sort(struct oracle *o)
{
	for (unsigned i = 0; i < o->n; i++)
		for (unsigned j = i + 1; j < o->n; j++)
			if (oracle_comes_before(&o->block[j], &o->block[i])) {
				struct oracle_block t = o->block[i];

				o->block[i] = o->block[j];
				o->block[j] = t;
			}
}

/* The word at slot is in a block and points to a vtable, not to a block. */
static inline int oracle_vtable_at(const struct oracle *o, uint64_t slot)
{
	uint64_t value;

	if (slot % 8 || oracle_find(o, slot, 8) == o->n)
		return 0;
	value = o->word[(slot - o->start) / 8];
	return value >= o->vtables && value < o->vtables_end && oracle_find(o, value, 1) == o->n;
}

/* The block that a value points to: that which holds it, or else an array of none that ends there; o->n: none. */
static inline unsigned oracle_target(const struct oracle *o, uint64_t value, int64_t before8)
{
	unsigned b = oracle_find(o, value, 1);

	if (b != o->n || !(o->heuristics & HL_HEURISTIC_NEWARRAY) || before8)
		return b;
	for (b = o->n; b-- > 0;)
		if (o->block[b].address <= value)
			return o->block[b].address + 8 == value && o->block[b].size == 8 ? b : o->n;
	return o->n;
}

static inline enum hl_point oracle_how(const struct oracle *o, unsigned b, uint64_t value, int64_t before8,
				       int64_t before24)
{
	uint64_t start = o->block[b].address, size = o->block[b].size;

	if (value == start)
		return HL_POINT_START;
	if ((o->heuristics & HL_HEURISTIC_STDSTRING) && value == start + 24 && before24 >= 0 &&
	    before24 + 25 <= (int64_t)size)
		return HL_POINT_EXPLAINED;
	if ((o->heuristics & HL_HEURISTIC_LENGTH64) && value == start + 8 && before8 == (int64_t)size - 8)
		return HL_POINT_EXPLAINED;
	if ((o->heuristics & HL_HEURISTIC_NEWARRAY) && value == start + 8 && before8 > 0 &&
	    ((int64_t)size - 8) % before8 == 0)
		return HL_POINT_EXPLAINED;
	if ((o->heuristics & HL_HEURISTIC_NEWARRAY) && value == start + 8 && size == 8 && before8 == 0)
		return HL_POINT_EXPLAINED;
	if ((o->heuristics & HL_HEURISTIC_MULTIPLEINHERITANCE) && oracle_vtable_at(o, start) &&
	    oracle_vtable_at(o, value))
		return HL_POINT_EXPLAINED;
	return HL_POINT_INTERIOR;
}

static inline void oracle_pointers(struct oracle *o)
{
	memset(o->how, NO_POINTER, sizeof(o->how));
	for (unsigned w = 0; w < WORDS; w++) {
		unsigned from = oracle_find(o, o->start + 8 * w, 8),
			 to = oracle_target(o, o->word[w], o->before8[w]);
		enum hl_point how;

		if (from == o->n || to == o->n)
			continue;
		how = oracle_how(o, to, o->word[w], o->before8[w], o->before24[w]);
		if (how < o->how[from][to])
			o->how[from][to] = (unsigned char)how;
	}
	for (unsigned i = 0; i < o->nroots; i++) {
		unsigned to = o->root[i].kept ? o->root[i].kept - 1
					      : oracle_target(o, o->root[i].value, o->root[i].before8);

		o->root_to[i] = (unsigned char)to;
		if (to == o->n)
			o->root_how[i] = NO_POINTER;
		else if (o->root[i].kept)
			o->root_how[i] = HL_POINT_START;
		else
			o->root_how[i] = (unsigned char)oracle_how(o, to, o->root[i].value,
								   o->root[i].before8, o->root[i].before24);
	}
}

/* The nearest block around b; n: none. */
static inline unsigned oracle_around(const struct oracle *o, unsigned b)
{
	unsigned around = o->n;

	for (unsigned j = 0; j < b; j++)
		if (o->inside[b][j])
			around = j;
	return around;
}

/* How many steps from the roots to each block, FAR: not at all; over strong pointers only, and without a block
 * that is taken away (n: none is). */
static inline void oracle_distances(const struct oracle *o, int strong, unsigned without, unsigned *distance)
{
	for (unsigned b = 0; b < o->n; b++)
		distance[b] = FAR;
	for (unsigned i = 0; i < o->nroots; i++)
		if (o->root_how[i] <= (strong ? HL_POINT_EXPLAINED : HL_POINT_INTERIOR) &&
		    o->root_to[i] != without)
			distance[o->root_to[i]] = 1;
	for (unsigned round = 0; round < o->n; round++)
		for (unsigned a = 0; a < o->n; a++)
			for (unsigned b = 0; b < o->n; b++) {
				int leads =
					o->how[a][b] <= (strong ? HL_POINT_EXPLAINED : HL_POINT_INTERIOR) ||
					oracle_around(o, a) == b;

				if (leads && b != without && distance[a] + 1 < distance[b])
					distance[b] = distance[a] + 1;
			}
}

static inline void oracle_kinds(struct oracle *o)
{
	unsigned strong[MAX_BLOCKS], any[MAX_BLOCKS];

	oracle_distances(o, 1, o->n, strong);
	oracle_distances(o, 0, o->n, any);
	for (unsigned b = 0; b < o->n; b++)
		o->kind[b] = strong[b] != FAR ? HL_LEAK_REACHABLE
			     : any[b] != FAR  ? HL_LEAK_POSSIBLE
					      : HL_LEAK_INDIRECT;
}

static inline int oracle_lost(const struct oracle *o, unsigned b)
{
	return o->kind[b] < HL_LEAK_POSSIBLE;
}

/* Places and who leads to whom among them; heads; the definite ones. */
static inline void oracle_heads(struct oracle *o)
{
	memset(o->linked, 0, sizeof(o->linked));
	for (unsigned b = 0; b < o->n; b++) {
		o->place[b] = b;
		for (unsigned j = b; j-- > 0;)
			if (o->inside[b][j] && oracle_lost(o, j))
				o->place[b] = j;
	}
	for (unsigned a = 0; a < o->n; a++)
		for (unsigned b = 0; b < o->n; b++)
			if (oracle_lost(o, a) && oracle_lost(o, b) && o->place[a] != o->place[b] &&
			    o->how[a][b] != NO_POINTER)
				o->linked[o->place[a]][o->place[b]] = 1;
	memcpy(o->leads, o->linked, sizeof(o->leads));
	for (unsigned k = 0; k < o->n; k++)
		for (unsigned a = 0; a < o->n; a++)
			for (unsigned b = 0; b < o->n; b++)
				o->leads[a][b] |= o->leads[a][k] && o->leads[k][b];
	for (unsigned b = 0; b < o->n; b++) {
		/* whoever leads to a head is led to by it */
		o->head[b] = oracle_lost(o, b) && o->place[b] == b;
		for (unsigned a = 0; a < o->n; a++)
			if (o->leads[a][b] && !o->leads[b][a])
				o->head[b] = 0;
		if (o->head[b])
			o->kind[b] = HL_LEAK_DEFINITE;
	}
	for (unsigned b = 0; b < o->n; b++) {
		o->group[b] = o->n;
		for (unsigned h = o->n; h-- > 0 && oracle_lost(o, b);)
			if (o->head[h] && (h == o->place[b] || o->leads[h][o->place[b]]))
				o->group[b] = h;
	}
}

static inline void oracle_solve(struct oracle *o)
{
	for (unsigned i = 0; i < o->n; i++)
		for (unsigned j = 0; j < o->n; j++)
			o->inside[i][j] = j < i && oracle_holds(o, j, o->block[i].address, 1);
	/* what one is inside of comes before it, so this is closed when it comes to the next */
	for (unsigned i = 0; i < o->n; i++)
		for (unsigned j = 0; j < i; j++)
			for (unsigned k = 0; k < j; k++)
				o->inside[i][k] |= o->inside[i][j] && o->inside[j][k];
	oracle_pointers(o);
	oracle_kinds(o);
	oracle_heads(o);
}

#endif
