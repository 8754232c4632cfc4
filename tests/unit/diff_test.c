/*
 * diff_test.c - rows of two heaps compared by name.
 */
#include "analyzer/analysis/snapfile.h"
#include "tests/unit/heap_model.h"
#include <check.h>
#include <zstd.h>

static const struct hl_style all = {0};

START_TEST(rows_are_ordered_by_change_then_size_then_count)
{
	struct hl_names *names = hl_names_new();
	struct model old, now;
	char *text;

	model_init(&old, names);
	model_init(&now, names);
	model_add(&old, 50, "gone.c:1");
	model_add(&old, 10, "same.c:1");
	model_add(&now, 10, "same.c:1");
	model_add(&now, 50, "new.c:1");
	model_add(&now, 0, "zero.c:2");
	model_add(&now, 0, "zero.c:1");
	text = model_diff(&old, &now, &(struct hl_grouping){0}, NULL, &hl_format_text, &all);
	ck_assert_str_eq(text, "new.c:1: size=50 B (+50 B), count=1 (+1), average=50 B\n"
			       "gone.c:1: size=0 B (-50 B), count=0 (-1)\n"
			       "same.c:1: size=10 B (+0 B), count=1 (+0), average=10 B\n"
			       "zero.c:2: size=0 B (+0 B), count=1 (+1), average=0 B\n"
			       "zero.c:1: size=0 B (+0 B), count=1 (+1), average=0 B\n");
	free(text);
	model_release(&old);
	model_release(&now);
	hl_names_free(names);
}
END_TEST

static struct hl_provenance provenance(int complete)
{
	return (struct hl_provenance){.version = "1",
				      .trace = "t\377.hl",
				      .exe = "/bin/x",
				      .cmdline = "x y",
				      .at = "mark",
				      .label = "lab",
				      .uuid = "00ff",
				      .image = 3,
				      .pid = 42,
				      .number = 2,
				      .seconds = 1.5,
				      .complete = complete,
				      .totals = {1, 2, 3, 4, 5, 6, 7, 8}};
}

static void save(struct model *m, int complete, uint8_t **bytes, size_t *n)
{
	struct hl_provenance p = provenance(complete);
	struct hl_diag d;

	ck_assert_int_eq(hl_snapfile_write(&p, &m->heap, bytes, n, &d), HL_OK);
	ck_assert_int_eq(hl_snapfile_is(*bytes, *n), 1);
}

START_TEST(an_extracted_snapshot_reads_back_as_it_was)
{
	struct hl_names *names = hl_names_new(), *others = hl_names_new();
	struct hl_provenance p;
	struct model m, back;
	struct hl_diag d;
	uint8_t *bytes;
	size_t n;
	char *a, *b;

	model_init(&m, names);
	model_fixture(&m, 1);
	hl_names_set_truncated(names, model_stack(names, "a:2,b:4"));
	*model_site(&m, "dead.c:1", 2, HL_KIND_NEW) =
		(struct hl_stat){.total = 9, .allocations = 1, .temporary = 1};
	save(&m, 1, &bytes, &n);
	model_init(&back, others);
	hl_heap_release(&back.heap);
	hl_heap_init(&back.heap, back.stacks);
	ck_assert_int_eq(hl_snapfile_read(bytes, n, "x.hls", &p, &back.heap, &d), HL_OK);
	for (int by = 0; by < HL_BY_COUNT; by++)
		for (int sort = HL_SORT_LIVE; sort < HL_SORT_NUMBER; sort++) {
			struct hl_grouping g = {.by = by};

			a = model_stats(&m, &g, NULL, sort, &hl_format_json, &all);
			b = model_stats(&back, &g, NULL, sort, &hl_format_json, &all);
			ck_assert_str_eq(a, b);
			free(a);
			free(b);
		}
	ck_assert_str_eq(p.trace, "t\\xff.hl");
	ck_assert_str_eq(p.label, "lab");
	ck_assert_str_eq(p.uuid, "00ff");
	ck_assert_uint_eq(p.totals.lost, 8);
	ck_assert_uint_eq(p.image, 3);
	ck_assert(p.seconds == 1.5);
	ck_assert_int_eq(p.complete, 1);
	hl_provenance_release(&p);
	free(bytes);
	model_release(&m);
	model_release(&back);
	hl_names_free(names);
	hl_names_free(others);
}
END_TEST

