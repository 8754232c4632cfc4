/*
 * graph_fixture.h - graphs made by hand: a graph for each test, blocks A, B, C... and words between them.
 */
#ifndef HL_TESTS_GRAPH_FIXTURE_H
#define HL_TESTS_GRAPH_FIXTURE_H

#include "analyzer/analysis/graph.h"
#include <check.h>
#include <stdlib.h>

#define BASE 0x7f0000010000ull
#define B(i) (BASE + (i)*0x1000ull) /* blocks A, B, C... are far enough from each other */

static struct hl_graph *g;
static struct hl_diag diag;

static inline void setup(void)
{
	g = hl_graph_new(HL_HEURISTICS_ALL);
}

static inline void teardown(void)
{
	hl_graph_free(g);
}

/* n blocks of so many bytes at B(0), B(1)...; ids are their numbers. */
static inline void blocks(unsigned n, uint64_t size)
{
	for (unsigned i = 0; i < n; i++)
		hl_graph_add_block(g, B(i), size, 100 + i);
	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
}

static inline void word(uint64_t slot, uint64_t value)
{
	hl_graph_add_word(g, slot, value, -1, -1);
}

static inline void root(uint64_t value)
{
	hl_graph_add_root(g, value, 7, -1, -1);
}

static inline void solve(void)
{
	ck_assert_int_eq(hl_graph_solve(g, &diag), 0);
}

static inline char letter(uint32_t block)
{
	return "DIPR"[hl_graph_block(g, block).kind];
}

/* The kinds of all blocks, a letter each. */
static inline const char *kinds(void)
{
	static char text[64];
	uint32_t n = hl_graph_nblocks(g);

	for (uint32_t b = 0; b < n; b++)
		text[b] = letter(b);
	text[n] = 0;
	return text;
}

static inline const struct hl_graph_group *group(size_t i, size_t of)
{
	size_t n;
	const struct hl_graph_group *all = hl_graph_groups(g, &n);

	ck_assert_uint_eq(n, of);
	return &all[i];
}

/* A pool of 0x100 bytes at B(0) with objects at +0x20 and +0x40 of 32 bytes each; B(1) is a block of 16. */
static inline void pool(void)
{
	hl_graph_add_block(g, B(0) + 0x40, 32, 2);
	hl_graph_add_block(g, B(0), 0x100, 0);
	hl_graph_add_block(g, B(1), 16, 3);
	hl_graph_add_block(g, B(0) + 0x20, 32, 1);
	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
	for (uint32_t b = 0; b < 4; b++)
		ck_assert_uint_eq(hl_graph_block(g, b).user, b);
}

static inline int graph_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
