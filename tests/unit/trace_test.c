/*
 * trace_test.c - opening trace files: whole, unfinished, cut, damaged, foreign.
 */
#include "analyzer/base/crc32c.h"
#include "analyzer/model/replay.h"
#include "tests/unit/tracefile.h"
#include "heapledger/tracefile.h"

static struct encode enc;

/* Events of the whole trace. */
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

/* Three claims of stream 4 with two events each, the first claim in two blocks; two events of stream 8, whose claim
 * is long enough for columns. */
static void write_sample(struct hl_writer *w)
{
	size_t cut;

	encode_start(&enc, 100);
	encode_hello(&enc, 1, 1001, 100, "/bin/true", "true\0-x", 8);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_alloc(&enc, 110, HL_ENTRY_MALLOC, 0x1000, 10, 1);
	cut = enc.n;
	encode_free(&enc, 120, 0x1000, 0);
	add_part(w, &enc, 4, 0, 0, cut);
	add_part(w, &enc, 4, 0, cut, enc.n);
	for (uint32_t claim = 1; claim < 3; claim++) {
		encode_start(&enc, 200 * claim);
		encode_alloc(&enc, 200 * claim, HL_ENTRY_MALLOC, 0x2000, 10, 1);
		encode_free(&enc, 200 * claim + 1, 0x2000, 0);
		add_claim(w, &enc, 4, claim);
	}
	encode_start(&enc, 300);
	for (uint64_t id = 1; id < 12; id++)
		encode_module(&enc, id, 0, id << 20, (id + 1) << 20, 0,
			      "/usr/lib/a_library_of_that_name.so.1", "", 0);
	encode_alloc(&enc, 300, HL_ENTRY_MALLOC, 0x3000, 10, 1);
	encode_free(&enc, 301, 0x3000, 0);
	add_claim(w, &enc, 8, 0);
}

static uint8_t *sample(size_t *n)
{
	struct hl_writer *w = make_trace("sample.hl", 1);

	write_sample(w);
	finish(w);
	return slurp(in_dir("sample.hl"), n);
}

START_TEST(a_finished_trace_is_read_through_its_index)
{
	const struct hl_trace_health *h;
	struct hl_trace *t;
	size_t n;

	free(sample(&n));
	t = open_trace("sample.hl");
	h = hl_trace_health(t);
	ck_assert_int_eq(h->finished, 1);
	ck_assert_int_eq(h->bare, 0);
	ck_assert_uint_eq(h->file_bytes, n);
	ck_assert_uint_eq(h->chunks, 5);
	ck_assert_uint_eq(h->bad_blocks + h->missing_claims + h->cut_offset + h->unverified_bytes, 0);
	ck_assert_str_eq(h->first_problem, "");
	ck_assert_uint_eq(count_events(t), 8);
	ck_assert_uint_eq(hl_trace_header(t)->pid, 1001);
	ck_assert_str_eq(hl_trace_facts(t)->process.cmdline, "true -x");
	ck_assert_double_eq(hl_trace_seconds(t, 0, TICKS_PER_S / 2), 0.5);
	ck_assert_double_eq(hl_trace_seconds(t, TICKS_PER_S, 0), -1.0);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_trace_without_its_end_is_scanned_to_the_same_events)
{
	struct hl_trace *t;
	struct hl_file_trailer trailer;
	size_t n;
	uint8_t *p = sample(&n);

	memcpy(&trailer, p + n - sizeof(trailer), sizeof(trailer));
	spill(in_dir("cut.hl"), p, trailer.index_offset);
	t = open_trace("cut.hl");
	ck_assert_int_eq(hl_trace_health(t)->finished, 0);
	ck_assert_uint_eq(hl_trace_health(t)->chunks, 5);
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 0);
	ck_assert_uint_eq(hl_trace_health(t)->cut_offset, 0);
	ck_assert_uint_eq(count_events(t), 8);
	hl_trace_close(t);
	free(p);
}
END_TEST

