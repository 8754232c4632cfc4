/*
 * golden_test.c - the analysis prints, line by line, what python3's tracemalloc prints: for the golden
 * fixture (tests/golden/fixture.json, made by random.py fixture) and for random snapshots.
 */
#include "tests/unit/heap_model.h"
#include <check.h>
#include <jansson.h>

static void add_traces(struct model *m, const json_t *traces)
{
	size_t i, k;
	json_t *trace, *frame;

	json_array_foreach(traces, i, trace)
	{
		const json_t *frames = json_array_get(trace, 2);
		const char *domain = json_string_value(json_array_get(trace, 1));
		uint64_t size = (uint64_t)json_integer_value(json_array_get(trace, 0));
		uint32_t t = 0, site;
		unsigned kind = 0;

		for (k = json_array_size(frames); k--;) {
			frame = json_array_get(frames, k);
			t = hl_names_traceback(
				m->names, t,
				model_frame(m->names, json_string_value(json_array_get(frame, 0)),
					    (uint32_t)json_integer_value(json_array_get(frame, 1))));
		}
		while (strcmp(domain, hl_kind_name(kind)))
			kind++;
		site = hl_heap_site(&m->heap, t, 1, kind, NULL);
		m->heap.sites[site].stat.size += size;
		m->heap.sites[site].stat.count++;
	}
}

static void add_patterns(struct hl_patterns *to, const json_t *patterns)
{
	json_t *pattern;
	size_t i;

	json_array_foreach(patterns, i, pattern)
	{
		const json_t *line = json_array_get(pattern, 1);
		char text[256], number[16] = "";

		if (json_is_integer(line))
			snprintf(number, sizeof(number), ":%d", (int)json_integer_value(line));
		snprintf(text, sizeof(text), "%s%s", json_string_value(json_array_get(pattern, 0)), number);
		hl_filter_add(to, text, 1);
	}
}

static char *ask(struct model *old, struct model *now, const json_t *query)
{
	struct hl_grouping g = {.cumulative = json_is_true(json_object_get(query, "cumulative"))};
	struct hl_filter f = {.all_frames = json_is_true(json_object_get(query, "all_frames"))};
	struct hl_style style = {.most_recent_first =
					 json_is_true(json_object_get(query, "most_recent_first"))};
	const json_t *limit = json_object_get(query, "limit"), *domain = json_object_get(query, "domain");
	struct hl_diag d;
	char *text;

	ck_assert_int_eq(hl_by_parse(json_string_value(json_object_get(query, "by")), &g.by, &d), HL_OK);
	style.has_frames = json_is_integer(limit);
	style.frames = json_integer_value(limit);
	add_patterns(&f.include, json_object_get(query, "include"));
	add_patterns(&f.exclude, json_object_get(query, "exclude"));
	if (domain)
		ck_assert_int_eq(hl_filter_add_kind(&f, json_string_value(domain), &d), HL_OK);
	text = json_is_true(json_object_get(query, "diff"))
		       ? model_diff(old, now, &g, &f, &hl_format_text, &style)
		       : model_stats(old, &g, &f, HL_SORT_LIVE, &hl_format_text, &style);
	hl_filter_release(&f);
	return text;
}

static char *join(const json_t *lines)
{
	char *text = NULL;
	size_t n = 0, i;
	FILE *out = open_memstream(&text, &n);
	json_t *line;

	json_array_foreach(lines, i, line) fprintf(out, "%s\n", json_string_value(line));
	fclose(out);
	return text;
}

/* The number of queries answered. */
static size_t check_case(const json_t *c)
{
	struct hl_names *names = hl_names_new();
	struct model old, now;
	json_t *query;
	size_t i;

	model_init(&old, names);
	model_init(&now, names);
	add_traces(&old, json_object_get(c, "old"));
	add_traces(&now, json_object_get(c, "new"));
	json_array_foreach(json_object_get(c, "queries"), i, query)
	{
		char *got = ask(&old, &now, query), *want = join(json_object_get(query, "lines"));

		if (strcmp(got, want)) {
			char *asked = json_dumps(query, JSON_INDENT(1)), *given = json_dumps(c, JSON_COMPACT);

			ck_abort_msg("got:\n%s\nquery:\n%s\ncase:\n%s", got, asked, given);
		}
		free(got);
		free(want);
	}
	model_release(&old);
	model_release(&now);
	hl_names_free(names);
	return i;
}

