/*
 * columns_test.c - records to columns and back: nothing is lost, and no input does harm.
 */
#include "analyzer/base/columns.h"
#include "analyzer/base/crc32c.h"
#include "analyzer/collect/pace.h"
#include "analyzer/input/decode.h"
#include "tests/unit/tracefile.h"
#include "heapledger/tracefile.h"

static struct encode enc;
static struct hl_packer *packer;
static struct hl_unpacker *unpacker;
static uint8_t packed[HL_SLOT_ROOM];
static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % n);
}

static void setup(void)
{
	make_dir();
	packer = hl_packer_new();
	unpacker = hl_unpacker_new();
	seed = 1;
	encode_start(&enc, 100);
}

static void teardown(void)
{
	hl_packer_free(packer);
	hl_unpacker_free(unpacker);
	remove_dir();
}

/* Unpacked into exactly that much memory, so that a byte too many is found. */
static int unpack(const uint8_t *p, size_t n, size_t bytes, uint8_t **records)
{
	uint8_t *copy = malloc(n ? n : 1);
	int ok;

	memcpy(copy, p, n);
	*records = malloc(bytes ? bytes : 1);
	ok = hl_unpacker_unpack(unpacker, copy, n, *records, bytes);
	free(copy);
	return ok;
}

/* 0: refused.  Else it came back as it was; *packed has it. */
static size_t round_trip(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1), *records;
	size_t stored;

	memcpy(exact, data, n);
	stored = hl_packer_pack(packer, exact, n, packed, sizeof(packed));
	ck_assert_uint_le(stored, sizeof(packed));
	if (stored) {
		ck_assert_int_eq(unpack(packed, stored, n, &records), 1);
		ck_assert_mem_eq(records, data, n);
		free(records);
	}
	free(exact);
	return stored;
}

/* A record of each kind. */
static void every_kind(uint64_t stamp)
{
	static const uint64_t sites[] = {7, 300, 70000, 5};

	encode_hello(&enc, 1, 1001, 100, "/bin/prog", "prog\0-x", 8);
	encode_module(&enc, 1, 0, 0x400000, 0x500000, 0, "/bin/prog", "buildid", 7);
	encode_chain(&enc, 5, 0, 4, sites);
	encode_chain(&enc, 9, 8, 0, sites);
	encode_alloc(&enc, stamp += 1000, HL_ENTRY_NEW, 0x1010, 24, 8);
	encode_free(&enc, ++stamp, 0x1010, 1);
	encode_release(&enc, ++stamp, 0x1010);
	encode_restore(&enc, stamp);
	encode_release(&enc, ++stamp, 0x2008);
	encode_drop(&enc, ++stamp);
	encode_op(&enc, HL_OP_DROP_TEMPORARY, ++stamp);
	encode_op_alloc(&enc, ++stamp, HL_DOMAIN_POOL, HL_ENTRY_POOL, 0x1000, 8, 1);
	encode_op_free(&enc, ++stamp, HL_DOMAIN_POOL, HL_ENTRY_FREE, 0x1000);
	encode_op_free(&enc, ++stamp, HL_DOMAIN_HEAP, HL_ENTRY_DELETE_ARRAY, 0x7fff12345670);
	encode_map(&enc, ++stamp, 0x7000, 0x5000, 1);
	encode_unmap(&enc, ++stamp, 0x8000, 0x1000);
	encode_mark(&enc, ++stamp, HL_MARK_API, "label");
	encode_op(&enc, HL_OP_THREAD, ++stamp);
	encode_uv(&enc, 3);
	encode_call(&enc, ++stamp, 77);
	encode_free(&enc, stamp, 0x3000, 1);
	encode_alloc(&enc, ++stamp, HL_ENTRY_MALLOC, 0, 0, 0);
	encode_free(&enc, ++stamp, 0, 0);
	encode_alloc(&enc, UINT64_MAX, HL_ENTRY_MALLOC, UINT64_MAX - 15, UINT64_MAX, UINT32_MAX);
}

