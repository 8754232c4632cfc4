/*
 * graph_test.c - kinds, groups and rings of graphs made by hand; blocks around others.
 */
#include "tests/unit/graph_fixture.h"

START_TEST(a_block_that_nothing_points_to_is_definite_and_one_that_a_root_points_to_reachable)
{
	blocks(2, 16);
	root(B(1));
	solve();
	ck_assert_str_eq(kinds(), "DR");
	ck_assert_uint_eq(group(0, 1)->head, 0);
	ck_assert_uint_eq(group(0, 1)->bytes, 16);
	ck_assert_uint_eq(group(0, 1)->heads, 1);
	ck_assert_int_eq(group(0, 1)->cycle, 0);
	ck_assert_uint_eq(hl_graph_block(g, 0).group, 0);
	ck_assert_uint_eq(hl_graph_block(g, 1).group, HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_block(g, 1).user, 101);
}
END_TEST

START_TEST(the_nine_cases_of_memchecks_manual_have_its_kinds)
{
	/* p1->0  p2->1->2  3  4->5  p5?>6  p6->7?>8  p7?>9->10  p8?>11?>12  13?>14 */
	blocks(15, 16);
	word(B(1), B(2));
	word(B(4), B(5));
	word(B(7), B(8) + 8);
	word(B(9), B(10));
	word(B(11), B(12) + 8);
	word(B(13), B(14) + 8);
	root(B(0));
	root(B(1));
	root(B(6) + 8);
	root(B(7));
	root(B(9) + 8);
	root(B(11) + 8);
	solve();
	ck_assert_str_eq(kinds(), "RRRDDIPRPPPPPDI");
}
END_TEST

START_TEST(strong_chains_win_over_weak_ones_whichever_is_found_first)
{
	blocks(5, 32);
	/* 0 is found by a weak pointer first, then by 1; 2 only through it */
	root(B(0) + 8);
	root(B(1));
	word(B(0), B(2));
	word(B(1), B(0));
	/* 3 possible, and so is 4 whatever points to it from there */
	word(B(1) + 8, B(3) + 1);
	word(B(3), B(4));
	solve();
	ck_assert_str_eq(kinds(), "RRRPP");
}
END_TEST

START_TEST(a_lost_tree_is_one_group_of_its_root_and_all_below_it)
{
	blocks(7, 16);
	for (unsigned i = 0; i < 3; i++) {
		word(B(i), B(2 * i + 1));
		word(B(i) + 8, B(2 * i + 2));
	}
	solve();
	ck_assert_str_eq(kinds(), "DIIIIII");
	ck_assert_uint_eq(group(0, 1)->indirect_bytes, 96);
	ck_assert_uint_eq(group(0, 1)->indirect_blocks, 6);
	ck_assert_ptr_null(hl_graph_ring(g, 0, &(size_t){0}));
}
END_TEST

START_TEST(cycles_are_heads_whole_and_their_tails_indirect)
{
	size_t n;
	struct hl_graph_step *ring;

	/* 0->1->2->0, 2->3->4, and 5->0 does not exist */
	blocks(5, 16);
	word(B(0), B(1));
	word(B(1) + 8, B(2));
	word(B(2), B(3));
	word(B(2) + 8, B(0));
	word(B(3), B(4));
	solve();
	ck_assert_str_eq(kinds(), "DDDII");
	ck_assert_int_eq(group(0, 1)->cycle, 1);
	ck_assert_uint_eq(group(0, 1)->heads, 3);
	ck_assert_uint_eq(group(0, 1)->bytes, 48);
	ck_assert_uint_eq(group(0, 1)->indirect_bytes, 32);
	ring = hl_graph_ring(g, 0, &n);
	ck_assert_uint_eq(n, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(ring[i].block, i);
	ck_assert_uint_eq(ring[0].offset, 0);
	ck_assert_uint_eq(ring[1].offset, 8);
	ck_assert_uint_eq(ring[2].offset, 8);
	free(ring);
}
END_TEST

START_TEST(a_cycle_that_something_lost_points_to_is_indirect)
{
	blocks(3, 16);
	word(B(0), B(1));
	word(B(1), B(0));
	word(B(2), B(0));
	solve();
	ck_assert_str_eq(kinds(), "IID");
	ck_assert_int_eq(group(0, 1)->cycle, 0);
	ck_assert_uint_eq(group(0, 1)->head, 2);
	ck_assert_uint_eq(group(0, 1)->indirect_bytes, 32);
}
END_TEST

START_TEST(memchecks_leak_cycle_is_four_groups)
{
	static const unsigned heads[] = {3, 3, 3, 6};

	blocks(18, 16);
	for (unsigned c = 0; c < 6; c++)
		for (unsigned i = 0; i < 3; i++)
			word(B(3 * c + i), B(3 * c + (i + 1) % 3));
	/* the third leads to the fourth, the fifth and the sixth to each other */
	word(B(6) + 8, B(9));
	word(B(12) + 8, B(15));
	word(B(15) + 8, B(12));
	solve();
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(group(i, 4)->heads, heads[i]);
		ck_assert_uint_eq(group(i, 4)->bytes + group(i, 4)->indirect_bytes, i < 2 ? 48 : 96);
		ck_assert_int_eq(group(i, 4)->cycle, 1);
	}
}
END_TEST