START_TEST(a_growing_trace_shows_what_was_there_at_open)
{
	struct hl_writer *w = make_trace("grows.hl", 1);
	struct hl_trace *t, *later;

	encode_start(&enc, 100);
	encode_alloc(&enc, 110, HL_ENTRY_MALLOC, 0x1000, 10, 1);
	add_claim(w, &enc, 4, 0);
	t = open_trace("grows.hl");
	add_claim(w, &enc, 8, 0);
	later = open_trace("grows.hl");
	finish(w);
	ck_assert_uint_eq(count_events(t), 1);
	ck_assert_uint_eq(count_events(later), 2);
	hl_trace_close(t);
	hl_trace_close(later);
}
END_TEST

START_TEST(a_damaged_block_is_named_and_costs_only_its_claim)
{
	struct hl_index_entry index[5];
	struct hl_file_trailer trailer;
	size_t n;
	uint8_t *p = sample(&n);

	memcpy(&trailer, p + n - sizeof(trailer), sizeof(trailer));
	memcpy(index, p + trailer.index_offset + sizeof(struct hl_block_header), sizeof(index));
	for (int finished = 0; finished < 2; finished++)
		for (int i = 0; i < 5; i++) {
			/* the first block's loss costs the second one too: same claim */
			static const unsigned left[] = {6, 7, 6, 6, 6};
			uint8_t *byte = &p[index[i].file_offset + sizeof(struct hl_block_header)];
			const struct hl_trace_health *h;
			struct hl_trace *t;
			char offset[32];

			*byte ^= 1;
			spill(in_dir("bad.hl"), p, finished ? n : trailer.index_offset);
			*byte ^= 1;
			t = open_trace("bad.hl");
			for (int twice = 0; twice < 2; twice++)
				ck_assert_uint_eq(count_events(t), left[i]);
			h = hl_trace_health(t);
			ck_assert_int_eq(h->finished, finished);
			ck_assert_uint_eq(h->bad_blocks, i == 0 ? 2 : 1);
			ck_assert_uint_eq(h->bad_offset, index[i].file_offset);
			snprintf(offset, sizeof(offset), "offset %llu:", (unsigned long long)h->bad_offset);
			ck_assert_ptr_nonnull(strstr(h->first_problem, offset));
			ck_assert_ptr_nonnull(strstr(h->first_problem, "/bad.hl"));
			hl_trace_close(t);
		}
	free(p);
}
END_TEST

START_TEST(an_index_that_contradicts_its_blocks_is_not_believed)
{
	/* fields of the third entry, which is claim 1 of stream 4 */
	static const size_t fields[] = {
		offsetof(struct hl_index_entry, base_stamp), offsetof(struct hl_index_entry, stream),
		offsetof(struct hl_index_entry, claim), offsetof(struct hl_index_entry, raw_bytes),
		offsetof(struct hl_index_entry, file_offset)};
	struct hl_file_trailer trailer;
	struct hl_block_header b;
	size_t n;
	uint8_t *p = sample(&n), *index;

	memcpy(&trailer, p + n - sizeof(trailer), sizeof(trailer));
	index = p + trailer.index_offset;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		uint8_t *byte = index + sizeof(b) + 2 * sizeof(struct hl_index_entry) + fields[i];
		struct hl_trace *t;

		*byte ^= 0x20;
		memcpy(&b, index, sizeof(b));
		b.crc = 0;
		b.crc = hl_crc32c(hl_crc32c(0, &b, sizeof(b)), index + sizeof(b), b.stored_bytes);
		memcpy(index, &b, sizeof(b));
		spill(in_dir("lies.hl"), p, n);
		t = open_trace("lies.hl");
		ck_assert_int_eq(hl_trace_health(t)->finished, 1);
		ck_assert_uint_eq(count_events(t), 6);
		ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 1);
		ck_assert_ptr_nonnull(strstr(hl_trace_health(t)->first_problem, "contradicts the index"));
		hl_trace_close(t);
		*byte ^= 0x20;
	}
	free(p);
}
END_TEST

