/*
 * decode_test.c - records to events: what the encoder writes comes back, and nothing else crashes.
 */
#include "analyzer/input/decode.h"
#include "tests/unit/encode.h"
#include <check.h>
#include <stdlib.h>

#define NNODES 1000u

static uint64_t seed = 7;

static uint64_t pick(uint64_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 20) % n;
}

static struct encode enc;

/* The next event of d, which must be there. */
static struct hl_event next(struct hl_decoder *d)
{
	struct hl_event e = {0};

	ck_assert_int_eq(hl_decode_event(d, &e), 1);
	return e;
}

static struct hl_decoder start(void)
{
	static struct hl_decoder d;

	hl_decode_init(&d, NNODES);
	hl_decode_claim(&d, enc.base_stamp, 0);
	hl_decode_chunk(&d, enc.data, enc.n);
	return d;
}

static struct hl_event random_event(uint64_t stamp)
{
	static const uint64_t bases[] = {0x55550000, 0x7fff12345000, 0xfffffffffffff000, 0x8000000000000003};
	struct hl_event e = {.stamp = stamp, .type = pick(2) ? HL_EV_ALLOC : HL_EV_FREE};

	e.address = bases[pick(8) ? pick(2) : pick(4)] + pick(400) * (pick(9) ? 16 : 1);
	if (e.type == HL_EV_ALLOC) {
		e.entry = (uint8_t)pick(HL_ENTRY_MMAP);
		e.size = pick(5) ? pick(40) * 8 : pick(UINT64_MAX);
		e.stack = (uint32_t)pick(NNODES);
	} else {
		e.entry = pick(2) ? HL_ENTRY_FREE : HL_ENTRY_DELETE;
	}
	return e;
}

static void encode_event(const struct hl_event *e)
{
	if (e->type == HL_EV_ALLOC)
		encode_alloc(&enc, e->stamp, e->entry, e->address, e->size, e->stack);
	else
		encode_free(&enc, e->stamp, e->address, e->entry == HL_ENTRY_DELETE);
}

START_TEST(random_allocs_and_frees_come_back_as_they_were_recorded)
{
	static struct hl_event model[HL_SLOT_ROOM];

	for (int round = 0; round < 50; round++) {
		uint64_t stamp = pick(1ull << 40);
		size_t n = 0;
		struct hl_decoder d;
		struct hl_event e;

		encode_start(&enc, stamp);
		while (encode_room(&enc)) {
			stamp += pick(6) ? pick(20) : pick(1ull << 34);
			model[n] = random_event(stamp);
			encode_event(&model[n++]);
		}
		d = start();
		for (size_t i = 0; i < n; i++) {
			e = next(&d);
			ck_assert_uint_eq(e.type, model[i].type);
			ck_assert_uint_eq(e.stamp, model[i].stamp);
			ck_assert_uint_eq(e.address, model[i].address);
			ck_assert_uint_eq(e.entry, model[i].entry);
			ck_assert_uint_eq(e.domain, HL_DOMAIN_HEAP);
			if (e.type == HL_EV_ALLOC) {
				ck_assert_uint_eq(e.size, model[i].size);
				ck_assert_uint_eq(e.stack, model[i].stack);
			}
		}
		ck_assert_int_eq(hl_decode_event(&d, &e), 0);
	}
}
END_TEST

START_TEST(a_claim_goes_on_across_its_chunks)
{
	struct hl_decoder d;
	struct hl_event e = {0};
	size_t cut;

	encode_start(&enc, 100);
	encode_alloc(&enc, 101, HL_ENTRY_MALLOC, 0x5000, 24, 3);
	cut = enc.n;
	encode_free(&enc, 102, 0x5000, 0);
	encode_alloc(&enc, 103, HL_ENTRY_MALLOC, 0x5000, 24, 3);
	/* the caches make the second half short, and useless alone */
	ck_assert_uint_eq(enc.n - cut, 2 + 3);
	hl_decode_init(&d, NNODES);
	hl_decode_claim(&d, 100, 0);
	hl_decode_chunk(&d, enc.data, cut);
	e = next(&d);
	ck_assert_int_eq(hl_decode_event(&d, &e), 0);
	hl_decode_chunk(&d, enc.data + cut, enc.n - cut);
	e = next(&d);
	ck_assert_uint_eq(e.address, 0x5000);
	e = next(&d);
	ck_assert_uint_eq(e.stamp, 103);
	ck_assert_uint_eq(e.size, 24);
	ck_assert_uint_eq(e.stack, 3);
}
END_TEST

