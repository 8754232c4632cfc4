/*
 * graph_random_test.c - thousands of small random graphs, every answer against graph_oracle.h.
 */
#include "tests/unit/graph_oracle.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 6000

/* check writes to a file for each of its assertions, and here are millions */
#define SAME(a, b)                                                                                           \
	do {                                                                                                 \
		if ((a) != (b))                                                                              \
			ck_assert_uint_eq(a, b);                                                             \
	} while (0)
#define MUST(what)                                                                                           \
	do {                                                                                                 \
		if (!(what))                                                                                 \
			ck_assert(what);                                                                     \
	} while (0)

static uint64_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

/* How graphs differ: round numbers choose among these. */
struct style {
	unsigned blocks, roots, words; /* of a block, at most */
	unsigned density;              /* pointers per 100 words */
	int nested, odd;
};

static void make_blocks(struct oracle *o, const struct style *s)
{
	uint64_t at = o->start;

	o->n = 0;
	while (o->n < s->blocks) {
		struct oracle_block *b = &o->block[o->n];

		b->order = o->n++;
		if (s->nested) {
			b->address = o->start + pick(WORDS * 8 - 256);
			b->size = pick(4) ? pick(64) : pick(256);
		} else {
			b->address = at + pick(2) * 16;
			b->size = pick(s->words) * 8 + (s->odd ? pick(8) : 0);
			at = (b->address + b->size + 15) / 16 * 16 + (b->size == 0) * 16;
			/* no more room: the rest is left out */
			if (at > o->start + WORDS * 8 - 128)
				break;
		}
		if (!s->odd)
			b->address &= ~15ull;
		/* a wrapper tells of a block once more */
		if (s->nested && o->n > 1 && pick(8) == 0) {
			b->address = o->block[pick(o->n - 1)].address;
			b->size = pick(2) ? o->block[pick(o->n - 1)].size : pick(40);
		}
	}
}

static uint64_t random_value(const struct oracle *o, int64_t *before8, int64_t *before24)
{
	const struct oracle_block *b = &o->block[pick(o->n)];

	*before8 = pick(4) == 0 ? -1 : pick(2) ? (int64_t)b->size - 8 : (int64_t)pick(10);
	*before24 = pick(4) == 0 ? -1 : (int64_t)pick(40);
	switch (pick(9)) {
	case 0:
		return b->address + b->size; /* one past the end */
	case 1:
		return b->address + pick((uint32_t)b->size + 1);
	case 2:
		return b->address + 8;
	case 3:
		return b->address + (pick(2) ? 16 : 24);
	case 4:
		return o->vtables + pick((uint32_t)(o->vtables_end - o->vtables) + 16) - 8;
	case 5:
		return b->address - pick(32);
	default:
		return b->address;
	}
}

static void make_words(struct oracle *o, const struct style *s)
{
	for (unsigned w = 0; w < WORDS; w++) {
		o->word[w] = o->before8[w] = o->before24[w] = 0;
		if (pick(100) < s->density)
			o->word[w] = random_value(o, &o->before8[w], &o->before24[w]);
	}
	/* objects of two bases */
	for (unsigned b = 0; b < o->n; b++)
		if (pick(3) == 0 && o->block[b].address % 8 == 0) {
			o->word[(o->block[b].address - o->start) / 8] = o->vtables + 16;
			o->word[(o->block[b].address - o->start) / 8 + 2] = o->vtables + 48;
		}
	o->nroots = pick(s->roots + 1);
	for (unsigned i = 0; i < o->nroots; i++) {
		o->root[i].value = random_value(o, &o->root[i].before8, &o->root[i].before24);
		o->root[i].id = pick(4);
		o->root[i].kept = pick(4) ? 0 : pick(o->n) + 1;
	}
}