/* Events as of a program with some structure, until the claim is full. */
static void program(unsigned addresses, unsigned stacks)
{
	uint64_t stamp = 100, live[64] = {0}, node = 1;

	while (encode_room(&enc)) {
		unsigned k = rnd(64), how = rnd(100);
		uint64_t a = 0x5500000000 + 16ull * rnd(addresses), site = rnd(50);

		stamp += how < 30 ? 0 : rnd(how < 95 ? 20 : 100000);
		if (how == 99) {
			encode_chain(&enc, node, node - 1, 1, &site);
			node++;
		} else if (how == 98) {
			encode_op_free(&enc, stamp, HL_DOMAIN_HEAP, HL_ENTRY_DELETE_ARRAY, a);
		} else if (how == 97) {
			encode_release(&enc, stamp, a);
		} else if (live[k]) {
			encode_free(&enc, stamp, live[k], how & 1);
			live[k] = 0;
		} else {
			live[k] = a;
			encode_alloc(&enc, stamp, how & 7, a, 8ull * rnd(20),
				     how < 10 ? node - 1 : rnd(stacks));
		}
	}
}

START_TEST(every_kind_of_record_comes_back)
{
	every_kind(100);
	ck_assert_uint_gt(round_trip(enc.data, enc.n), 0);
	encode_start(&enc, 100);
	every_kind(100);
	enc.stamp = 100;
	for (int i = 0; i < 20; i++) {
		every_kind(200);
		enc.stamp = 100;
	}
	ck_assert_uint_gt(round_trip(enc.data, enc.n), 0);
	ck_assert_uint_lt(round_trip(enc.data, enc.n), enc.n / 2);
}
END_TEST

START_TEST(programs_come_back_and_are_shorter)
{
	static const unsigned addresses[] = {10, 100, 300, 3000, 1000000}, stacks[] = {1, 20, 2000};

	for (unsigned i = 0; i < 15; i++) {
		size_t n;

		encode_start(&enc, 100);
		program(addresses[i / 3], stacks[i % 3]);
		n = round_trip(enc.data, enc.n);
		ck_assert_uint_gt(n, 0);
		ck_assert_uint_lt(n, enc.n);
	}
	/* one block again and again: nothing but guesses that come true */
	encode_start(&enc, 100);
	for (uint64_t s = 101; encode_room(&enc); s++) {
		encode_alloc(&enc, s, HL_ENTRY_MALLOC, 0x1000, 48, 1);
		encode_free(&enc, s, 0x1000, 0);
	}
	ck_assert_uint_lt(round_trip(enc.data, enc.n), 200);
}
END_TEST

/* What the format allows to be written in two ways is written in one by the recorder. */
START_TEST(what_would_come_back_in_another_form_is_refused)
{
	static const uint8_t long_varint[] = {HL_TAG_FREE, 0x80, 0x00};
	static const uint8_t hit_of_nothing[] = {HL_TAG_FREE | HL_TAG_HIT, 9};
	static const uint8_t site_of_nothing[] = {HL_TAG_ALLOC | HL_TAG_SITE, 2, 9};
	static const uint8_t hit_not_taken[] = {HL_TAG_FREE, 2, HL_TAG_FREE, 0};
	static const uint8_t odd_but_even[] = {HL_TAG_FREE, 32 << 1 | 1};
	static const uint8_t unknown_op[] = {HL_TAG_EVENT | 20 << 2, 0};
	static const uint8_t no_op[] = {HL_TAG_EVENT};
	static const uint8_t flag[] = {HL_TAG_EVENT | HL_OP_RELEASE << 2, 1, 2, 0};
	static const uint8_t long_length[] = {HL_TAG_FACT | HL_FACT_SYNC << 2, 0x81, 0, 1};
	static const uint8_t cut_chain[] = {HL_TAG_FACT | HL_FACT_CHAIN << 2, 3, 1, 1, 0x80};
#define REFUSED(what) ck_assert_uint_eq(round_trip(what, sizeof(what)), 0)
	REFUSED(long_varint);
	REFUSED(hit_of_nothing);
	REFUSED(site_of_nothing);
	REFUSED(hit_not_taken);
	REFUSED(odd_but_even);
	REFUSED(unknown_op);
	REFUSED(no_op);
	REFUSED(flag);
	REFUSED(long_length);
	REFUSED(cut_chain);
#undef REFUSED
	every_kind(100);
	for (size_t n = 1; n < enc.n; n++) {
		size_t stored = round_trip(enc.data, n); /* whole records or refused */

		ck_assert_uint_le(stored, n + 32);
	}
}
END_TEST