START_TEST(an_alloc_by_realloc_completes_the_open_release_and_only_one)
{
	struct hl_decoder d;
	struct hl_event e;

	encode_start(&enc, 0);
	encode_alloc(&enc, 1, HL_ENTRY_REALLOC, 0x1000, 8, 1); /* realloc(NULL, 8) */
	encode_release(&enc, 2, 0x1000);
	encode_alloc(&enc, 3, HL_ENTRY_REALLOC, 0x2000, 16, 1);
	encode_alloc(&enc, 4, HL_ENTRY_REALLOC, 0x3000, 16, 1);
	encode_release(&enc, 5, 0x2000);
	encode_restore(&enc, 6);
	encode_release(&enc, 7, 0x2000);
	encode_drop(&enc, 8);
	encode_drop(&enc, 9); /* its release was lost: says nothing */
	encode_release(&enc, 10, 0x3000);
	encode_op_alloc(&enc, 11, HL_DOMAIN_HEAP, HL_ENTRY_REALLOC, 0x4000, 5, 2);
	d = start();
	ck_assert_uint_eq(next(&d).type, HL_EV_ALLOC);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_RELEASE);
	ck_assert_uint_eq(e.address, 0x1000);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_REALLOC);
	ck_assert_uint_eq(e.address, 0x2000);
	ck_assert_uint_eq(e.old_address, 0x1000);
	ck_assert_uint_eq(next(&d).type, HL_EV_ALLOC);
	next(&d);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_RESTORE);
	ck_assert_uint_eq(e.address, 0x2000);
	next(&d);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_DROP);
	ck_assert_uint_eq(e.address, 0x2000);
	ck_assert_uint_eq(next(&d).type, HL_EV_RELEASE);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_REALLOC);
	ck_assert_uint_eq(e.old_address, 0x3000);
	ck_assert_uint_eq(e.address, 0x4000);
	ck_assert_int_eq(hl_decode_event(&d, &e), 0);
}
END_TEST

START_TEST(an_open_release_survives_into_the_next_claim_but_not_over_a_gap)
{
	struct hl_decoder d;

	for (int follows = 0; follows < 2; follows++) {
		struct encode first;

		encode_start(&first, 0);
		encode_release(&first, 1, 0x1000);
		encode_start(&enc, 10);
		encode_alloc(&enc, 11, HL_ENTRY_REALLOC, 0x2000, 8, 1);
		hl_decode_init(&d, NNODES);
		hl_decode_claim(&d, 0, 0);
		hl_decode_chunk(&d, first.data, first.n);
		next(&d);
		hl_decode_claim(&d, 10, follows);
		hl_decode_chunk(&d, enc.data, enc.n);
		ck_assert_uint_eq(next(&d).type, follows ? HL_EV_REALLOC : HL_EV_ALLOC);
	}
}
END_TEST

START_TEST(the_rare_events_come_back_with_all_their_fields)
{
	struct hl_decoder d;
	struct hl_event e;

	encode_start(&enc, 5);
	encode_op_alloc(&enc, 6, HL_DOMAIN_POOL, HL_ENTRY_POOL, UINT64_MAX, 1ull << 63, 9);
	encode_op_free(&enc, 7, HL_DOMAIN_POOL, HL_ENTRY_DELETE_ARRAY, 0xdead1);
	encode_map(&enc, 1000, 0x7000, 0x3000, 12);
	encode_unmap(&enc, 1001, 0x8000, 0x1000);
	encode_mark(&enc, 1002, HL_MARK_COMMAND, "before");
	ENCODE_NUMBERS(&enc, HL_FACT_SYNC, 1);
	encode_alloc(&enc, 1003, HL_ENTRY_NEW, 0x10, 1, NNODES); /* a node that nobody recorded */
	d = start();
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_ALLOC);
	ck_assert_uint_eq(e.domain, HL_DOMAIN_POOL);
	ck_assert_uint_eq(e.entry, HL_ENTRY_POOL);
	ck_assert_uint_eq(e.address, UINT64_MAX);
	ck_assert_uint_eq(e.size, 1ull << 63);
	ck_assert_uint_eq(e.stack, 9);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_FREE);
	ck_assert_uint_eq(e.entry, HL_ENTRY_DELETE_ARRAY);
	ck_assert_uint_eq(e.address, 0xdead1);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_MAP_RANGE);
	ck_assert_uint_eq(e.domain, HL_DOMAIN_MMAP);
	ck_assert_uint_eq(e.stamp, 1000);
	ck_assert_uint_eq(e.address, 0x7000);
	ck_assert_uint_eq(e.size, 0x3000);
	ck_assert_uint_eq(e.stack, 12);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_FREE_RANGE);
	ck_assert_uint_eq(e.address, 0x8000);
	ck_assert_uint_eq(e.size, 0x1000);
	e = next(&d);
	ck_assert_uint_eq(e.type, HL_EV_MARK);
	ck_assert_uint_eq(e.mark, HL_MARK_COMMAND);
	ck_assert_uint_eq(e.size, 6);
	ck_assert_mem_eq(e.label, "before", 6);
	e = next(&d);
	ck_assert_uint_eq(e.stack, NNODES - 1);
	ck_assert_uint_eq(e.entry, HL_ENTRY_NEW);
	ck_assert_int_eq(hl_decode_event(&d, &e), 0);
}
END_TEST

