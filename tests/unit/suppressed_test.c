/*
 * suppressed_test.c - what suppressions keep, of heaps made by hand.
 */
#include "analyzer/analysis/lostblocks.h"
#include "tests/unit/suppress_fixture.h"

#define BASE 0x7f0000010000ull
#define B(i) (BASE + (i)*0x1000ull)
enum { BYTES = 16 };

static struct hl_names *names;
static struct hl_heapgraph h;
static struct hl_calls calls;
static struct hl_suppressions supp;
static struct hl_suppressed found;
static struct hl_losses losses;
static struct hl_diag diag;

static void setup(void)
{
	names = hl_names_new();
	calls = (struct hl_calls){.names = names, .stacks = hl_stacks_new(names, NULL, NULL)};
}

static void teardown(void)
{
	hl_lost_release(&losses);
	hl_suppressed_release(&found);
	hl_suppressions_release(&supp);
	hl_stacks_free(calls.stacks);
	hl_heapgraph_release(&h);
	hl_names_free(names);
}

/* Blocks of 16 bytes, one a word of text: the function that allocated it; "~name": before the fork. */
static void blocks(const char *text)
{
	char *copy = strdup(text), *at = copy, *word;

	h = (struct hl_heapgraph){.graph = hl_graph_new(HL_HEURISTICS_ALL)};
	while ((word = strsep(&at, " "))) {
		int inherited = *word == '~';
		char chain[128];

		snprintf(chain, sizeof(chain), "%s < main", word + inherited);
		h.owner = hl_grow(h.owner, &h.owners_room, h.nowners + 1, sizeof(*h.owner));
		h.owner[h.nowners] = (struct hl_owner){.stack = make_chain(names, chain),
						       .entry = HL_ENTRY_MALLOC,
						       .inherited = (uint8_t)inherited};
		hl_graph_add_block(h.graph, B(h.nowners), BYTES, (uint32_t)h.nowners);
		h.nowners++;
	}
	free(copy);
	ck_assert_int_eq(hl_graph_sort(h.graph, &diag), 0);
}

/* "0>1 1>2": pointers between blocks, with ? to the middle; ">3": from a root. */
static void pointers(const char *text)
{
	char *copy = strdup(text), *at = copy, *word;
	unsigned used[16] = {0};

	while ((word = strsep(&at, " ")) && *word) {
		char *to = strpbrk(word, ">?");
		unsigned from = (unsigned)atoi(word);
		uint64_t value = B((unsigned)atoi(to + 1)) + (*to == '?' ? 4 : 0);

		if (to == word)
			hl_graph_add_root(h.graph, value, 0, -1, -1);
		else
			hl_graph_add_word(h.graph, B(from) + 8 * used[from]++, value, -1, -1);
	}
	free(copy);
	ck_assert_int_eq(hl_graph_solve(h.graph, &diag), 0);
}

static void suppress_by(const char *text, enum hl_suppress_pass pass, int reachable, int inherited)
{
	if (!supp.n)
		ck_assert_int_eq(hl_suppressions_parse(&supp, text, strlen(text), "s", &diag), 0);
	hl_suppressed_release(&found);
	ck_assert_int_eq(hl_suppressed_find(&found, &h, &calls, &supp, pass, reachable, inherited, &diag), 0);
}

static void suppress(const char *text)
{
	suppress_by(text, HL_SUPPRESS_COUNT, 0, 0);
}

/* A letter a block, "-" for one that is hidden. */
static const char *kinds(void)
{
	static char text[32];
	uint32_t n = hl_graph_nblocks(h.graph);

	for (uint32_t b = 0; b < n; b++) {
		enum hl_leak_kind kind = hl_graph_block(h.graph, b).kind;

		text[b] = hl_suppressed_hides(&found, b, kind) ? '-' : "DIPR"[kind];
	}
	text[n] = 0;
	return text;
}

static void find(unsigned which, int inherited)
{
	hl_lost_release(&losses);
	losses = (struct hl_losses){0};
	hl_lost_find(&losses, &h, &calls, which, inherited, &found);
}