START_TEST(garbage_between_blocks_is_stepped_over)
{
	struct hl_file_trailer trailer;
	struct hl_index_entry second;
	struct hl_trace *t;
	size_t n;
	uint8_t *p = sample(&n), *q;

	memcpy(&trailer, p + n - sizeof(trailer), sizeof(trailer));
	memcpy(&second, p + trailer.index_offset + sizeof(struct hl_block_header) + 2 * sizeof(second),
	       sizeof(second));
	/* 300 000 bytes: more than the reader looks at once */
	q = calloc(1, n + 300000);
	memcpy(q, p, second.file_offset);
	memcpy(q + second.file_offset + 1000, "HLBKHLBK", 8);
	memcpy(q + second.file_offset + 300000, p + second.file_offset,
	       trailer.index_offset - second.file_offset);
	spill(in_dir("gap.hl"), q, trailer.index_offset + 300000);
	t = open_trace("gap.hl");
	ck_assert_uint_eq(count_events(t), 8);
	ck_assert_uint_ge(hl_trace_health(t)->bad_blocks, 1);
	ck_assert_uint_eq(hl_trace_health(t)->bad_offset, second.file_offset);
	hl_trace_close(t);
	free(p);
	free(q);
}
END_TEST

START_TEST(a_block_of_a_later_kind_is_skipped_in_silence)
{
	struct hl_block_header b = {.magic = HL_BLOCK_MAGIC, .type = 77, .stored_bytes = 5};
	struct hl_file_trailer trailer;
	struct hl_trace *t;
	size_t n;
	uint8_t *p = sample(&n);

	memcpy(&trailer, p + n - sizeof(trailer), sizeof(trailer));
	b.crc = hl_crc32c(hl_crc32c(0, &b, sizeof(b)), "later", 5);
	memcpy(p + trailer.index_offset, &b, sizeof(b));
	memcpy(p + trailer.index_offset + sizeof(b), "later", 5);
	spill(in_dir("later.hl"), p, trailer.index_offset + sizeof(b) + 5);
	t = open_trace("later.hl");
	ck_assert_uint_eq(count_events(t), 8);
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 0);
	ck_assert_uint_eq(hl_trace_health(t)->cut_offset, 0);
	hl_trace_close(t);
	free(p);
}
END_TEST

START_TEST(missing_claims_are_counted_and_the_others_read)
{
	struct hl_writer *w = make_trace("gaps.hl", 1);
	static const uint32_t claims[] = {2, 3, 7};
	struct hl_trace *t;

	for (int i = 0; i < 3; i++) {
		encode_start(&enc, 100 * claims[i]);
		encode_free(&enc, 100 * claims[i] + 1, 0x1000, 0);
		add_claim(w, &enc, 4, claims[i]);
	}
	finish(w);
	t = open_trace("gaps.hl");
	ck_assert_uint_eq(hl_trace_health(t)->missing_claims, 2 + 3);
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 0);
	ck_assert_uint_eq(count_events(t), 3);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_claim_whose_middle_is_missing_is_read_up_to_there)
{
	struct hl_writer *w = make_trace("hole.hl", 1);
	struct hl_trace *t;
	size_t at[4] = {0};

	encode_start(&enc, 0);
	for (int i = 1; i < 4; i++) {
		encode_free(&enc, 10 * (uint64_t)i, 0x1000, 0);
		at[i] = enc.n;
	}
	add_part(w, &enc, 4, 0, 0, at[1]);
	add_part(w, &enc, 4, 0, at[2], at[3]);
	encode_start(&enc, 50);
	encode_free(&enc, 51, 0x1000, 0);
	add_claim(w, &enc, 4, 1);
	finish(w);
	t = open_trace("hole.hl");
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 1);
	ck_assert_uint_eq(count_events(t), 2);
	hl_trace_close(t);
}
END_TEST