/* Every record kind once or more, facts among them. */
static void encode_all_kinds(void)
{
	uint64_t stamp = 50;

	encode_start(&enc, stamp);
	for (int i = 0; i < 40; i++) {
		struct hl_event e = random_event(stamp += pick(40));

		encode_event(&e);
	}
	encode_node(&enc, 5, 2, 0x400123, HL_NODE_EXACT);
	encode_op_alloc(&enc, ++stamp, HL_DOMAIN_MMAP, HL_ENTRY_MMAP, 0x9000, 300, 4);
	encode_call(&enc, ++stamp, 300);
	encode_op_free(&enc, ++stamp, HL_DOMAIN_HEAP, HL_ENTRY_FREE, 0x9000);
	encode_module(&enc, 1, 0, 0x1000, 0x2000, 0, "/lib/a.so", "0123456789", 10);
	encode_op_alloc(&enc, ++stamp, HL_DOMAIN_HEAP, HL_ENTRY_MALLOC, 0x5550, 300, 4);
	encode_release(&enc, ++stamp, enc.address);
	encode_restore(&enc, ++stamp);
	encode_release(&enc, ++stamp, enc.address + 32);
	encode_drop(&enc, ++stamp);
	encode_map(&enc, ++stamp, 0x7000, 0x3000, 12);
	encode_unmap(&enc, ++stamp, 0x8000, 0x1000);
	encode_mark(&enc, ++stamp, HL_MARK_API, "label");
	encode_name(&enc, 3, "worker", stamp);
}

/* Decode [data, data + n) as events and as facts, each to its end. */
static void decode_anything(const uint8_t *data, size_t n, size_t *events, size_t *facts, int *damaged)
{
	struct hl_decoder d;
	struct hl_event e;
	struct hl_fact_reader r = {data, data + n};
	struct hl_fact_record f;
	int got;

	*events = *facts = 0;
	hl_decode_init(&d, NNODES);
	hl_decode_claim(&d, 0, 0);
	hl_decode_chunk(&d, data, n);
	while ((got = hl_decode_event(&d, &e)) > 0) {
		ck_assert_uint_lt(e.stack, NNODES);
		ck_assert_uint_le(e.domain, HL_DOMAIN_POOL);
		ck_assert_uint_lt(e.entry, HL_ENTRY_COUNT);
		++*events;
	}
	*damaged = got < 0;
	while ((got = hl_decode_fact(&r, &f)) > 0) {
		ck_assert(f.at <= f.end && f.end <= data + n);
		++*facts;
	}
}

START_TEST(a_call_is_of_the_next_end_of_a_block_only)
{
	struct hl_decoder d;

	encode_start(&enc, 5);
	encode_call(&enc, 6, 7);
	encode_alloc(&enc, 7, HL_ENTRY_MALLOC, 0x10, 1, 3);
	encode_free(&enc, 7, 0x10, 0);
	encode_free(&enc, 8, 0x20, 1);
	encode_call(&enc, 9, NNODES);
	encode_release(&enc, 9, 0x30);
	encode_call(&enc, 10, 4);
	encode_unmap(&enc, 10, 0x8000, 0x1000);
	encode_call(&enc, 11, 5);
	d = start();
	ck_assert_uint_eq(next(&d).stack, 3);
	ck_assert_uint_eq(next(&d).stack, 7);
	ck_assert_uint_eq(next(&d).stack, 0);
	ck_assert_uint_eq(next(&d).stack, NNODES - 1);
	ck_assert_uint_eq(next(&d).stack, 4);
	/* what it was for is in another claim: it says nothing there */
	encode_start(&enc, 12);
	encode_free(&enc, 13, 0x10, 0);
	hl_decode_claim(&d, 12, 1);
	hl_decode_chunk(&d, enc.data, enc.n);
	ck_assert_uint_eq(next(&d).stack, 0);
}
END_TEST

