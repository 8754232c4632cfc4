/*
 * writer_test.c - the trace file byte by byte, and what happens when there is no room for it.
 */
#include "analyzer/base/crc32c.h"
#include "tests/unit/tracefile.h"
#include "heapledger/tracefile.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <zstd.h>

static uint64_t seed = 3;

static uint8_t noise(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint8_t)(seed >> 40);
}

/* A claim of n bytes: all frees, so that any number of bytes is whole records; or noise. */
static void fill(struct encode *e, size_t n, int compressible)
{
	encode_start(e, 10);
	for (e->n = 0; e->n < n; e->n++)
		e->data[e->n] = compressible ? 0 : noise();
}

static struct encode enc;

/* Blocks lie at any offset: copied out before they are looked at. */
#define COPY(type, at)                                                                                       \
	({                                                                                                   \
		type copy_;                                                                                  \
		memcpy(&copy_, at, sizeof(copy_));                                                           \
		copy_;                                                                                       \
	})

static void check_block(const uint8_t *file, const struct hl_index_entry *x, const struct encode *e)
{
	struct hl_block_header b = COPY(struct hl_block_header, file + x->file_offset);
	const uint8_t *payload = file + x->file_offset + sizeof(b);
	uint32_t crc = b.crc;
	uint8_t raw[HL_SLOT_ROOM];
	size_t got;

	ck_assert_uint_eq(b.magic, HL_BLOCK_MAGIC);
	ck_assert_uint_eq(b.claim, x->claim);
	ck_assert_uint_eq(b.base_stamp, e->base_stamp);
	ck_assert_uint_eq(x->base_stamp, e->base_stamp);
	ck_assert_uint_eq(b.facts, e->facts);
	ck_assert_uint_eq(x->facts, e->facts);
	ck_assert_uint_eq(b.raw_bytes, e->n);
	ck_assert_uint_eq(x->raw_bytes, e->n);
	b.crc = 0;
	ck_assert_uint_eq(crc, hl_crc32c_table(hl_crc32c_table(0, &b, sizeof(b)), payload, b.stored_bytes));
	ck_assert_uint_le(b.stored_bytes, b.raw_bytes);
	if (b.codec == HL_CODEC_ZSTD) {
		got = ZSTD_decompress(raw, sizeof(raw), payload, b.stored_bytes);
	} else {
		got = b.raw_bytes;
		memcpy(raw, payload, got);
	}
	ck_assert_uint_eq(got, e->n);
	ck_assert_mem_eq(raw, e->data, got);
	/* noise and a single byte do not compress: stored as they are */
	ck_assert_uint_eq(b.codec, x->claim % 2 && e->n > 50 ? HL_CODEC_ZSTD : HL_CODEC_RAW);
}

START_TEST(every_block_holds_what_was_added_and_the_index_finds_it)
{
	static const size_t sizes[] = {1, 2, 100, 5000, HL_SLOT_ROOM, HL_SLOT_ROOM};
	struct hl_writer *w = make_trace("t.hl", 3);
	struct hl_file_header h;
	struct hl_file_trailer t;
	struct hl_block_header index;
	static struct encode kept[6];
	uint8_t *file;
	size_t n;

	for (uint32_t i = 0; i < 6; i++) {
		fill(&kept[i], sizes[i], i % 2);
		kept[i].base_stamp = 77 + i;
		kept[i].facts = i;
		add_claim(w, &kept[i], 4, i);
	}
	ck_assert_uint_eq(hl_writer_refused(w), 0);
	finish(w);
	file = slurp(in_dir("t.hl"), &n);
	h = COPY(struct hl_file_header, file);
	ck_assert_uint_eq(h.magic, HL_FILE_MAGIC);
	ck_assert_uint_eq(h.major, HL_FORMAT_MAJOR);
	ck_assert_uint_eq(h.image_id, 3);
	ck_assert_uint_eq(h.header_bytes, sizeof(h));
	ck_assert_uint_eq(h.crc, hl_crc32c_table(0, &h, sizeof(h) - 4));
	t = COPY(struct hl_file_trailer, file + n - sizeof(t));
	ck_assert_uint_eq(t.magic, HL_TRAILER_MAGIC);
	ck_assert_uint_eq(t.file_bytes, n);
	index = COPY(struct hl_block_header, file + t.index_offset);
	ck_assert_uint_eq(index.type, HL_BLOCK_INDEX);
	ck_assert_uint_eq(index.raw_bytes, 6 * sizeof(struct hl_index_entry));
	for (uint32_t i = 0; i < 6; i++) {
		struct hl_index_entry x =
			COPY(struct hl_index_entry, file + t.index_offset + sizeof(index) + i * sizeof(x));

		ck_assert_uint_eq(x.claim, i);
		check_block(file, &x, &kept[i]);
	}
	free(file);
}
END_TEST