static void make(struct oracle *o, unsigned round)
{
	struct style s = {.blocks = 1 + pick(round % 3 ? 12 : MAX_BLOCKS),
			  .roots = round % 2 ? MAX_ROOTS : 1,
			  .words = round % 8 < 4 ? 6 : 14,
			  .density = (unsigned[]){10, 40, 80}[round % 3],
			  .nested = round % 5 >= 3,
			  .odd = round % 7 >= 3};

	memset(o, 0, sizeof(*o));
	/* across a border of chunks of the index, sometimes */
	o->start = 0x7f1234560000 + (round % 2 ? 0xf800 : 0x2000);
	o->vtables = 0x560000001000;
	o->vtables_end = o->vtables + 0x100;
	o->heuristics = pick(3) ? HL_HEURISTICS_ALL : pick(16);
	make_blocks(o, &s);
	make_words(o, &s);
}

/* The graph of what the oracle knows; blocks and words in any order. */
static struct hl_graph *build(struct oracle *o, unsigned round)
{
	struct hl_graph *g = hl_graph_new(o->heuristics);
	unsigned order[WORDS],
		late = round % 4; /* 1: kept blocks one at a time, after all else; 2, 3: at once */
	struct hl_diag d;

	hl_graph_add_vtables(g, o->vtables + 0x40, o->vtables_end);
	hl_graph_add_vtables(g, o->vtables, o->vtables + 0x48);
	for (unsigned i = 0; i < o->n; i++)
		hl_graph_add_block(g, o->block[i].address, o->block[i].size, o->block[i].order);
	ck_assert_int_eq(hl_graph_sort(g, &d), 0);
	oracle_sort(o);
	for (unsigned w = 0; w < WORDS; w++) {
		unsigned k = round % 6 ? w : pick(w + 1);

		order[w] = order[k];
		order[k] = w;
	}
	for (unsigned i = 0; i < WORDS; i++) {
		unsigned w = order[i];
		uint32_t b =
			hl_graph_add_word(g, o->start + 8 * w, o->word[w], o->before8[w], o->before24[w]);
		unsigned expected = oracle_find(o, o->start + 8 * w, 8);

		SAME(b, expected == o->n ? HL_GRAPH_NONE : expected);
	}
	for (unsigned i = 0; i < o->nroots; i++) {
		if (o->root[i].kept && !late)
			hl_graph_keep(g, o->root[i].kept - 1, o->root[i].id);
		else if (!o->root[i].kept)
			hl_graph_add_root(g, o->root[i].value, o->root[i].id, o->root[i].before8,
					  o->root[i].before24);
	}
	ck_assert_int_eq(hl_graph_solve(g, &d), 0);
	ck_assert_int_eq(hl_graph_retain(g, &d), 0);
	for (unsigned i = 0; late && i < o->nroots; i++) {
		if (!o->root[i].kept)
			continue;
		hl_graph_keep(g, o->root[i].kept - 1, o->root[i].id);
		if (late == 1 || i + 1 == o->nroots)
			ck_assert_int_eq(hl_graph_solve(g, &d), 0);
	}
	/* nothing was kept: to solve again changes nothing */
	ck_assert_int_eq(late ? hl_graph_solve(g, &d) : 0, 0);
	ck_assert_int_eq(hl_graph_retain(g, &d), 0);
	oracle_solve(o);
	return g;
}

static void check_blocks(const struct oracle *o, struct hl_graph *g)
{
	SAME(hl_graph_nblocks(g), o->n);
	for (unsigned b = 0; b < o->n; b++) {
		struct hl_graph_block got = hl_graph_block(g, b);
		unsigned around = oracle_around(o, b);

		SAME(got.address, o->block[b].address);
		SAME(got.size, o->block[b].size);
		SAME(got.user, o->block[b].order);
		SAME(got.around, around == o->n ? HL_GRAPH_NONE : around);
		SAME(got.kind, o->kind[b]);
	}
	for (unsigned i = 0; i < 300; i++) {
		uint64_t address = o->start - 64 + pick(WORDS * 8 + 128);
		unsigned b = oracle_find(o, address, 1);

		SAME(hl_graph_find(g, address), b == o->n ? HL_GRAPH_NONE : b);
	}
}