/* The error of opening, which is one line that names the file. */
static struct hl_diag refused(const char *name, int err)
{
	struct hl_trace *t = NULL;
	struct hl_diag d = {0};

	ck_assert_int_eq(hl_trace_open(&t, in_dir(name), &d), err);
	ck_assert_ptr_null(t);
	ck_assert_int_eq(d.err, err);
	ck_assert_ptr_nonnull(strstr(d.text, in_dir(name)));
	ck_assert_ptr_null(strchr(d.text, '\n'));
	return d;
}

START_TEST(what_is_no_trace_is_refused_with_one_clear_line)
{
	struct hl_file_header h;
	struct hl_diag d;
	size_t n;
	uint8_t *p = sample(&n);

	d = refused("not there", HL_ERR_IO);
	ck_assert_ptr_nonnull(strstr(d.text, "No such file"));
	ck_assert_int_eq(mkdir(in_dir("folder"), 0700), 0);
	d = refused("folder", HL_ERR_IO);
	ck_assert_int_eq(mkfifo(in_dir("pipe"), 0600), 0);
	d = refused("pipe", HL_ERR_IO);
	spill(in_dir("empty"), "", 0);
	d = refused("empty", HL_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(d.text, "empty"));
	spill(in_dir("foreign\n.txt"), "#!/bin/sh\nexit 0\n", 17);
	ck_assert_int_eq(rename(in_dir("foreign\n.txt"), in_dir("foreign")), 0);
	d = refused("foreign", HL_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(d.text, "not a trace"));
	memcpy(&h, p, sizeof(h));
	h.major++;
	h.crc = hl_crc32c(0, &h, sizeof(h) - 4);
	spill(in_dir("newer"), &h, sizeof(h));
	d = refused("newer", HL_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(d.text, "newer heapledger"));
	p[20] ^= 1;
	spill(in_dir("damaged"), p, n);
	d = refused("damaged", HL_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(d.text, "offset 0"));
	p[20] ^= 1;
	memset(p + sizeof(h), 'x', n - sizeof(h));
	memcpy(p + sizeof(h), "HLBK", 4);
	memcpy(p + sizeof(h) + 100, "HLBK", 4);
	spill(in_dir("rubble"), p, n);
	d = refused("rubble", HL_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(d.text, "nothing valid"));
	ck_assert_ptr_nonnull(strstr(d.text, "offset 120"));
	free(p);
}
END_TEST

START_TEST(a_path_with_a_newline_does_not_make_two_lines)
{
	struct hl_trace *t;
	struct hl_diag d = {0};

	ck_assert_int_eq(hl_trace_open(&t, "/no/such\nfile", &d), HL_ERR_IO);
	ck_assert_ptr_null(strchr(d.text, '\n'));
}
END_TEST

START_TEST(a_trace_in_which_nothing_happened_is_opened)
{
	struct hl_trace *t;

	finish(make_trace("idle.hl", 1));
	t = open_trace("idle.hl");
	ck_assert_int_eq(hl_trace_health(t)->finished, 1);
	ck_assert_uint_eq(count_events(t), 0);
	ck_assert_uint_eq(hl_trace_facts(t)->process.pid, 1001);
	ck_assert_str_eq(hl_trace_facts(t)->process.exe, "");
	hl_trace_close(t);
}
END_TEST

/* Open, read and replay what may be anything.  1: it was opened. */
static int try_file(const char *name)
{
	struct hl_trace *t;
	struct hl_replay_counts c;
	struct hl_diag d = {0};
	int err = hl_trace_open(&t, in_dir(name), &d);

	if (err) {
		ck_assert(err == HL_ERR_FORMAT || err == HL_ERR_IO);
		ck_assert_ptr_nonnull(strstr(d.text, name));
		return 0;
	}
	ck_assert_uint_le(count_events(t), 8);
	ck_assert_int_eq(hl_replay(t, UINT64_MAX, NULL, NULL, &c, &d), HL_OK);
	ck_assert_uint_eq(c.live_blocks, c.inherited_blocks + c.allocs - c.frees);
	hl_trace_close(t);
	return 1;
}

