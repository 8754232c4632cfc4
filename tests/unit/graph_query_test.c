/*
 * graph_query_test.c - heuristics, paths, referrers and retained bytes of graphs made by hand; extremes.
 */
#include "tests/unit/graph_fixture.h"

/* The kind of a block of `size` that a root points to at +offset. */
static char explained(unsigned heuristics, uint64_t size, uint64_t offset, int64_t before8, int64_t before24)
{
	char k;

	hl_graph_free(g);
	g = hl_graph_new(heuristics);
	hl_graph_add_block(g, B(0), size, 0);
	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
	hl_graph_add_root(g, B(0) + offset, 1, before8, before24);
	solve();
	k = letter(0);
	return k;
}

START_TEST(lengths_explain_strings_and_arrays_unless_switched_off)
{
	const unsigned string = HL_HEURISTIC_STDSTRING, length = HL_HEURISTIC_LENGTH64,
		       array = HL_HEURISTIC_NEWARRAY;

	ck_assert_int_eq(explained(string, 40, 24, 0, 15), 'R');
	ck_assert_int_eq(explained(string, 40, 24, 0, 16), 'P');
	ck_assert_int_eq(explained(string, 40, 24, 0, -1), 'P');
	ck_assert_int_eq(explained(string, 40, 24, 0, INT64_MAX), 'P');
	ck_assert_int_eq(explained(string, 40, 25, 0, 1), 'P');
	ck_assert_int_eq(explained(HL_HEURISTICS_ALL & ~string, 40, 24, 0, 15), 'P');
	ck_assert_int_eq(explained(length, 40, 8, 32, -1), 'R');
	ck_assert_int_eq(explained(length, 40, 8, 31, -1), 'P');
	ck_assert_int_eq(explained(length, 40, 16, 24, -1), 'P');
	ck_assert_int_eq(explained(HL_HEURISTICS_ALL & ~length & ~array, 40, 8, 32, -1), 'P');
	ck_assert_int_eq(explained(array, 40, 8, 4, -1), 'R');
	ck_assert_int_eq(explained(array, 40, 8, 5, -1), 'P');
	ck_assert_int_eq(explained(array, 40, 8, 0, -1), 'P');
	ck_assert_int_eq(explained(array, 40, 8, -1, -1), 'P');
	ck_assert_int_eq(explained(HL_HEURISTICS_ALL & ~length & ~array, 40, 8, 4, -1), 'P');
	ck_assert_int_eq(explained(0, 40, 0, -1, -1), 'R');
}
END_TEST

START_TEST(vtables_explain_a_second_base_whatever_the_order_of_words)
{
	const uint64_t vt = 0x560000000000;

	for (unsigned off = 0; off < 2; off++) {
		hl_graph_free(g);
		g = hl_graph_new(off ? HL_HEURISTICS_ALL & ~HL_HEURISTIC_MULTIPLEINHERITANCE
				     : HL_HEURISTICS_ALL);
		hl_graph_add_vtables(g, vt + 0x100, vt + 0x200);
		hl_graph_add_vtables(g, vt, vt + 0x80);
		hl_graph_add_vtables(g, vt + 0x40, vt + 0xa0);
		blocks(6, 64);
		/* 0 points on and 5 back to second bases; 1 and 4 have both vtables, 2 lacks the second's, 3 the first's */
		word(B(0), B(1) + 16);
		word(B(0) + 8, B(2) + 16);
		word(B(0) + 16, B(3) + 16);
		word(B(1), vt + 0x10);
		word(B(1) + 16, vt + 0x1f8);
		word(B(2), vt + 0x10);
		word(B(2) + 16, vt + 0x200);
		word(B(3), vt + 0xa0);
		word(B(3) + 16, vt + 0x9f);
		word(B(4), vt + 0x100);
		word(B(4) + 16, vt);
		word(B(5), B(4) + 16);
		root(B(0));
		root(B(5));
		solve();
		ck_assert_str_eq(kinds(), off ? "RPPPPR" : "RRPPRR");
	}
}
END_TEST