static size_t check_stream(FILE *in)
{
	json_error_t why;
	json_t *root = json_loadf(in, 0, &why), *c;
	size_t i, n = 0;

	ck_assert_msg(root != NULL, "%s", why.text);
	json_array_foreach(json_object_get(root, "cases"), i, c) n += check_case(c);
	json_decref(root);
	return n;
}

START_TEST(the_golden_fixture_reads_as_tracemalloc_prints_it)
{
	char path[4096];
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/golden/fixture.json", model_root());
	in = fopen(path, "r");
	ck_assert_msg(in != NULL, "%s", path);
	ck_assert_uint_eq(check_stream(in), 10);
	fclose(in);
}
END_TEST

START_TEST(random_snapshots_read_as_tracemalloc_prints_them)
{
	const char *seed = getenv("HL_SEED");
	char command[4096];
	FILE *in;

	if (system("python3 -c 'import tracemalloc' 2>/dev/null")) {
		fprintf(stderr, "skipped: no python3\n");
		return;
	}
	snprintf(command, sizeof(command),
		 "PYTHONIOENCODING=utf-8 python3 '%s/tests/golden/random.py' %d 400", model_root(),
		 seed ? atoi(seed) : 1);
	in = popen(command, "r");
	ck_assert(in != NULL);
	ck_assert_uint_eq(check_stream(in), 2400);
	ck_assert_int_eq(pclose(in), 0);
}
END_TEST

/* Every number of the fixture as the specification lists it, independent of the Python here. */
START_TEST(the_golden_fixture_has_the_numbers_of_the_specification)
{
	static const struct hl_style style = {0};
	struct hl_names *names = hl_names_new();
	struct model old, now;
	char *text;

	model_init(&old, names);
	model_init(&now, names);
	model_fixture(&old, 1);
	model_fixture(&now, 2);
	text = model_stats(&old, &(struct hl_grouping){.by = HL_BY_LINENO}, NULL, HL_SORT_LIVE,
			   &hl_format_text, &style);
	ck_assert_str_eq(text, "b:1: size=66 B, count=1, average=66 B\n"
			       "a:2: size=30 B, count=3, average=10 B\n"
			       "<unknown>:0: size=7 B, count=1, average=7 B\n"
			       "a:5: size=2 B, count=1, average=2 B\n");
	free(text);
	text = model_diff(&old, &now, &(struct hl_grouping){.by = HL_BY_LINENO}, NULL, &hl_format_text,
			  &style);
	ck_assert_str_eq(text, "a:5: size=5002 B (+5000 B), count=2 (+1), average=2501 B\n"
			       "c:578: size=400 B (+400 B), count=1 (+1), average=400 B\n"
			       "b:1: size=0 B (-66 B), count=0 (-1)\n"
			       "<unknown>:0: size=0 B (-7 B), count=0 (-1)\n"
			       "a:2: size=30 B (+0 B), count=3 (+0), average=10 B\n");
	free(text);
	text = model_stats(&old, &(struct hl_grouping){.by = HL_BY_FILENAME, .cumulative = 1}, NULL,
			   HL_SORT_LIVE, &hl_format_text, &style);
	ck_assert_str_eq(text, "b:0: size=98 B, count=5, average=20 B\n"
			       "a:0: size=32 B, count=4, average=8 B\n"
			       "<unknown>:0: size=7 B, count=1, average=7 B\n");
	free(text);
	model_release(&old);
	model_release(&now);
	hl_names_free(names);
}
END_TEST

MODEL_MAIN("golden", the_golden_fixture_reads_as_tracemalloc_prints_it,
	   random_snapshots_read_as_tracemalloc_prints_them,
	   the_golden_fixture_has_the_numbers_of_the_specification)