START_TEST(what_only_suppressed_blocks_hold_is_no_leak)
{
	blocks("known inner inner lost");
	pointers("0>1 1>2");
	suppress("leak:known\n");
	ck_assert_str_eq(kinds(), "---D");
	ck_assert_uint_eq(supp.entry[0].blocks, 1);
	ck_assert_uint_eq(supp.entry[0].bytes, BYTES);
	find(1u << HL_LEAK_DEFINITE, 0);
	ck_assert_uint_eq(losses.suppressed_blocks, 3);
	ck_assert_uint_eq(losses.suppressed_bytes, 3 * BYTES);
	ck_assert_uint_eq(losses.blocks[HL_LEAK_DEFINITE], 1);
	ck_assert_uint_eq(losses.blocks[HL_LEAK_REACHABLE], 0);
	ck_assert_uint_eq(losses.n, 2);
	for (size_t i = 0; i < losses.n; i++) {
		ck_assert_uint_eq(losses.loss[i].blocks, 1);
		ck_assert_uint_eq(losses.loss[i].indirect_blocks, 0);
	}
	ck_assert_uint_eq(losses.loss[0].suppression + losses.loss[1].suppression, 1);
}
END_TEST

START_TEST(what_a_suppressed_block_holds_as_well_is_not_counted_with_another_head)
{
	blocks("lost known shared own");
	pointers("0>2 0>3 1>2");
	suppress("leak:known\n");
	ck_assert_str_eq(kinds(), "D--I");
	find(1u << HL_LEAK_DEFINITE, 0);
	ck_assert_uint_eq(losses.loss[0].indirect_blocks + losses.loss[1].indirect_blocks, 1);
}
END_TEST

START_TEST(a_matched_block_in_the_middle_takes_what_it_holds_out_of_the_group)
{
	blocks("lost known below other");
	pointers("0>1 1>2 0>3");
	suppress("leak:known\n");
	ck_assert_str_eq(kinds(), "D--I");
	ck_assert_uint_eq(supp.entry[0].blocks, 1);
}
END_TEST

START_TEST(a_ring_with_one_matched_member_is_gone_as_a_whole)
{
	blocks("a known c");
	pointers("0>1 1>2 2>0");
	suppress("leak:known\n");
	ck_assert_str_eq(kinds(), "---");
}
END_TEST

START_TEST(each_suppression_counts_what_it_matched_itself_the_first_that_matches)
{
	blocks("one two one both");
	pointers("0>1 1>2");
	suppress("leak:one\nleak:two\nleak:nobody\nleak:main\n");
	ck_assert_str_eq(kinds(), "----");
	ck_assert_uint_eq(supp.entry[0].blocks, 2);
	ck_assert_uint_eq(supp.entry[1].blocks, 1);
	ck_assert_uint_eq(supp.entry[2].blocks, 0);
	ck_assert_uint_eq(supp.entry[3].blocks, 1);
}
END_TEST

START_TEST(a_possible_block_is_matched_and_what_it_leads_to_hidden)
{
	blocks("known below other");
	pointers("?0 0>1 0?2");
	ck_assert_str_eq(kinds(), "PPP");
	suppress("leak:known\n");
	/* a pointer to the middle leads to the last one as before */
	ck_assert_str_eq(kinds(), "--P");
}
END_TEST

START_TEST(what_is_reachable_is_matched_only_when_that_is_asked_for_and_keeps_nothing)
{
	blocks("known below");
	pointers(">0 0>1");
	suppress("leak:known\n");
	ck_assert_str_eq(kinds(), "RR");
	ck_assert_uint_eq(supp.entry[0].blocks, 0);
	suppress_by(NULL, HL_SUPPRESS_COUNT, 1, 0);
	ck_assert_str_eq(kinds(), "-R");
	ck_assert_uint_eq(supp.entry[0].blocks, 1);
	find(1u << HL_LEAK_REACHABLE, 0);
	ck_assert_uint_eq(losses.suppressed_blocks, 1);
	ck_assert_uint_eq(losses.blocks[HL_LEAK_REACHABLE], 1);
}
END_TEST

START_TEST(inherited_blocks_are_kept_and_count_for_nothing)
{
	blocks("~known own known");
	pointers("0>1");
	suppress("leak:known\n");
	ck_assert_str_eq(kinds(), "---");
	ck_assert_uint_eq(supp.entry[0].blocks, 1);
	find(1u << HL_LEAK_DEFINITE, 0);
	ck_assert_uint_eq(losses.suppressed_blocks, 2);
}
END_TEST