START_TEST(the_facts_pass_and_the_events_pass_step_over_each_other_exactly)
{
	size_t events, facts;
	int damaged;

	encode_all_kinds();
	decode_anything(enc.data, enc.n, &events, &facts, &damaged);
	ck_assert_int_eq(damaged, 0);
	ck_assert_uint_eq(events, 50);
	ck_assert_uint_eq(facts, 4);
}
END_TEST

START_TEST(a_claim_cut_at_any_byte_or_with_any_bit_wrong_ends_without_harm)
{
	size_t events, facts, all;
	int damaged, clean = 0;
	uint8_t *copy;

	encode_all_kinds();
	for (size_t n = 0; n < enc.n; n++) {
		/* exactly n bytes, so that a sanitizer sees the first one too many */
		copy = malloc(n ? n : 1);
		memcpy(copy, enc.data, n);
		decode_anything(copy, n, &events, &facts, &damaged);
		ck_assert_uint_lt(events + facts, 54);
		clean += !damaged;
		free(copy);
	}
	/* no more clean ends than ends of records, the empty one among them */
	ck_assert_int_le(clean, 55);
	ck_assert_int_ge(clean, 50);
	copy = malloc(enc.n);
	all = enc.n;
	for (size_t bit = 0; bit < all * 8; bit++) {
		memcpy(copy, enc.data, all);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		decode_anything(copy, all, &events, &facts, &damaged);
		ck_assert_uint_le(events + facts, all);
	}
	free(copy);
}
END_TEST

START_TEST(what_no_record_may_say_is_damage)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t n;
	} bad[] = {
		{"event of no known kind", {63 << 2 | HL_TAG_EVENT, 0}, 2},
		{"event of kind 0", {HL_TAG_EVENT, 0}, 2},
		{"alloc in no known domain", {HL_OP_ALLOC << 2 | HL_TAG_EVENT, 0, 3, 0, 1, 1, 1}, 7},
		{"alloc by an entry of frees", {HL_OP_ALLOC << 2 | HL_TAG_EVENT, 0, 0, 8, 1, 1, 1}, 7},
		{"free by an entry of allocs", {HL_OP_FREE << 2 | HL_TAG_EVENT, 0, 0, 0, 1}, 5},
		{"free by no known entry", {HL_OP_FREE << 2 | HL_TAG_EVENT, 0, 0, 11, 1}, 5},
		{"release with a flag that is none", {HL_OP_RELEASE << 2 | HL_TAG_EVENT, 0, 2, 1}, 4},
		{"mark for no known reason", {HL_OP_MARK << 2 | HL_TAG_EVENT, 0, 7, 0}, 4},
		{"mark longer than its claim", {HL_OP_MARK << 2 | HL_TAG_EVENT, 0, 1, 5, 'a'}, 5},
		{"fact longer than its claim", {HL_FACT_SYNC << 2 | HL_TAG_FACT, 9, 1}, 3},
		{"number of more than 64 bits",
		 {HL_TAG_FREE, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2},
		 11},
		{"stamp that passes 64 bits",
		 {HL_TAG_FREE | 0xf0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0},
		 12},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		size_t events, facts;
		int damaged;

		decode_anything(bad[i].bytes, bad[i].n, &events, &facts, &damaged);
		ck_assert_msg(damaged && !events, "%s", bad[i].what);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("decode");
	TCase *t = tcase_create("decode");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, random_allocs_and_frees_come_back_as_they_were_recorded);
	tcase_add_test(t, a_claim_goes_on_across_its_chunks);
	tcase_add_test(t, an_alloc_by_realloc_completes_the_open_release_and_only_one);
	tcase_add_test(t, an_open_release_survives_into_the_next_claim_but_not_over_a_gap);
	tcase_add_test(t, the_rare_events_come_back_with_all_their_fields);
	tcase_add_test(t, a_call_is_of_the_next_end_of_a_block_only);
	tcase_add_test(t, the_facts_pass_and_the_events_pass_step_over_each_other_exactly);
	tcase_add_test(t, a_claim_cut_at_any_byte_or_with_any_bit_wrong_ends_without_harm);
	tcase_add_test(t, what_no_record_may_say_is_damage);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