static void check_groups(const struct oracle *o, const struct hl_graph *g)
{
	size_t ngroups, next = 0;
	const struct hl_graph_group *group = hl_graph_groups(g, &ngroups);

	for (unsigned h = 0; h < o->n; h++) {
		struct hl_graph_group want = {.head = h};

		if (!o->head[h] || o->group[h] != h)
			continue;
		want.cycle = o->how[h][h] == HL_POINT_START;
		for (unsigned b = 0; b < o->n; b++) {
			if (o->group[b] != h)
				continue;
			SAME(hl_graph_block(g, b).group, next);
			if (o->kind[b] == HL_LEAK_DEFINITE) {
				want.heads++;
				want.bytes += o->block[b].size;
				want.cycle |= b != h;
			} else {
				want.indirect_blocks++;
				want.indirect_bytes += o->block[b].size;
			}
		}
		MUST(next < ngroups);
		SAME(group[next].head, want.head);
		SAME(group[next].heads, want.heads);
		SAME(group[next].cycle, want.cycle);
		SAME(group[next].bytes, want.bytes);
		SAME(group[next].indirect_bytes, want.indirect_bytes);
		SAME(group[next].indirect_blocks, want.indirect_blocks);
		next++;
	}
	SAME(next, ngroups);
	for (unsigned b = 0; b < o->n; b++)
		if (o->kind[b] >= HL_LEAK_POSSIBLE)
			SAME(hl_graph_block(g, b).group, HL_GRAPH_NONE);
}

/* The least number of pointers from place h round to it again. */
static unsigned shortest_ring(const struct oracle *o, unsigned h)
{
	unsigned char at[MAX_BLOCKS] = {0}, then[MAX_BLOCKS];

	at[h] = 1;
	for (unsigned length = 1; length <= o->n; length++) {
		memset(then, 0, sizeof(then));
		for (unsigned a = 0; a < o->n; a++)
			for (unsigned b = 0; b < o->n; b++)
				then[b] |= at[a] && o->linked[a][b];
		if (then[h])
			return length;
		memcpy(at, then, sizeof(at));
	}
	return 1; /* its own pointer to itself */
}

static void check_rings(const struct oracle *o, struct hl_graph *g)
{
	size_t ngroups, n;
	const struct hl_graph_group *group = hl_graph_groups(g, &ngroups);

	for (uint32_t i = 0; i < ngroups; i++) {
		struct hl_graph_step *ring = hl_graph_ring(g, i, &n);

		SAME(ring != NULL, group[i].cycle);
		if (!ring)
			continue;
		SAME(n, shortest_ring(o, group[i].head));
		SAME(ring[0].block, group[i].head);
		for (size_t k = 0; k < n; k++) {
			uint64_t slot = o->block[ring[k].block].address + ring[k].offset;
			unsigned w = (unsigned)((slot - o->start) / 8), from = oracle_find(o, slot, 8);
			unsigned to = oracle_target(o, o->word[w], o->before8[w]);

			SAME(slot % 8, 0);
			SAME(o->place[from], ring[k].block);
			SAME(o->place[to], ring[(k + 1) % n].block);
			SAME(ring[k].how, oracle_how(o, to, o->word[w], o->before8[w], o->before24[w]));
			if (n == 1)
				MUST(from == to && ring[k].how == HL_POINT_START);
		}
		free(ring);
	}
}

static void check_step(const struct oracle *o, const struct hl_graph_step *s, unsigned to, int strong)
{
	uint64_t slot = o->block[s->block].address + s->offset;
	unsigned w = (unsigned)((slot - o->start) / 8);

	if (s->how == HL_POINT_AROUND) {
		SAME(oracle_around(o, s->block), to);
		return;
	}
	SAME(oracle_find(o, slot, 8), s->block);
	SAME(oracle_target(o, o->word[w], o->before8[w]), to);
	SAME(s->how, oracle_how(o, to, o->word[w], o->before8[w], o->before24[w]));
	MUST(!strong || s->how != HL_POINT_INTERIOR);
}