START_TEST(an_entry_over_its_budget_hides_nothing_the_second_time_and_keeps_its_count)
{
	blocks("known known below other");
	pointers("0>2");
	suppress("# heapledger: max=1 blocks\nleak:known\nleak:other\nleak:main\n");
	ck_assert_str_eq(kinds(), "----");
	ck_assert_uint_eq(supp.entry[0].blocks, 2);
	/* the graph has them for kept now: another one, as if the trace were read again */
	hl_heapgraph_release(&h);
	blocks("known known below other");
	pointers("0>2");
	suppress_by(NULL, HL_SUPPRESS_BUDGET, 0, 0);
	ck_assert_str_eq(kinds(), "DD--");
	ck_assert_uint_eq(supp.entry[0].blocks, 2);
	ck_assert_uint_eq(supp.entry[2].blocks, 1);
}
END_TEST

START_TEST(kinds_of_valgrinds_entries_are_those_before_anything_was_kept)
{
	blocks("known known other");
	pointers("0>1 2>1");
	suppress("{\n indirect ones\n Memcheck:Leak\n match-leak-kinds: indirect\n fun:known\n}\n");
	ck_assert_str_eq(kinds(), "D-D");
	find(1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_INDIRECT, 0);
	ck_assert_uint_eq(losses.n, 3);
	ck_assert_int_eq(losses.loss[2].kind, HL_LEAK_INDIRECT);
	ck_assert_uint_eq(losses.loss[2].suppression, 1);
}
END_TEST

START_TEST(a_block_that_becomes_a_head_is_looked_at_again)
{
	/* a lost pool takes its objects along; when the first is kept the second is a head of its own */
	h = (struct hl_heapgraph){.graph = hl_graph_new(HL_HEURISTICS_ALL)};
	h.owner = hl_xcalloc(3, sizeof(*h.owner));
	h.nowners = 3;
	for (unsigned i = 0; i < 3; i++)
		h.owner[i] = (struct hl_owner){
			.stack = make_chain(names, (const char *[]){"pool", "first", "second"}[i]),
			.entry = HL_ENTRY_MALLOC};
	hl_graph_add_block(h.graph, B(0), 0x100, 0);
	hl_graph_add_block(h.graph, B(0) + 0x20, 32, 1);
	hl_graph_add_block(h.graph, B(0) + 0x40, 32, 2);
	ck_assert_int_eq(hl_graph_sort(h.graph, &diag), 0);
	pointers("");
	ck_assert_str_eq(kinds(), "DII");
	suppress("{\n a\n Memcheck:Leak\n fun:first\n}\n"
		 "{\n b\n Memcheck:Leak\n match-leak-kinds: definite\n fun:second\n}\n");
	ck_assert_str_eq(kinds(), "---");
	ck_assert_uint_eq(supp.entry[1].blocks, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("suppressed");
	TCase *t = tcase_create("suppressed");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_only_suppressed_blocks_hold_is_no_leak);
	tcase_add_test(t, what_a_suppressed_block_holds_as_well_is_not_counted_with_another_head);
	tcase_add_test(t, a_matched_block_in_the_middle_takes_what_it_holds_out_of_the_group);
	tcase_add_test(t, a_ring_with_one_matched_member_is_gone_as_a_whole);
	tcase_add_test(t, each_suppression_counts_what_it_matched_itself_the_first_that_matches);
	tcase_add_test(t, a_possible_block_is_matched_and_what_it_leads_to_hidden);
	tcase_add_test(t, what_is_reachable_is_matched_only_when_that_is_asked_for_and_keeps_nothing);
	tcase_add_test(t, inherited_blocks_are_kept_and_count_for_nothing);
	tcase_add_test(t, an_entry_over_its_budget_hides_nothing_the_second_time_and_keeps_its_count);
	tcase_add_test(t, kinds_of_valgrinds_entries_are_those_before_anything_was_kept);
	tcase_add_test(t, a_block_that_becomes_a_head_is_looked_at_again);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
