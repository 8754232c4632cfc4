/*
 * region_test.c - region files of bare LD_PRELOAD: sparse, open, growing, damaged.
 */
#include "analyzer/model/replay.h"
#include "tests/unit/tracefile.h"

static struct encode enc;

static unsigned count_events(struct hl_trace *t)
{
	struct hl_merge *m = hl_merge_new(t);
	struct hl_event e;
	unsigned n = 0;

	while (hl_merge_next(m, &e))
		n++;
	hl_merge_free(m);
	return n;
}

static void start_sample(uint64_t stamp)
{
	encode_start(&enc, stamp);
	encode_hello(&enc, 5, 1005, stamp, "/bin/bare", "bare", 4);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_alloc(&enc, stamp + 1, HL_ENTRY_MALLOC, 0x1000, 10, 1);
}

START_TEST(a_sparse_file_of_16_gib_is_read_by_its_used_slots_alone)
{
	uint32_t nslots = (16ull << 30) / HL_SLOT_BYTES;
	int fd = make_region("bare.hl", nslots, 5);
	const struct hl_trace_health *h;
	struct hl_trace *t;

	start_sample(100);
	put_slot(fd, 0, &enc, 5, 4, 0, HL_SLOT_SEALED);
	/* slots 1 and 2 were claimed by threads that died before they published them */
	encode_start(&enc, 200);
	encode_free(&enc, 210, 0x1000, 0);
	put_slot(fd, 3, &enc, 5, 4, 1, HL_SLOT_OPEN);
	encode_start(&enc, 300);
	encode_free(&enc, 310, 0x5000, 0);
	put_slot(fd, nslots - 1, &enc, 5, 8, 0, HL_SLOT_SEALED);
	set_bump(fd, nslots + 10); /* others tried and found it full */
	t = open_trace("bare.hl"); /* within libcheck's timeout: no hole was read */
	h = hl_trace_health(t);
	ck_assert_int_eq(h->bare, 1);
	ck_assert_uint_eq(h->chunks, 3);
	ck_assert_uint_eq(h->bad_blocks + h->missing_claims + h->cut_offset, 0);
	ck_assert_uint_gt(h->unverified_bytes, 0);
	ck_assert_uint_lt(h->unverified_bytes, 10);
	ck_assert_uint_eq(count_events(t), 3);
	ck_assert_uint_eq(hl_trace_header(t)->image_id, 5);
	ck_assert_uint_eq(hl_trace_header(t)->pid, 1005);
	ck_assert_uint_eq(hl_trace_header(t)->ticks_per_s, TICKS_PER_S);
	ck_assert_str_eq(hl_trace_facts(t)->process.exe, "/bin/bare");
	ck_assert_uint_eq(hl_trace_facts(t)->lost[HL_LOST_FULL], 3);
	ck_assert_uint_eq(hl_trace_facts(t)->nodes[1].pc, 0x400100);
	hl_trace_close(t);
	close(fd);
}
END_TEST

START_TEST(slots_at_or_above_bump_and_above_used_are_not_read)
{
	int fd = make_region("bare.hl", 8, 5);
	struct hl_trace *t;

	start_sample(100);
	put_slot(fd, 0, &enc, 5, 4, 0, HL_SLOT_SEALED);
	put_slot(fd, 1, &enc, 5, 8, 0, HL_SLOT_SEALED);
	set_bump(fd, 1);
	t = open_trace("bare.hl");
	ck_assert_uint_eq(count_events(t), 1);
	/* it goes on while we have it open: what we opened stays what it was */
	set_bump(fd, 2);
	encode_free(&enc, 150, 0x1000, 0);
	put_slot(fd, 0, &enc, 5, 4, 0, HL_SLOT_OPEN);
	ck_assert_uint_eq(count_events(t), 1);
	hl_trace_close(t);
	t = open_trace("bare.hl");
	ck_assert_uint_eq(count_events(t), 3);
	hl_trace_close(t);
	close(fd);
}
END_TEST

START_TEST(a_slot_that_says_what_cannot_be_costs_only_itself)
{
	uint64_t slots = hl_region_slots_off(HL_BACKING_FILE, 0);
	int fd = make_region("bare.hl", 8, 5);
	uint32_t used = HL_SLOT_ROOM + 1, state = 9;
	struct hl_trace *t;

	for (uint32_t i = 0; i < 4; i++) {
		start_sample(100 * i);
		put_slot(fd, i, &enc, i == 3 ? 6 : 5, HL_STREAM(i + 1, 0), 0, HL_SLOT_SEALED);
	}
	put_at(fd, &used, 4, slots + HL_SLOT_BYTES + offsetof(struct hl_slot, used));
	put_at(fd, &state, 4, slots + 2 * HL_SLOT_BYTES + offsetof(struct hl_slot, state));
	set_bump(fd, 4);
	t = open_trace("bare.hl");
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 3);
	ck_assert_uint_eq(hl_trace_health(t)->bad_offset, slots + HL_SLOT_BYTES);
	ck_assert_uint_eq(count_events(t), 1);
	hl_trace_close(t);
	close(fd);
}
END_TEST