START_TEST(a_kept_block_is_a_root_by_itself)
{
	struct hl_graph_path path;

	blocks(3, 16);
	word(B(1), B(2));
	hl_graph_keep(g, 1, 55);
	solve();
	ck_assert_str_eq(kinds(), "DRR");
	ck_assert_int_eq(hl_graph_path(g, 2, &path), 1);
	ck_assert_uint_eq(path.root, 55);
	ck_assert_uint_eq(path.nsteps, 2);
	ck_assert_uint_eq(path.step[0].block, 1);
	free(path.step);
}
END_TEST

START_TEST(a_path_is_the_shortest_one_of_strong_pointers)
{
	struct hl_graph_path path;

	/* root 1 -> 0 -> 1 -> 3 with a weak short cut 0 ?> 3, and 3 ?> 4 */
	blocks(6, 32);
	hl_graph_add_root(g, B(0), 1, -1, -1);
	hl_graph_add_root(g, B(2), 2, -1, -1);
	word(B(0), B(3) + 8);
	word(B(0) + 24, B(1));
	word(B(1) + 8, B(3));
	word(B(3) + 16, B(4) + 3);
	solve();
	ck_assert_str_eq(kinds(), "RRRRPD");
	ck_assert_int_eq(hl_graph_path(g, 5, &path), 0);
	ck_assert_int_eq(hl_graph_path(g, 3, &path), 1);
	ck_assert_uint_eq(path.root, 1);
	ck_assert_int_eq(path.how, HL_POINT_START);
	ck_assert_uint_eq(path.nsteps, 3);
	ck_assert_uint_eq(path.step[0].block, 0);
	ck_assert_uint_eq(path.step[0].offset, 24);
	ck_assert_uint_eq(path.step[1].block, 1);
	ck_assert_uint_eq(path.step[1].offset, 8);
	ck_assert_uint_eq(path.step[2].block, 3);
	free(path.step);
	/* a possible block's may use any: root -> 0 ?> 3 ?> 4 */
	ck_assert_int_eq(hl_graph_path(g, 4, &path), 1);
	ck_assert_uint_eq(path.nsteps, 3);
	ck_assert_uint_eq(path.step[1].block, 3);
	ck_assert_int_eq(path.step[0].how, HL_POINT_INTERIOR);
	free(path.step);
}
END_TEST

START_TEST(a_path_may_lead_from_an_object_to_the_pool_around_it)
{
	struct hl_graph_path path;

	pool();
	word(B(0) + 0xf8, B(1));
	root(B(0) + 0x20);
	solve();
	ck_assert_int_eq(hl_graph_path(g, 3, &path), 1);
	ck_assert_uint_eq(path.nsteps, 3);
	ck_assert_uint_eq(path.step[0].block, 1);
	ck_assert_int_eq(path.step[0].how, HL_POINT_AROUND);
	ck_assert_uint_eq(path.step[1].block, 0);
	ck_assert_uint_eq(path.step[1].offset, 0xf8);
	free(path.step);
}
END_TEST

struct seen {
	unsigned n;
	uint32_t root[8], block[8];
	uint64_t offset[8];
	enum hl_point how[8];
};

static void see_referrer(void *ctx, const struct hl_graph_referrer *r)
{
	struct seen *s = ctx;

	s->root[s->n] = r->root;
	s->block[s->n] = r->block;
	s->how[s->n] = r->how;
	s->offset[s->n++] = r->offset;
}

static void see_referent(void *ctx, const struct hl_graph_referent *r)
{
	struct seen *s = ctx;

	s->block[s->n] = r->block;
	s->how[s->n] = r->how;
	s->offset[s->n++] = r->offset;
}