START_TEST(what_two_heads_lead_to_is_counted_once_with_the_one_of_the_lower_address)
{
	/* cycles 2<->3 and 0<->1 share 4, which has 5 */
	blocks(6, 16);
	word(B(0), B(1));
	word(B(0) + 8, B(4));
	word(B(1), B(0));
	word(B(2), B(3));
	word(B(2) + 8, B(4));
	word(B(3), B(2));
	word(B(4), B(5));
	solve();
	ck_assert_str_eq(kinds(), "DDDDII");
	ck_assert_uint_eq(group(0, 2)->indirect_bytes, 32);
	ck_assert_uint_eq(group(1, 2)->indirect_bytes, 0);
	ck_assert_uint_eq(group(1, 2)->head, 2);
	ck_assert_uint_eq(hl_graph_block(g, 5).group, 0);
}
END_TEST

START_TEST(a_pointer_to_the_own_start_is_a_cycle_and_one_to_the_own_middle_none)
{
	size_t n;
	struct hl_graph_step *ring;

	blocks(2, 64);
	word(B(0) + 8, B(0) + 16);
	word(B(1) + 24, B(1));
	solve();
	ck_assert_str_eq(kinds(), "DD");
	ck_assert_int_eq(group(0, 2)->cycle, 0);
	ck_assert_int_eq(group(1, 2)->cycle, 1);
	ring = hl_graph_ring(g, 1, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(ring[0].block, 1);
	ck_assert_uint_eq(ring[0].offset, 24);
	ck_assert_int_eq(ring[0].how, HL_POINT_START);
	free(ring);
}
END_TEST

START_TEST(a_ring_through_the_head_is_as_short_as_can_be)
{
	size_t n;
	struct hl_graph_step *ring;

	/* 0->1->2->3->0 with a short cut 1->3, whose pointer is a weak one */
	blocks(4, 32);
	word(B(0), B(1));
	word(B(1), B(2));
	word(B(1) + 16, B(3) + 4);
	word(B(2), B(3));
	word(B(3) + 8, B(0));
	solve();
	ck_assert_str_eq(kinds(), "DDDD");
	ring = hl_graph_ring(g, 0, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(ring[1].block, 1);
	ck_assert_uint_eq(ring[1].offset, 16);
	ck_assert_int_eq(ring[1].how, HL_POINT_INTERIOR);
	ck_assert_uint_eq(ring[2].block, 3);
	free(ring);
	/* the scratch memory of the first search does not disturb a second */
	free(hl_graph_ring(g, 0, &n));
	ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(one_past_the_end_and_one_before_the_start_point_to_nothing)
{
	blocks(2, 16);
	ck_assert_uint_eq(hl_graph_add_root(g, B(0) + 16, 1, -1, -1), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_add_root(g, B(0) - 1, 1, -1, -1), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_add_root(g, B(1) + 15, 1, -1, -1), 1);
	ck_assert_uint_eq(hl_graph_find(g, B(1) - 1), HL_GRAPH_NONE);
	solve();
	ck_assert_str_eq(kinds(), "DP");
}
END_TEST

START_TEST(a_block_of_no_bytes_is_pointed_at_by_its_start_alone)
{
	blocks(1, 0);
	ck_assert_uint_eq(hl_graph_find(g, B(0)), 0);
	ck_assert_uint_eq(hl_graph_find(g, B(0) + 1), HL_GRAPH_NONE);
	root(B(0));
	solve();
	ck_assert_str_eq(kinds(), "R");
	ck_assert_uint_eq(hl_graph_block(g, 0).size, 0);
}
END_TEST

START_TEST(a_word_belongs_to_a_block_when_all_of_it_does)
{
	blocks(2, 12);
	ck_assert_uint_eq(hl_graph_add_word(g, B(0), B(1), -1, -1), 0);
	ck_assert_uint_eq(hl_graph_add_word(g, B(0) + 8, B(1), -1, -1), HL_GRAPH_NONE);
	ck_assert_uint_eq(hl_graph_add_word(g, B(0) + 0x800, B(1), -1, -1), HL_GRAPH_NONE);
}
END_TEST

START_TEST(of_a_pool_and_its_object_the_object_is_pointed_to_and_the_pool_reached_with_it)
{
	pool();
	ck_assert_uint_eq(hl_graph_find(g, B(0) + 0x1f), 0);
	ck_assert_uint_eq(hl_graph_find(g, B(0) + 0x20), 1);
	ck_assert_uint_eq(hl_graph_find(g, B(0) + 0x5f), 2);
	ck_assert_uint_eq(hl_graph_find(g, B(0) + 0x60), 0);
	ck_assert_uint_eq(hl_graph_block(g, 1).around, 0);
	ck_assert_uint_eq(hl_graph_block(g, 0).around, HL_GRAPH_NONE);
	root(B(0) + 0x20);
	solve();
	/* the other object is lost though its pool is not; nobody points to it */
	ck_assert_str_eq(kinds(), "RRDD");
}
END_TEST

START_TEST(a_weak_pointer_to_an_object_makes_its_pool_possible)
{
	pool();
	root(B(0) + 0x28);
	solve();
	ck_assert_str_eq(kinds(), "PPDD");
}
END_TEST

START_TEST(words_of_a_pool_around_its_objects_are_the_pools)
{
	/* the pool's header and its last word point at an object and at the block outside */
	pool();
	word(B(0), B(0) + 0x20);
	word(B(0) + 0x20, B(0) + 0x40);
	word(B(0) + 0xf8, B(1));
	root(B(0));
	solve();
	ck_assert_str_eq(kinds(), "RRRR");
}
END_TEST

START_TEST(a_lost_pool_takes_its_objects_along)
{
	pool();
	/* pointers to each other and to their pool's start make no cycle of it */
	word(B(0) + 0x20, B(0) + 0x40);
	word(B(0) + 0x28, B(0));
	word(B(0) + 0x40, B(0) + 0x20);
	word(B(0) + 0x48, B(1));
	solve();
	ck_assert_str_eq(kinds(), "DIII");
	ck_assert_int_eq(group(0, 1)->cycle, 0);
	ck_assert_uint_eq(group(0, 1)->bytes, 0x100);
	ck_assert_uint_eq(group(0, 1)->indirect_bytes, 32 + 32 + 16);
}
END_TEST

START_TEST(a_ring_through_an_object_is_one_of_its_lost_pool)
{
	size_t n;
	struct hl_graph_step *ring;

	pool();
	word(B(0) + 0x48, B(1));
	word(B(1) + 8, B(0) + 0x20);
	solve();
	ck_assert_str_eq(kinds(), "DIID");
	ck_assert_uint_eq(group(0, 1)->heads, 2);
	ring = hl_graph_ring(g, 0, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(ring[0].block, 0);
	ck_assert_uint_eq(ring[0].offset, 0x48);
	ck_assert_uint_eq(ring[1].block, 3);
	ck_assert_uint_eq(ring[1].offset, 8);
	free(ring);
}
END_TEST

START_TEST(of_equal_blocks_the_one_added_last_is_inside)
{
	/* a wrapper that tells of each block it has from malloc; out of order, so that they are sorted */
	hl_graph_add_block(g, B(1), 64, 10);
	hl_graph_add_block(g, B(1), 64, 11);
	hl_graph_add_block(g, B(0), 64, 12);
	hl_graph_add_block(g, B(1), 16, 13);
	hl_graph_add_block(g, B(1), 128, 14);
	ck_assert_int_eq(hl_graph_sort(g, &diag), 0);
	for (uint32_t b = 0; b < 5; b++)
		ck_assert_uint_eq(hl_graph_block(g, b).user, ((uint32_t[]){12, 14, 10, 11, 13})[b]);
	ck_assert_uint_eq(hl_graph_find(g, B(1)), 4);
	ck_assert_uint_eq(hl_graph_find(g, B(1) + 16), 3);
	ck_assert_uint_eq(hl_graph_find(g, B(1) + 64), 1);
	root(B(1));
	solve();
	ck_assert_str_eq(kinds(), "DRRRR");
}
END_TEST

START_TEST(blocks_kept_after_all_was_solved_take_what_they_hold_out_of_its_group)
{
	/* 0->1->2->3 and 0->4, 5->3, 6 alone */
	blocks(7, 16);
	word(B(0), B(1));
	word(B(0) + 8, B(4));
	word(B(1), B(2));
	word(B(2), B(3));
	word(B(5), B(3));
	solve();
	ck_assert_str_eq(kinds(), "DIIIIDD");
	ck_assert_uint_eq(group(0, 3)->indirect_blocks, 4);
	hl_graph_keep(g, 2, 9);
	solve();
	ck_assert_str_eq(kinds(), "DIRRIDD");
	ck_assert_uint_eq(group(0, 3)->indirect_blocks, 2);
	ck_assert_uint_eq(group(1, 3)->indirect_blocks, 0);
	hl_graph_keep(g, 0, 9);
	hl_graph_keep(g, 5, 9);
	hl_graph_keep(g, 6, 9);
	solve();
	ck_assert_str_eq(kinds(), "RRRRRRR");
	group(0, 0);
	ck_assert_uint_eq(hl_graph_block(g, 0).group, HL_GRAPH_NONE);
}
END_TEST

START_TEST(a_possible_block_that_is_kept_is_reachable_and_all_it_leads_to)
{
	blocks(4, 32);
	root(B(0) + 8);
	word(B(0), B(1));
	word(B(1), B(2) + 8);
	word(B(2), B(3));
	solve();
	ck_assert_str_eq(kinds(), "PPPP");
	hl_graph_keep(g, 0, 9);
	solve();
	ck_assert_str_eq(kinds(), "RRPP");
}
END_TEST

int main(void)
{
	return graph_run(
		"graph",
		(const TTest *const[]){
			a_block_that_nothing_points_to_is_definite_and_one_that_a_root_points_to_reachable,
			the_nine_cases_of_memchecks_manual_have_its_kinds,
			strong_chains_win_over_weak_ones_whichever_is_found_first,
			a_lost_tree_is_one_group_of_its_root_and_all_below_it,
			cycles_are_heads_whole_and_their_tails_indirect,
			a_cycle_that_something_lost_points_to_is_indirect,
			memchecks_leak_cycle_is_four_groups,
			what_two_heads_lead_to_is_counted_once_with_the_one_of_the_lower_address,
			a_pointer_to_the_own_start_is_a_cycle_and_one_to_the_own_middle_none,
			a_ring_through_the_head_is_as_short_as_can_be,
			one_past_the_end_and_one_before_the_start_point_to_nothing,
			a_block_of_no_bytes_is_pointed_at_by_its_start_alone,
			a_word_belongs_to_a_block_when_all_of_it_does,
			of_a_pool_and_its_object_the_object_is_pointed_to_and_the_pool_reached_with_it,
			a_weak_pointer_to_an_object_makes_its_pool_possible,
			words_of_a_pool_around_its_objects_are_the_pools,
			a_lost_pool_takes_its_objects_along,
			a_ring_through_an_object_is_one_of_its_lost_pool,
			of_equal_blocks_the_one_added_last_is_inside,
			blocks_kept_after_all_was_solved_take_what_they_hold_out_of_its_group,
			a_possible_block_that_is_kept_is_reachable_and_all_it_leads_to},
		21);
}