START_TEST(a_new_file_is_private_and_an_existing_one_is_not_touched)
{
	struct hl_file_header h = make_header(1);
	struct hl_writer *w;
	struct hl_diag d = {0};
	struct stat st;
	size_t n;
	uint8_t *p;

	umask(0);
	finish(make_trace("t.hl", 1));
	ck_assert_int_eq(stat(in_dir("t.hl"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	spill(in_dir("mine"), "precious", 8);
	ck_assert_int_eq(hl_writer_open(&w, in_dir("mine"), &h, 0, &d), HL_ERR_IO);
	ck_assert_ptr_nonnull(strstr(d.text, strerror(EEXIST)));
	ck_assert_ptr_nonnull(strstr(d.text, "/mine"));
	p = slurp(in_dir("mine"), &n);
	ck_assert_uint_eq(n, 8);
	ck_assert_mem_eq(p, "precious", 8);
	free(p);
}
END_TEST

START_TEST(force_replaces_a_plain_file_and_nothing_else)
{
	struct hl_file_header h = make_header(1);
	struct hl_writer *w;
	struct hl_diag d = {0};
	struct stat st;
	size_t n;
	uint8_t *p;

	spill(in_dir("old"), "old", 3);
	ck_assert_int_eq(link(in_dir("old"), in_dir("other")), 0);
	ck_assert_int_eq(hl_writer_open(&w, in_dir("old"), &h, 1, &d), HL_OK);
	finish(w);
	/* replaced, not overwritten: its other name keeps the old bytes */
	p = slurp(in_dir("other"), &n);
	ck_assert_uint_eq(n, 3);
	free(p);
	ck_assert_int_eq(symlink(in_dir("other"), in_dir("link")), 0);
	ck_assert_int_eq(hl_writer_open(&w, in_dir("link"), &h, 1, &d), HL_ERR_IO);
	ck_assert_int_eq(lstat(in_dir("link"), &st), 0);
	ck_assert_int_eq(hl_writer_open(&w, dir, &h, 1, &d), HL_ERR_IO);
	ck_assert_int_eq(hl_writer_open(&w, in_dir("new"), &h, 1, &d), HL_OK);
	finish(w);
	ck_assert_int_eq(hl_writer_open(&w, in_dir("no/such"), &h, 1, &d), HL_ERR_IO);
}
END_TEST

START_TEST(a_full_disk_costs_only_what_did_not_fit)
{
	struct rlimit limit = {50000, RLIM_INFINITY};
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_diag first = {0}, d = {0};
	struct hl_trace *t;
	struct hl_merge *m;
	struct hl_event e;
	struct stat st;
	uint64_t whole, frees = 0;
	struct hl_chunk c = {.stream = 4, .tid = 1, .data = enc.data, .base_stamp = 10};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	/* FREE records of one hit byte each, not compressible: the byte is any index of the cache */
	encode_start(&enc, 10);
	for (enc.n = 0; enc.n < 20000; enc.n += 2) {
		enc.data[enc.n] = HL_TAG_FREE | HL_TAG_HIT | (noise() & 0xe8);
		enc.data[enc.n + 1] = noise();
	}
	c.bytes = 20000;
	ck_assert_int_eq(hl_writer_add(w, &c, &d), HL_OK);
	c.claim = 1;
	ck_assert_int_eq(hl_writer_add(w, &c, &d), HL_OK);
	whole = hl_writer_bytes(w);
	c.claim = 2;
	ck_assert_int_eq(hl_writer_add(w, &c, &first), HL_ERR_IO);
	ck_assert_ptr_nonnull(strstr(first.text, strerror(EFBIG)));
	ck_assert_uint_eq(hl_writer_bytes(w), whole);
	ck_assert_uint_eq(hl_writer_refused(w), 20000);
	ck_assert_int_eq(stat(in_dir("t.hl"), &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, whole);
	/* room again does not help: what was refused would be a hole in the middle */
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	c.bytes = 100;
	c.claim = 3;
	ck_assert_int_eq(hl_writer_add(w, &c, &d), HL_ERR_IO);
	ck_assert_str_eq(d.text, first.text);
	ck_assert_uint_eq(hl_writer_refused(w), 20100);
	ck_assert_int_eq(hl_writer_finish(w, &d), HL_ERR_IO);
	ck_assert_str_eq(d.text, first.text);
	t = open_trace("t.hl");
	ck_assert_int_eq(hl_trace_health(t)->finished, 0);
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 0);
	ck_assert_uint_eq(hl_trace_health(t)->chunks, 2);
	m = hl_merge_new(t);
	while (hl_merge_next(m, &e))
		frees += e.type == HL_EV_FREE;
	ck_assert_uint_eq(frees, 20000);
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_full_disk_at_the_end_leaves_a_file_that_a_scan_can_read)
{
	struct rlimit limit = {0, RLIM_INFINITY};
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_diag d = {0};
	struct hl_trace *t;
	int set, err;

	signal(SIGXFSZ, SIG_IGN);
	encode_start(&enc, 10);
	encode_free(&enc, 11, 0x1000, 0);
	add_claim(w, &enc, 4, 0);
	limit.rlim_cur = hl_writer_bytes(w) + sizeof(struct hl_block_header) + 8;
	/* no assertion under the limit: libcheck writes each to a file of its own */
	set = setrlimit(RLIMIT_FSIZE, &limit);
	err = hl_writer_finish(w, &d);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(set, 0);
	ck_assert_int_eq(err, HL_ERR_IO);
	t = open_trace("t.hl");
	ck_assert_int_eq(hl_trace_health(t)->finished, 0);
	ck_assert_uint_eq(hl_trace_health(t)->chunks, 1);
	ck_assert_uint_eq(hl_trace_health(t)->bad_blocks, 0);
	ck_assert_uint_eq(hl_trace_health(t)->cut_offset, 0);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_chunk_that_no_slot_could_hold_is_refused)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_chunk c = {.data = enc.data, .bytes = HL_SLOT_ROOM, .offset = 1};
	struct hl_diag d = {0};

	ck_assert_int_eq(hl_writer_add(w, &c, &d), HL_ERR_FORMAT);
	c.offset = 0;
	c.bytes++;
	ck_assert_int_eq(hl_writer_add(w, &c, &d), HL_ERR_FORMAT);
	ck_assert_uint_eq(hl_writer_refused(w), 2 * HL_SLOT_ROOM + 1);
	finish(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("writer");
	TCase *t = tcase_create("writer");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, every_block_holds_what_was_added_and_the_index_finds_it);
	tcase_add_test(t, a_new_file_is_private_and_an_existing_one_is_not_touched);
	tcase_add_test(t, force_replaces_a_plain_file_and_nothing_else);
	tcase_add_test(t, a_full_disk_costs_only_what_did_not_fit);
	tcase_add_test(t, a_full_disk_at_the_end_leaves_a_file_that_a_scan_can_read);
	tcase_add_test(t, a_chunk_that_no_slot_could_hold_is_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