/* The recorder may write the length of a chain in two bytes that needs one. */
START_TEST(a_wide_chain_comes_back)
{
	static const uint8_t wide[] = {HL_TAG_FACT | HL_FACT_CHAIN << 2, 0x83, 0, 1, 1, 5};

	ck_assert_uint_gt(round_trip(wide, sizeof(wide)), 0);
}
END_TEST

START_TEST(damaged_records_come_back_or_are_refused)
{
	unsigned kept = 0;

	for (unsigned round = 0; round < 3000; round++) {
		uint8_t *data = enc.data;

		if (round % 100 == 0) {
			encode_start(&enc, 100);
			every_kind(100);
			enc.stamp = 100;
			while (enc.n < 2000)
				encode_alloc(&enc, 200 + enc.n, rnd(8), 16ull * rnd(300), rnd(99), rnd(99));
		}
		/* one wrong byte for another: it would all be refused soon */
		size_t at = rnd((uint32_t)enc.n);
		uint8_t was = data[at];

		data[at] = (uint8_t)rnd(256);
		kept += round_trip(data, enc.n) != 0;
		data[at] = was;
	}
	ck_assert_uint_gt(kept, 0);
	ck_assert_uint_lt(kept, 3000);
}
END_TEST

START_TEST(damaged_columns_give_records_or_an_error)
{
	uint8_t copy[2048], facts[2048], *records;
	size_t n, got, whole = 0;

	every_kind(100);
	every_kind(enc.stamp = 100);
	n = round_trip(enc.data, enc.n);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_le(n, sizeof(copy));
	for (size_t bit = 0; bit < n * 8; bit++) {
		memcpy(copy, packed, n);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		whole += (size_t)unpack(copy, n, enc.n, &records);
		free(records);
		if (hl_unpacker_facts(unpacker, copy, n, facts, enc.n, &got))
			ck_assert_uint_le(got, enc.n);
	}
	ck_assert_uint_lt(whole, n * 8);
	for (size_t cut = 0; cut < n; cut++) {
		ck_assert_int_eq(unpack(packed, cut, enc.n, &records), 0);
		free(records);
	}
	/* of another length than it had */
	for (size_t bytes = 0; bytes < 2 * enc.n; bytes++) {
		ck_assert_int_eq(unpack(packed, n, bytes, &records), bytes == enc.n);
		free(records);
	}
	for (unsigned round = 0; round < 20000; round++) {
		memcpy(copy, packed, n);
		for (unsigned i = rnd(4); i < 5; i++)
			copy[rnd((uint32_t)n)] = (uint8_t)rnd(256);
		unpack(copy, n, enc.n, &records);
		free(records);
	}
}
END_TEST

START_TEST(any_bytes_as_plain_columns_do_no_harm)
{
	uint8_t copy[4096], *records;
	unsigned opened = 0;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t *p = copy;
		size_t lengths[HL_COLUMNS];

		for (unsigned c = 0; c < HL_COLUMNS; c++) {
			lengths[c] = rnd(c == HL_COLUMN_OP ? 200 : 60);
			p = hl_put_uv(hl_put_uv(p, lengths[c]), lengths[c]);
		}
		for (unsigned c = 0; c < HL_COLUMNS; c++)
			while (lengths[c]--)
				*p++ = (uint8_t)(rnd(3) ? rnd(64) : rnd(256));
		opened += (unsigned)unpack(copy, (size_t)(p - copy), 300 + rnd(600), &records);
		free(records);
	}
	ck_assert_uint_lt(opened, 20000);
}
END_TEST