START_TEST(a_region_file_cut_anywhere_is_read_up_to_there)
{
	uint64_t slots = hl_region_slots_off(HL_BACKING_FILE, 0);
	uint64_t whole;
	int fd = make_region("bare.hl", 8, 5);
	struct hl_trace *t;
	struct hl_diag d = {0};

	start_sample(100);
	put_slot(fd, 0, &enc, 5, 4, 0, HL_SLOT_SEALED);
	put_slot(fd, 1, &enc, 5, 4, 1, HL_SLOT_SEALED);
	set_bump(fd, 2);
	whole = slots + HL_SLOT_BYTES + sizeof(struct hl_slot) + enc.n;
	for (uint64_t n = whole; n > slots; n -= n > slots + HL_SLOT_BYTES ? 1 : 997) {
		ck_assert_int_eq(ftruncate(fd, (off_t)n), 0);
		if (hl_trace_open(&t, in_dir("bare.hl"), &d)) {
			/* nothing but a cut slot is left of it */
			ck_assert_uint_lt(n, slots + sizeof(struct hl_slot) + enc.n);
			continue;
		}
		ck_assert_uint_eq(count_events(t),
				  n == whole ? 2 : n >= slots + sizeof(struct hl_slot) + enc.n);
		hl_trace_close(t);
	}
	ck_assert_int_eq(ftruncate(fd, 1000), 0);
	if (!hl_trace_open(&t, in_dir("bare.hl"), &d)) {
		ck_assert_uint_eq(count_events(t), 0);
		hl_trace_close(t);
	}
	ck_assert_int_eq(ftruncate(fd, 100), 0);
	ck_assert_int_eq(hl_trace_open(&t, in_dir("bare.hl"), &d), HL_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(d.text, "offset 100"));
	close(fd);
}
END_TEST

/* Flip each bit of [from, to) of the file in turn. */
static void flip_all(int fd, uint64_t from, uint64_t to)
{
	for (uint64_t bit = from * 8; bit < to * 8; bit++) {
		struct hl_replay_counts c;
		struct hl_diag d = {0};
		struct hl_trace *t;
		uint8_t byte, wrong;

		ck_assert_int_eq(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
		wrong = byte ^ (uint8_t)(1u << bit % 8);
		put_at(fd, &wrong, 1, bit / 8);
		if (hl_trace_open(&t, in_dir("bare.hl"), &d)) {
			ck_assert_ptr_nonnull(strstr(d.text, "bare.hl"));
		} else {
			ck_assert_uint_le(count_events(t), HL_SLOT_ROOM); /* zeroes are records too */
			hl_replay(t, UINT64_MAX, NULL, NULL, &c, &d);
			ck_assert_uint_eq(c.live_blocks, c.inherited_blocks + c.allocs - c.frees);
			hl_trace_close(t);
		}
		put_at(fd, &byte, 1, bit / 8);
	}
}

START_TEST(a_region_with_any_bit_wrong_is_read_or_refused_with_a_line)
{
	uint64_t slots = hl_region_slots_off(HL_BACKING_FILE, 0);
	int fd = make_region("bare.hl", 8, 5);

	start_sample(100);
	encode_release(&enc, 110, 0x1000);
	encode_alloc(&enc, 111, HL_ENTRY_REALLOC, 0x2000, 20, 1);
	encode_map(&enc, 112, 0x7000, 0x3000, 1);
	encode_unmap(&enc, 113, 0x8000, 0x1000);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 2, 1, 4, 0, 9);
	put_slot(fd, 0, &enc, 5, 4, 0, HL_SLOT_OPEN);
	set_bump(fd, 1);
	flip_all(fd, 0, 256);
	flip_all(fd, slots, slots + sizeof(struct hl_slot) + enc.n);
	close(fd);
}
END_TEST

START_TEST(a_bare_child_inherits_from_its_parents_region_file)
{
	static const uint8_t uuid[16] = "the same for all";
	int fd = make_region("parent.hl", 8, 5), child;
	struct hl_trace *t;
	size_t used;

	start_sample(100);
	used = enc.n;
	encode_free(&enc, 190, 0x1000, 0);
	put_slot(fd, 0, &enc, 5, 4, 0, HL_SLOT_OPEN);
	set_bump(fd, 1);
	child = make_region("child.hl", 8, 6);
	encode_start(&enc, 150);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 5, 1005, 2, 1, 4, 0, used);
	encode_parent(&enc, "parent.hl", uuid, 5);
	encode_free(&enc, 160, 0x9000, 0);
	put_slot(child, 0, &enc, 6, 4, 0, HL_SLOT_OPEN);
	set_bump(child, 1);
	t = open_trace("child.hl");
	ck_assert_str_eq(hl_trace_health(t)->first_problem, "");
	ck_assert_uint_eq(count_events(t), 2);
	ck_assert_str_eq(hl_trace_facts(t)->process.parent_file, in_dir("parent.hl"));
	ck_assert_uint_eq(hl_trace_facts(t)->nodes[1].known, 1);
	hl_trace_close(t);
	close(fd);
	close(child);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("region");
	TCase *t = tcase_create("region");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, a_sparse_file_of_16_gib_is_read_by_its_used_slots_alone);
	tcase_add_test(t, slots_at_or_above_bump_and_above_used_are_not_read);
	tcase_add_test(t, a_slot_that_says_what_cannot_be_costs_only_itself);
	tcase_add_test(t, a_region_file_cut_anywhere_is_read_up_to_there);
	tcase_add_test(t, a_region_with_any_bit_wrong_is_read_or_refused_with_a_line);
	tcase_add_test(t, a_bare_child_inherits_from_its_parents_region_file);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