static void check_paths(const struct oracle *o, struct hl_graph *g)
{
	unsigned strong[MAX_BLOCKS], any[MAX_BLOCKS];

	oracle_distances(o, 1, o->n, strong);
	oracle_distances(o, 0, o->n, any);
	for (unsigned b = 0; b < o->n; b++) {
		int is_strong = o->kind[b] == HL_LEAK_REACHABLE, found = 0;
		struct hl_graph_path p;

		SAME(hl_graph_path(g, b, &p), any[b] != FAR);
		if (any[b] == FAR)
			continue;
		SAME(p.nsteps, is_strong ? strong[b] : any[b]);
		for (unsigned i = 0; i < o->nroots; i++)
			found |= o->root[i].id == p.root && o->root_how[i] == p.how &&
				 o->root_to[i] == p.step[0].block;
		MUST(found);
		MUST(!is_strong || p.how != HL_POINT_INTERIOR);
		for (size_t i = 0; i + 1 < p.nsteps; i++)
			check_step(o, &p.step[i], p.step[i + 1].block, is_strong);
		SAME(p.step[p.nsteps - 1].block, b);
		free(p.step);
	}
}

static void check_dominators(const struct oracle *o, const struct hl_graph *g)
{
	unsigned distance[MAX_BLOCKS], ndominators[MAX_BLOCKS] = {0};
	unsigned char dominates[MAX_BLOCKS][MAX_BLOCKS] = {{0}};

	for (unsigned d = 0; d < o->n; d++) {
		uint64_t bytes = 0;

		oracle_distances(o, 0, d, distance);
		for (unsigned b = 0; b < o->n && !oracle_lost(o, d); b++)
			if (!oracle_lost(o, b) && distance[b] == FAR) {
				bytes += o->block[b].size;
				dominates[d][b] = b != d;
				ndominators[b] += b != d;
			}
		SAME(hl_graph_retained(g, d), bytes);
	}
	for (unsigned b = 0; b < o->n; b++) {
		uint32_t d = hl_graph_dominator(g, b);

		/* the nearest is dominated by all the others */
		SAME(d == HL_GRAPH_NONE, ndominators[b] == 0);
		if (d != HL_GRAPH_NONE) {
			MUST(dominates[d][b]);
			SAME(ndominators[d] + 1, ndominators[b]);
		}
	}
}

#define CLASSES 3

static void check_classes(const struct oracle *o, const struct hl_graph *g)
{
	uint32_t class_of[MAX_BLOCKS];
	uint64_t got[CLASSES], want[CLASSES] = {0};

	for (unsigned b = 0; b < o->n; b++)
		class_of[b] = pick(CLASSES + 1) == 0 ? HL_GRAPH_NONE : pick(CLASSES);
	hl_graph_retained_by(g, class_of, CLASSES, got);
	for (unsigned b = 0; b < o->n; b++) {
		unsigned char counted[CLASSES] = {0};

		if (oracle_lost(o, b))
			continue;
		/* the block itself and those that dominate it */
		for (uint32_t d = b; d != HL_GRAPH_NONE; d = hl_graph_dominator(g, d))
			if (class_of[d] != HL_GRAPH_NONE && !counted[class_of[d]]++)
				want[class_of[d]] += o->block[b].size;
	}
	for (unsigned c = 0; c < CLASSES; c++)
		SAME(got[c], want[c]);
}

struct links {
	const struct oracle *o;
	unsigned block, referrers, roots, referents;
	uint64_t slots; /* sum */
};

static void see_referrer(void *ctx, const struct hl_graph_referrer *r)
{
	struct links *l = ctx;

	if (r->block == HL_GRAPH_NONE) {
		l->roots++;
	} else {
		struct hl_graph_step s = {r->block, r->how, r->offset};

		check_step(l->o, &s, l->block, 0);
		l->referrers++;
		l->slots += l->o->block[r->block].address + r->offset;
	}
}

static void see_referent(void *ctx, const struct hl_graph_referent *r)
{
	struct links *l = ctx;
	struct hl_graph_step s = {l->block, r->how, r->offset};

	check_step(l->o, &s, r->block, 0);
	l->referents++;
}