START_TEST(addresses_chosen_to_collide_are_packed_in_no_time)
{
	uint64_t a = 16;

	/* all in one chain of the model's table, which is found by the upper bits of this product */
	while (encode_room(&enc)) {
		while ((a >> 4) * 0x9e3779b97f4a7c15ull >> 52 != 77)
			a += 16;
		encode_free(&enc, 100, a, 0);
		a += 16;
	}
	for (int i = 0; i < 200; i++)
		ck_assert_uint_gt(hl_packer_pack(packer, enc.data, enc.n, packed, sizeof(packed)), 0);
	ck_assert_uint_gt(round_trip(enc.data, enc.n), 0);
}
END_TEST

START_TEST(facts_alone_are_those_among_the_events)
{
	static uint8_t facts[HL_SLOT_ROOM];
	struct hl_fact_reader all, few;
	struct hl_fact_record a, b;
	size_t n, got = 0;
	unsigned count = 0;

	every_kind(100);
	enc.stamp = 100;
	program(300, 20);
	n = round_trip(enc.data, enc.n);
	ck_assert_int_eq(hl_unpacker_facts(unpacker, packed, n, facts, enc.n, &got), 1);
	all = (struct hl_fact_reader){enc.data, enc.data + enc.n};
	few = (struct hl_fact_reader){facts, facts + got};
	while (hl_decode_fact(&all, &a) > 0) {
		ck_assert_int_eq(hl_decode_fact(&few, &b), 1);
		ck_assert_uint_eq(a.kind, b.kind);
		ck_assert_uint_eq(a.end - a.at, b.end - b.at);
		ck_assert_mem_eq(a.at, b.at, (size_t)(a.end - a.at));
		count++;
	}
	ck_assert_int_eq(hl_decode_fact(&few, &b), 0);
	ck_assert_uint_gt(count, 10);
}
END_TEST

/* A trace of one claim of a program; the header of its block. */
static struct hl_block_header write_claim(const char *name, enum hl_hurry hurry)
{
	struct hl_writer *w = make_trace(name, 1);
	struct hl_chunk c = {.stream = 4, .tid = 1, .base_stamp = 100, .data = enc.data, .hurry = hurry};
	struct hl_block_header b;
	struct hl_diag d = {0};
	uint8_t *file;
	size_t n;

	c.bytes = (uint32_t)enc.n;
	c.facts = enc.facts;
	ck_assert_int_eq(hl_writer_add(w, &c, &d), HL_OK);
	finish(w);
	file = slurp(in_dir(name), &n);
	memcpy(&b, file + sizeof(struct hl_file_header), sizeof(b));
	free(file);
	return b;
}

START_TEST(a_trace_in_columns_reads_as_one_without)
{
	static const char *const names[] = {"columns.hl", "zstd.hl"};
	struct hl_trace *t[2];
	struct hl_merge *m[2];
	struct hl_event a, b;
	unsigned events = 0;

	program(300, 20);
	ck_assert_uint_eq(write_claim(names[0], HL_HURRY_NONE).codec, HL_CODEC_COLUMNS);
	ck_assert_uint_eq(write_claim(names[1], HL_HURRY_SOME).codec, HL_CODEC_ZSTD);
	for (int i = 0; i < 2; i++) {
		t[i] = open_trace(names[i]);
		m[i] = hl_merge_new(t[i]);
	}
	while (hl_merge_next(m[0], &a)) {
		ck_assert_int_eq(hl_merge_next(m[1], &b), 1);
		ck_assert_uint_eq(a.stamp, b.stamp);
		ck_assert_uint_eq(a.address, b.address);
		ck_assert_uint_eq(a.size, b.size);
		ck_assert_uint_eq(a.stack, b.stack);
		ck_assert_uint_eq(a.type, b.type);
		events++;
	}
	ck_assert_int_eq(hl_merge_next(m[1], &b), 0);
	ck_assert_uint_gt(events, 1000);
	ck_assert_uint_eq(hl_trace_facts(t[0])->nnodes, hl_trace_facts(t[1])->nnodes);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(hl_trace_health(t[i])->bad_blocks, 0);
		hl_merge_free(m[i]);
		hl_trace_close(t[i]);
	}
}
END_TEST