START_TEST(referrers_and_referents_are_told_with_offsets)
{
	struct seen to = {0}, from = {0};

	blocks(3, 32);
	root(B(1));
	word(B(0) + 16, B(1) + 8);
	word(B(2) + 8, B(1));
	word(B(2) + 24, B(0));
	solve();
	hl_graph_referrers(g, 1, see_referrer, &to);
	ck_assert_uint_eq(to.n, 3);
	ck_assert_uint_eq(to.root[0], 7);
	ck_assert_uint_eq(to.block[0], HL_GRAPH_NONE);
	ck_assert_uint_eq(to.root[1], HL_GRAPH_NONE);
	ck_assert_uint_eq(to.block[1], 0);
	ck_assert_uint_eq(to.offset[1], 16);
	ck_assert_int_eq(to.how[1], HL_POINT_INTERIOR);
	ck_assert_uint_eq(to.block[2], 2);
	ck_assert_uint_eq(to.offset[2], 8);
	hl_graph_referents(g, 2, see_referent, &from);
	ck_assert_uint_eq(from.n, 2);
	ck_assert_uint_eq(from.block[0], 1);
	ck_assert_uint_eq(from.block[1], 0);
	ck_assert_uint_eq(from.offset[1], 24);
}
END_TEST

START_TEST(retained_bytes_are_those_nobody_else_holds)
{
	/* 0 -> 1 and 2, both -> 3 -> 4; a root holds 0, another 5 -> 4; 6 is lost */
	blocks(7, 16);
	word(B(0), B(1));
	word(B(0) + 8, B(2));
	word(B(1), B(3));
	word(B(2), B(3) + 8);
	word(B(3), B(4));
	word(B(5), B(4));
	root(B(0));
	root(B(5));
	solve();
	ck_assert_int_eq(hl_graph_retain(g, &diag), 0);
	ck_assert_int_eq(hl_graph_retain(g, &diag), 0);
	for (uint32_t b = 0; b < 7; b++)
		ck_assert_uint_eq(hl_graph_retained(g, b), ((uint64_t[]){64, 16, 16, 16, 16, 16, 0})[b]);
	ck_assert_uint_eq(hl_graph_dominator(g, 3), 0);
	ck_assert_uint_eq(hl_graph_dominator(g, 4), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_dominator(g, 0), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_dominator(g, 6), HL_GRAPH_NONE);
}
END_TEST

START_TEST(retained_bytes_of_a_class_count_each_block_once)
{
	uint64_t bytes[2] = {9, 9};

	/* 0 -> 1 -> 2, all of class 0 but 1; 3 of none -> 4 of class 0; 5, of class 0, is lost */
	blocks(6, 16);
	word(B(0), B(1));
	word(B(1), B(2));
	word(B(3), B(4));
	root(B(0));
	root(B(3));
	solve();
	ck_assert_int_eq(hl_graph_retain(g, &diag), 0);
	hl_graph_retained_by(g, (const uint32_t[]){0, 1, 0, HL_GRAPH_NONE, 0, 0}, 2, bytes);
	ck_assert_uint_eq(bytes[0], 48 + 16);
	ck_assert_uint_eq(bytes[1], 32);
}
END_TEST

START_TEST(a_pointer_further_inside_than_32_bits_tell_keeps_its_offset)
{
	struct seen from = {0};

	hl_graph_add_block(g, BASE, 1ull << 40, 0);
	hl_graph_add_block(g, BASE + (1ull << 41), 16, 1);
	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
	word(BASE + (1ull << 34), BASE + (1ull << 41));
	word(BASE + (1ull << 39), BASE + (1ull << 41) + 8);
	word(BASE + (1ull << 39) + 8, BASE);
	solve();
	hl_graph_referents(g, 0, see_referent, &from);
	ck_assert_uint_eq(from.n, 3);
	ck_assert_uint_eq(from.offset[0], 1ull << 34);
	ck_assert_uint_eq(from.offset[1], 1ull << 39);
	ck_assert_uint_eq(from.offset[2], (1ull << 39) + 8);
}
END_TEST