START_TEST(a_trace_cut_at_any_byte_is_read_up_to_there_or_refused_with_a_line)
{
	size_t n, opened = 0;
	uint8_t *p = sample(&n);

	for (size_t i = 0; i < n; i++) {
		spill(in_dir("any.hl"), p, i);
		opened += (size_t)try_file("any.hl");
	}
	/* from its whole header on each of them can be opened */
	ck_assert_uint_eq(opened, n - sizeof(struct hl_file_header));
	free(p);
}
END_TEST

START_TEST(a_trace_with_any_bit_wrong_is_read_or_refused_with_a_line)
{
	size_t n, opened = 0;
	uint8_t *p = sample(&n);
	int fd;

	spill(in_dir("any.hl"), p, n);
	fd = open(in_dir("any.hl"), O_WRONLY);
	for (size_t bit = 0; bit < n * 8; bit++) {
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		put_at(fd, &p[bit / 8], 1, bit / 8);
		opened += (size_t)try_file("any.hl");
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		put_at(fd, &p[bit / 8], 1, bit / 8);
	}
	/* all but those in the file's header, whose checksum covers all of it */
	ck_assert_uint_eq(opened, (n - sizeof(struct hl_file_header)) * 8);
	close(fd);
	free(p);
}
END_TEST

START_TEST(a_file_made_of_block_headers_is_judged_in_no_time)
{
	struct hl_block_header b = {.magic = HL_BLOCK_MAGIC,
				    .type = HL_BLOCK_CHUNK,
				    .stored_bytes = HL_SLOT_ROOM,
				    .raw_bytes = HL_SLOT_ROOM};
	struct hl_file_header h;
	struct hl_diag d;
	size_t n, copies = 200000;
	uint8_t *p = sample(&n), *q = malloc(sizeof(h) + copies * sizeof(b));

	memcpy(q, p, sizeof(h));
	for (size_t i = 0; i < copies; i++)
		memcpy(q + sizeof(h) + i * sizeof(b), &b, sizeof(b));
	spill(in_dir("headers.hl"), q, sizeof(h) + copies * sizeof(b));
	d = refused("headers.hl", HL_ERR_FORMAT); /* or libcheck's timeout */
	ck_assert_ptr_nonnull(strstr(d.text, "nothing valid"));
	free(p);
	free(q);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, a_finished_trace_is_read_through_its_index);
	tcase_add_test(t, a_trace_without_its_end_is_scanned_to_the_same_events);
	tcase_add_test(t, a_growing_trace_shows_what_was_there_at_open);
	tcase_add_test(t, a_damaged_block_is_named_and_costs_only_its_claim);
	tcase_add_test(t, an_index_that_contradicts_its_blocks_is_not_believed);
	tcase_add_test(t, garbage_between_blocks_is_stepped_over);
	tcase_add_test(t, a_block_of_a_later_kind_is_skipped_in_silence);
	tcase_add_test(t, missing_claims_are_counted_and_the_others_read);
	tcase_add_test(t, a_claim_whose_middle_is_missing_is_read_up_to_there);
	tcase_add_test(t, what_is_no_trace_is_refused_with_one_clear_line);
	tcase_add_test(t, a_path_with_a_newline_does_not_make_two_lines);
	tcase_add_test(t, a_trace_in_which_nothing_happened_is_opened);
	tcase_add_test(t, a_trace_cut_at_any_byte_is_read_up_to_there_or_refused_with_a_line);
	tcase_add_test(t, a_trace_with_any_bit_wrong_is_read_or_refused_with_a_line);
	tcase_add_test(t, a_file_made_of_block_headers_is_judged_in_no_time);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