START_TEST(columns_that_are_damaged_under_a_right_checksum_are_named_with_their_offset)
{
	struct hl_block_header b;
	struct hl_trace *t;
	struct hl_merge *m;
	struct hl_event e;
	size_t n, at = sizeof(struct hl_file_header);
	uint8_t *file;

	program(300, 20);
	b = write_claim("t.hl", HL_HURRY_NONE);
	file = slurp(in_dir("t.hl"), &n);
	file[at + sizeof(b) + 40] ^= 0x55;
	b.crc = 0;
	b.crc = hl_crc32c(hl_crc32c(0, &b, sizeof(b)), file + at + sizeof(b), b.stored_bytes);
	memcpy(file + at, &b, sizeof(b));
	spill(in_dir("t.hl"), file, n);
	free(file);
	t = open_trace("t.hl");
	m = hl_merge_new(t);
	while (hl_merge_next(m, &e))
		;
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 1);
	ck_assert_uint_eq(hl_trace_health(t)->bad_offset, at);
	ck_assert_ptr_nonnull(
		strstr(hl_trace_health(t)->first_problem, "offset 120: cannot be decompressed"));
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

static void crowd(struct hl_pace *p, unsigned n, unsigned more)
{
	while (n--)
		hl_pace_found(p, p->cores + more);
}

/* Slots of 25000 bytes that take half a millisecond each, one every gap; how many of 10000 get columns. */
static unsigned columns_of(struct hl_pace *p, uint64_t *now, uint64_t gap_ns)
{
	unsigned made = 0;

	for (unsigned i = 0; i < 10000; i++) {
		int none = hl_pace_choose(p, 0, 8192, *now += gap_ns) == HL_HURRY_NONE;

		hl_pace_charge(p, 25000, none ? 500000 : 0);
		made += (unsigned)none;
	}
	return made;
}

START_TEST(columns_are_for_idle_cores_and_on_busy_ones_for_as_long_as_their_account_lasts)
{
	struct hl_pace p;
	uint64_t now = 5000;
	unsigned made;

	hl_pace_init(&p);
	ck_assert_uint_ge(p.cores, 1);
	p.cores = 2;
	ck_assert_int_eq(hl_pace_choose(&p, 0, 8192, now), HL_HURRY_NONE);
	ck_assert_int_eq(hl_pace_choose(&p, 8192 / 64, 8192, now), HL_HURRY_SOME);
	ck_assert_int_eq(hl_pace_choose(&p, 8192 / 2, 8192, now), HL_HURRY_MUCH);
	/* half a core, and nobody else wants it; one crowded moment says nothing */
	crowd(&p, 1, 1);
	ck_assert_uint_eq(columns_of(&p, &now, 1000000), 10000);
	/* others want it: more than the share, and less */
	crowd(&p, 20, 1);
	made = columns_of(&p, &now, 1000000);
	ck_assert_uint_lt(made, 1500);
	ck_assert_int_ne(hl_pace_aside(&p), 0);
	now += 3000000000u;
	columns_of(&p, &now, 10000000);
	ck_assert_uint_eq(columns_of(&p, &now, 10000000), 10000);
	/* they are gone */
	columns_of(&p, &now, 1000000);
	crowd(&p, 20, 0);
	ck_assert_uint_eq(columns_of(&p, &now, 1000000), 10000);
	/* whatever a clock says */
	ck_assert_int_eq(hl_pace_choose(&p, 0, 8192, now + (1ull << 62)), HL_HURRY_NONE);
	hl_pace_charge(&p, UINT32_MAX, UINT64_MAX);
	hl_pace_charge(&p, UINT32_MAX, 0);
	crowd(&p, 20, 1);
	ck_assert_int_eq(hl_pace_choose(&p, 0, 8192, now + (1ull << 62)), HL_HURRY_ASIDE);
	/* the kernel answers, and is not asked more often than every few milliseconds */
	hl_pace_look(&p, 5);
	ck_assert_uint_gt(p.next_ns, 5);
	hl_pace_release(&p);
	hl_pace_look(&p, UINT64_MAX);
}
END_TEST