START_TEST(a_damaged_snapshot_file_is_an_error_and_nothing_else)
{
	struct hl_names *names = hl_names_new();
	struct model m;
	static const struct hl_grouping g = {.by = HL_BY_TRACEBACK};
	uint8_t *bytes, *copy;
	char *want;
	size_t n;

	model_init(&m, names);
	model_fixture(&m, 1);
	save(&m, 0, &bytes, &n);
	want = model_stats(&m, &g, NULL, HL_SORT_LIVE, &hl_format_json, &all);
	copy = malloc(n);
	for (size_t i = 0; i < 3 * n; i++) {
		struct hl_names *others = hl_names_new();
		struct hl_provenance p = {0};
		struct hl_diag d = {0};
		struct model back;
		size_t bytes_left = i < n ? i : n;
		int err;

		memcpy(copy, bytes, n);
		if (i >= n)
			copy[i % n] ^= i < 2 * n ? 1 : 0x80;
		model_init(&back, others);
		hl_heap_release(&back.heap);
		hl_heap_init(&back.heap, back.stacks);
		err = hl_snapfile_read(copy, bytes_left, "x.hls", &p, &back.heap, &d);
		/* not every bit of a zstd frame has a meaning */
		if (!err && i >= n) {
			char *text = model_stats(&back, &g, NULL, HL_SORT_LIVE, &hl_format_json, &all);

			ck_assert_str_eq(text, want);
			free(text);
		} else {
			ck_assert_msg(err == HL_ERR_FORMAT && strstr(d.text, "x.hls: "), "byte %zu: %d %s",
				      i % n, err, d.text);
		}
		hl_provenance_release(&p);
		model_release(&back);
		hl_names_free(others);
	}
	free(copy);
	free(want);
	free(bytes);
	model_release(&m);
	hl_names_free(names);
}
END_TEST

/* An .hls file whose JSON is this; the status of reading it. */
static int read_json(const char *json)
{
	size_t room = ZSTD_compressBound(strlen(json)), n;
	uint8_t *bytes = malloc(HL_SNAPFILE_MAGIC_BYTES + room);
	struct hl_names *names = hl_names_new();
	struct hl_stacks *stacks = hl_stacks_new(names, NULL, NULL);
	struct hl_provenance p = {0};
	struct hl_heap heap;
	struct hl_diag d;
	int err;

	memcpy(bytes, HL_SNAPFILE_MAGIC, HL_SNAPFILE_MAGIC_BYTES);
	n = ZSTD_compress(bytes + HL_SNAPFILE_MAGIC_BYTES, room, json, strlen(json), 1);
	hl_heap_init(&heap, stacks);
	err = hl_snapfile_read(bytes, HL_SNAPFILE_MAGIC_BYTES + n, "x.hls", &p, &heap, &d);
	ck_assert(err == HL_OK || strstr(d.text, "x.hls: "));
	hl_provenance_release(&p);
	hl_heap_release(&heap);
	hl_stacks_free(stacks);
	hl_names_free(names);
	free(bytes);
	return err;
}

#define HLS(frames, tracebacks, threads, sites)                                                              \
	"{\"schema\":1,\"strings\":[\"a\",\"b\"],\"frames\":" frames ",\"tracebacks\":" tracebacks           \
	",\"threads\":" threads ",\"sites\":" sites "}"

START_TEST(no_number_of_a_snapshot_file_is_believed)
{
	static const char *const good[] = {
		HLS("[[0,1,1,0,0]]", "[[0,0,0],[1,0,1]]", "[[1,7]]", "[[2,0,0,1,2,3,4,5]]"),
		HLS("[[0,1,1,0,0,\"later\"]]", "[[0,0,0]]", "[[1,7]]", "[]"),
		"{\"schema\":1}",
	};
	static const char *const bad[] = {
		"",
		"[]",
		"{\"schema\":2}",
		"{\"schema\":-1}",
		"{\"schema\":1,\"strings\":[1]}",
		HLS("[[2,1,1,0,0]]", "[]", "[]", "[]"),                              /* no string 2 */
		HLS("[[0,-1,1,0,0]]", "[]", "[]", "[]"),                             /* a line below 0 */
		HLS("[[0,4294967296,1,0,0]]", "[]", "[]", "[]"),                     /* and one too large */
		HLS("[[0,1,1,0,4]]", "[]", "[]", "[]"),                              /* no such kind */
		HLS("[[0,1]]", "[]", "[]", "[]"),                                    /* too short */
		HLS("[0]", "[]", "[]", "[]"),                                        /* no array */
		HLS("[[0,1,1,0,0]]", "[[0,1,0]]", "[]", "[]"),                       /* no frame 1 */
		HLS("[[0,1,1,0,0]]", "[[1,0,0]]", "[]", "[]"),                       /* its own caller */
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[2,0]]", "[]"),                  /* no string 2 */
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[0,0]]", "[[0,0,0,1,1,1,1,1]]"), /* traceback 0 */
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[0,0]]", "[[2,0,0,1,1,1,1,1]]"), /* no traceback 2 */
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[0,0]]", "[[1,1,0,1,1,1,1,1]]"), /* no thread 1 */
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[0,0]]", "[[1,0,4,1,1,1,1,1]]"), /* no such kind */
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[0,0]]", "[[1,0,0,1,1,1,1]]"),
		HLS("[[0,1,1,0,0]]", "[[0,0,0]]", "[[0,0]]", "[[1,0,0,1.5,1,1,1,1]]"),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(read_json(good[i]) == HL_OK, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(read_json(bad[i]) == HL_ERR_FORMAT, "%s", bad[i]);
}
END_TEST

MODEL_MAIN("diff", rows_are_ordered_by_change_then_size_then_count,
	   an_extracted_snapshot_reads_back_as_it_was, a_damaged_snapshot_file_is_an_error_and_nothing_else,
	   no_number_of_a_snapshot_file_is_believed)