static void check_links(const struct oracle *o, const struct hl_graph *g)
{
	for (unsigned b = 0; b < o->n; b++) {
		struct links got = {.o = o, .block = b}, want = {0};

		for (unsigned w = 0; w < WORDS; w++) {
			unsigned from = oracle_find(o, o->start + 8 * w, 8),
				 to = oracle_target(o, o->word[w], o->before8[w]);

			if (from != o->n && to == b) {
				want.referrers++;
				want.slots += o->start + 8 * w;
			}
			want.referents += from == b && to != o->n;
		}
		for (unsigned i = 0; i < o->nroots; i++)
			want.roots += o->root_to[i] == b;
		hl_graph_referrers(g, b, see_referrer, &got);
		hl_graph_referents(g, b, see_referent, &got);
		SAME(got.referrers, want.referrers);
		SAME(got.roots, want.roots);
		SAME(got.referents, want.referents);
		SAME(got.slots, want.slots);
	}
}

/* What the graphs had to show: a test of nothing but trees would say little. */
static struct {
	unsigned kinds[HL_LEAK_KINDS], cycles, rings_over_2, explained, by_vtables, inside, retaining;
} had;

static void count(const struct oracle *o, struct hl_graph *g)
{
	size_t ngroups, n;
	const struct hl_graph_group *group = hl_graph_groups(g, &ngroups);

	for (unsigned b = 0; b < o->n; b++) {
		had.kinds[o->kind[b]]++;
		had.inside += oracle_around(o, b) != o->n;
		had.retaining += hl_graph_retained(g, b) > o->block[b].size;
	}
	for (unsigned w = 0; w < WORDS; w++) {
		unsigned from = oracle_find(o, o->start + 8 * w, 8),
			 to = oracle_target(o, o->word[w], o->before8[w]);

		if (from == o->n || to == o->n ||
		    oracle_how(o, to, o->word[w], o->before8[w], o->before24[w]) != HL_POINT_EXPLAINED)
			continue;
		had.explained++;
		had.by_vtables += oracle_vtable_at(o, o->word[w]);
	}
	for (uint32_t i = 0; i < ngroups; i++) {
		n = 0;
		free(hl_graph_ring(g, i, &n));
		had.cycles += group[i].cycle;
		had.rings_over_2 += n > 2;
	}
}

START_TEST(every_answer_is_the_oracles)
{
	static struct oracle o;

	seed = 12345;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct hl_graph *g;

		make(&o, round);
		g = build(&o, round);
		check_blocks(&o, g);
		check_groups(&o, g);
		check_rings(&o, g);
		check_paths(&o, g);
		check_dominators(&o, g);
		check_classes(&o, g);
		check_links(&o, g);
		count(&o, g);
		hl_graph_free(g);
	}
	for (unsigned k = 0; k < HL_LEAK_KINDS; k++)
		ck_assert_uint_gt(had.kinds[k], ROUNDS / 2);
	ck_assert_uint_gt(had.cycles, ROUNDS / 20);
	ck_assert_uint_gt(had.rings_over_2, ROUNDS / 100);
	ck_assert_uint_gt(had.explained, ROUNDS / 2);
	ck_assert_uint_gt(had.by_vtables, ROUNDS / 20);
	ck_assert_uint_gt(had.inside, ROUNDS / 2);
	ck_assert_uint_gt(had.retaining, ROUNDS / 2);
	if (getenv("VERBOSE"))
		printf("definite %u, indirect %u, possible %u, reachable %u; %u cycles, %u of more than 2; "
		       "%u explained, %u by vtables, %u inside others, %u retaining\n",
		       had.kinds[0], had.kinds[1], had.kinds[2], had.kinds[3], had.cycles, had.rings_over_2,
		       had.explained, had.by_vtables, had.inside, had.retaining);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("random graphs");
	TCase *t = tcase_create("random graphs");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 300);
	tcase_add_test(t, every_answer_is_the_oracles);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