static int cores_here(void)
{
	cpu_set_t set;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	return CPU_COUNT(&set);
}

START_TEST(where_every_cycle_is_the_programs_each_core_gives_in_turn_until_one_is_idle)
{
	int all = cores_here(), was;
	struct hl_pace p;
	uint64_t now = 1000;

	hl_pace_init(&p);
	hl_pace_turn(&p, now);
	ck_assert_int_eq(cores_here(), all);
	p.next_ns = UINT64_MAX; /* the kernel is not asked */
	crowd(&p, 20, 1);
	p.credit_ns = -50000000;
	hl_pace_turn(&p, now);
	ck_assert_int_eq(cores_here(), all);
	was = p.turn;
	if (all > 1)
		ck_assert_int_ge(was, 0);
	hl_pace_turn(&p, now += 1000000);
	ck_assert_int_eq(p.turn, was);
	hl_pace_turn(&p, now += 20000000);
	if (all > 1)
		ck_assert_int_ne(p.turn, was);
	ck_assert_int_eq(cores_here(), all);
	crowd(&p, 20, 0);
	hl_pace_turn(&p, now += 20000000);
	ck_assert_int_eq(p.turn, -1);
	/* a round's time is that of its beginning, before the slots that it took */
	p.then_ns = now;
	p.credit_ns = -50000000;
	crowd(&p, 20, 1);
	hl_pace_turn(&p, now - 1000000);
	ck_assert_int_eq(p.credit_ns, -50000000);
	/* no slot to take: the account fills all the same */
	crowd(&p, 20, 1);
	p.credit_ns = -50000000;
	hl_pace_turn(&p, now += 1000000);
	ck_assert_int_ne(hl_pace_aside(&p), 0);
	hl_pace_turn(&p, now += 10000000000u);
	ck_assert_int_eq(hl_pace_aside(&p), 0);
	hl_pace_release(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("columns");
	TCase *t = tcase_create("columns");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, every_kind_of_record_comes_back);
	tcase_add_test(t, programs_come_back_and_are_shorter);
	tcase_add_test(t, what_would_come_back_in_another_form_is_refused);
	tcase_add_test(t, a_wide_chain_comes_back);
	tcase_add_test(t, damaged_records_come_back_or_are_refused);
	tcase_add_test(t, damaged_columns_give_records_or_an_error);
	tcase_add_test(t, any_bytes_as_plain_columns_do_no_harm);
	tcase_add_test(t, addresses_chosen_to_collide_are_packed_in_no_time);
	tcase_add_test(t, facts_alone_are_those_among_the_events);
	tcase_add_test(t, a_trace_in_columns_reads_as_one_without);
	tcase_add_test(t, columns_that_are_damaged_under_a_right_checksum_are_named_with_their_offset);
	tcase_add_test(t, where_every_cycle_is_the_programs_each_core_gives_in_turn_until_one_is_idle);
	tcase_add_test(t, columns_are_for_idle_cores_and_on_busy_ones_for_as_long_as_their_account_lasts);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
