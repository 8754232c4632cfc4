/*
 * graph_index_test.c - sorting blocks and finding them by address, against qsort and a look at all of them.
 */
#include "analyzer/analysis/graph_sort.h"
#include "analyzer/base/diag.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define N 20000

static uint64_t seed = 7;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint32_t pick(uint32_t n)
{
	return (uint32_t)((random64() >> 32) * n >> 32);
}

static int by_address_size_and_order(const void *a, const void *b)
{
	const struct hl_block_in *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return (x->user > y->user) - (x->user < y->user);
}

/* Sorted, and as qsort does it. */
static struct hl_block_in *sorted(struct hl_block_in *b, size_t n)
{
	struct hl_block_in *want = hl_xmalloc(n * sizeof(*want));

	for (size_t i = 0; i < n; i++)
		b[i].user = (uint32_t)i;
	memcpy(want, b, n * sizeof(*want));
	qsort(want, n, sizeof(*want), by_address_size_and_order);
	hl_blocks_sort(&b, n);
	for (size_t i = 0; i < n; i++)
		if (b[i].address != want[i].address || b[i].size != want[i].size || b[i].user != want[i].user)
			ck_abort_msg("block %zu", i);
	free(want);
	return b;
}

START_TEST(blocks_are_sorted_by_address_then_outer_ones_first_then_as_they_came)
{
	/* all of an address's bits, few addresses with few sizes, sorted already, one address */
	for (unsigned style = 0; style < 5; style++) {
		struct hl_block_in *b = hl_xcalloc(N, sizeof(*b));

		for (unsigned i = 0; i < N; i++) {
			b[i].address =
				(uint64_t[]){random64(), pick(3000) * 16, i * 16, i / 3 * 16, 64}[style];
			b[i].size = style ? pick(5) * 100 : random64();
		}
		free(sorted(b, N));
	}
}
END_TEST

static void check_look_up(struct hl_index *x, uint64_t address)
{
	uint32_t expected = 0;

	while (expected < x->n && x->spans[expected].address <= address)
		expected += expected + 256 < x->n && x->spans[expected + 256].address <= address ? 256 : 1;
	for (unsigned again = 0; again < 2; again++) {
		int starts = 0;
		uint32_t begun = hl_index_begin(x, address), b = hl_index_find_in(x, begun, address, &starts);
		const struct hl_index_chunk *chunk = begun ? &x->chunks[begun - 1] : NULL;

		if (b != expected - 1)
			ck_abort_msg("address %lx of %u: %u, not %u", address, x->n, b, expected - 1);
		if (starts && x->spans[b].address != address)
			ck_abort_msg("no block starts at %lx", address);
		/* where there is a table, all that are alone in their 16 bytes are known for certain */
		if (!starts && b < x->n && x->spans[b].address == address && chunk && chunk->n >= 16 &&
		    !x->kibs[chunk->table + (address >> 10 & 63)].odd)
			ck_abort_msg("a block starts at %lx", address);
	}
}

START_TEST(the_last_block_that_starts_before_an_address_is_found_at_once)
{
	/* crowded, scattered over everything, odd addresses, shared starts, stretches far from each other */
	for (unsigned style = 0; style < 5; style++) {
		struct hl_block_in *b = hl_xcalloc(N, sizeof(*b));
		struct hl_graph_span *spans = hl_xcalloc(N, sizeof(*spans));
		uint64_t at = 0x7f0000000000;
		struct hl_index x;

		for (unsigned i = 0; i < N; i++) {
			at += (uint64_t[]){16 + pick(8) * 16, 0, 1 + pick(90), pick(3) * 16,
					   i % 500 ? 16 + pick(20) * 16 : 1u << 30}[style];
			b[i].address = style == 1 ? random64() : at;
		}
		b = sorted(b, N);
		for (unsigned i = 0; i < N; i++)
			spans[i] = (struct hl_graph_span){b[i].address, 0};
		hl_index_init(&x, spans, N);
		for (unsigned i = 0; i < 3000; i++) {
			uint64_t near = spans[pick(N)].address;

			check_look_up(&x, near);
			check_look_up(&x, near + pick(64));
			check_look_up(&x, near - pick(64));
			check_look_up(&x, near + pick(1u << 31));
			check_look_up(&x, random64() / 2);
		}
		hl_index_release(&x);
		free(b);
		free(spans);
	}
}
END_TEST

START_TEST(the_index_does_not_grow_with_what_is_asked)
{
	static const struct hl_graph_span one = {0x100000, 16};
	struct hl_index x;

	hl_index_init(&x, &one, 1);
	for (uint64_t i = 0; i < 100000; i++)
		ck_assert(hl_index_find(&x, i << 16) == (i < 16 ? UINT32_MAX : 0));
	ck_assert_uint_le(x.nchunks, 5000);
	hl_index_release(&x);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("graph index");
	TCase *t = tcase_create("graph index");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, blocks_are_sorted_by_address_then_outer_ones_first_then_as_they_came);
	tcase_add_test(t, the_last_block_that_starts_before_an_address_is_found_at_once);
	tcase_add_test(t, the_index_does_not_grow_with_what_is_asked);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