START_TEST(blocks_at_the_ends_of_the_address_space_do_not_wrap)
{
	hl_graph_add_block(g, UINT64_MAX - 15, 100, 0);
	hl_graph_add_block(g, 0, 16, 1);
	hl_graph_add_block(g, UINT64_MAX, 5, 2);
	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
	ck_assert_uint_eq(hl_graph_find(g, 0), 0);
	ck_assert_uint_eq(hl_graph_find(g, 16), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_find(g, UINT64_MAX - 15), 1);
	ck_assert_uint_eq(hl_graph_find(g, UINT64_MAX), 2);
	root(UINT64_MAX - 8);
	solve();
	ck_assert_str_eq(kinds(), "DPD");
}
END_TEST

START_TEST(an_empty_graph_has_nothing_to_tell)
{
	size_t n;

	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
	ck_assert_uint_eq(hl_graph_find(g, 0), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_add_word(g, 8, 8, -1, -1), HL_GRAPH_NONE);
	root(5);
	solve();
	ck_assert_int_eq(hl_graph_retain(g, &diag), 0);
	ck_assert_uint_eq(hl_graph_nblocks(g), 0);
	hl_graph_groups(g, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

#define LONG 1000000u

/* A list of a million, reached or lost, closed to a ring or not. */
static void long_list(int reached, int closed)
{
	blocks(LONG, 16);
	for (unsigned i = 0; i + 1 < LONG; i++)
		word(B(i), B(i + 1));
	if (closed)
		word(B(LONG - 1), B(0));
	if (reached)
		root(B(0));
	solve();
}

START_TEST(a_list_of_a_million_needs_no_stack)
{
	struct hl_graph_path path;

	long_list(1, 0);
	ck_assert_int_eq(letter(LONG - 1), 'R');
	ck_assert_int_eq(hl_graph_path(g, LONG - 1, &path), 1);
	ck_assert_uint_eq(path.nsteps, LONG);
	free(path.step);
	ck_assert_int_eq(hl_graph_retain(g, &diag), 0);
	ck_assert_uint_eq(hl_graph_retained(g, 0), 16ull * LONG);
	ck_assert_uint_eq(hl_graph_retained(g, LONG - 2), 32);
}
END_TEST

START_TEST(a_lost_ring_of_a_million_needs_no_stack)
{
	size_t n;

	long_list(0, 1);
	ck_assert_uint_eq(group(0, 1)->heads, LONG);
	free(hl_graph_ring(g, 0, &n));
	ck_assert_uint_eq(n, LONG);
}
END_TEST

START_TEST(a_lost_list_of_a_million_is_one_group)
{
	long_list(0, 0);
	ck_assert_uint_eq(group(0, 1)->heads, 1);
	ck_assert_uint_eq(group(0, 1)->indirect_blocks, LONG - 1);
}
END_TEST

int main(void)
{
	return graph_run(
		"graph queries",
		(const TTest *const[]){
			lengths_explain_strings_and_arrays_unless_switched_off,
			vtables_explain_a_second_base_whatever_the_order_of_words,
			a_kept_block_is_a_root_by_itself, a_path_is_the_shortest_one_of_strong_pointers,
			a_path_may_lead_from_an_object_to_the_pool_around_it,
			referrers_and_referents_are_told_with_offsets,
			retained_bytes_are_those_nobody_else_holds,
			retained_bytes_of_a_class_count_each_block_once,
			a_pointer_further_inside_than_32_bits_tell_keeps_its_offset,
			blocks_at_the_ends_of_the_address_space_do_not_wrap,
			an_empty_graph_has_nothing_to_tell, a_list_of_a_million_needs_no_stack,
			a_lost_ring_of_a_million_needs_no_stack, a_lost_list_of_a_million_is_one_group},
		14);
}
