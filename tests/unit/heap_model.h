/*
 * heap_model.h - a heap made by hand for tests: blocks with stacks written as "a:2,b:4", newest first.
 */
#ifndef HL_TESTS_HEAP_MODEL_H
#define HL_TESTS_HEAP_MODEL_H

#include "analyzer/analysis/diff.h"
#include "analyzer/analysis/order.h"
#include "analyzer/analysis/view.h"
#include "analyzer/report/report.h"
#include <stdlib.h>
#include <string.h>

/* The top of the source tree. */
static inline const char *model_root(void)
{
	const char *root = getenv("HL_ROOT");

	return root ? root : ".";
}

struct model {
	struct hl_names *names;
	struct hl_stacks *stacks;
	struct hl_heap heap;
};

static inline void model_init(struct model *m, struct hl_names *names)
{
	m->names = names;
	m->stacks = hl_stacks_new(names, NULL, NULL);
	hl_heap_init(&m->heap, m->stacks);
	hl_heap_add_thread(&m->heap, 1, "main", 100);
	hl_heap_add_thread(&m->heap, 2, "worker", 101);
}

static inline void model_release(struct model *m)
{
	hl_heap_release(&m->heap);
	hl_stacks_free(m->stacks);
}

/* "FILE:LINE", function "f_FILE", module "/lib/mod" */
static inline uint32_t model_frame(struct hl_names *n, const char *file, uint32_t line)
{
	char function[256];

	snprintf(function, sizeof(function), "f_%s", file);
	return hl_names_frame(n, &(struct hl_name_frame){hl_names_intern(n, file), line,
							 hl_names_intern(n, function),
							 hl_names_intern(n, "/lib/mod"), HL_NAME_LINE});
}

static inline uint32_t model_stack(struct hl_names *n, const char *stack)
{
	char *copy = strdup(stack), *end = copy + strlen(copy);
	uint32_t t = 0;

	while (end > copy) { /* oldest first: from the back */
		char *comma, *colon;

		*end = '\0';
		comma = strrchr(copy, ',');
		end = comma ? comma : copy;
		colon = strrchr(comma ? comma + 1 : copy, ':');
		*colon = '\0';
		t = hl_names_traceback(n, t,
				       model_frame(n, comma ? comma + 1 : copy, (uint32_t)atoi(colon + 1)));
	}
	free(copy);
	return t;
}

static inline struct hl_stat *model_site(struct model *m, const char *stack, uint32_t thread,
					 enum hl_kind kind)
{
	uint32_t site = hl_heap_site(&m->heap, model_stack(m->names, stack), thread, kind, NULL);

	return &m->heap.sites[site].stat;
}

static inline void model_add(struct model *m, uint64_t size, const char *stack)
{
	struct hl_stat *s = model_site(m, stack, 1, HL_KIND_MALLOC);

	s->size += size;
	s->total += size;
	s->count++;
	s->allocations++;
}

/* The golden fixture of tests/golden/fixture.py. */
static inline void model_fixture(struct model *m, int snapshot)
{
	for (int i = 0; i < 3; i++)
		model_add(m, 10, "a:2,b:4");
	model_add(m, 2, "a:5,b:4");
	if (snapshot == 1) {
		model_add(m, 66, "b:1");
		model_add(m, 7, "<unknown>:0");
	} else {
		model_add(m, 5000, "a:5,b:4");
		model_add(m, 400, "c:578");
	}
}

/* What a format prints, malloc'd. */
static inline char *model_stats(struct model *m, const struct hl_grouping *g, const struct hl_filter *f,
				enum hl_sort sort, const struct hl_format *format,
				const struct hl_style *style)
{
	struct hl_view *v = hl_view_new(&m->heap, g, f, NULL);
	struct hl_rows rows;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	hl_view_rows(v, sort, format == &hl_format_text ? 0 : HL_VIEW_FULL, &rows);
	format->stats(out, style,
		      &(struct hl_stats_report){.snapshot = {"t.hl", "mark", 2, "la\"bel", 1.5},
						.totals = {.size = 115},
						.rows = &rows});
	fclose(out);
	free(rows.row);
	hl_view_free(v);
	return text;
}

static inline char *model_diff(struct model *old, struct model *now, const struct hl_grouping *g,
			       const struct hl_filter *f, const struct hl_format *format,
			       const struct hl_style *style)
{
	struct hl_view *a = hl_view_new(&old->heap, g, f, NULL), *b = hl_view_new(&now->heap, g, f, NULL);
	struct hl_rows x, y;
	struct hl_diff diff;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	hl_view_rows(a, HL_SORT_LIVE, 0, &x);
	hl_view_rows(b, HL_SORT_LIVE, 0, &y);
	hl_diff_rows(&x, &y, &diff);
	format->diff(out, style,
		     &(struct hl_diff_report){
			     {"o.hl", "end", 0, "", 0}, {"n.hl", "end", 0, "", 1}, {0}, {0}, &diff});
	fclose(out);
	free(diff.row);
	free(x.row);
	free(y.row);
	hl_view_free(a);
	hl_view_free(b);
	return text;
}

#define MODEL_MAIN(suite_name, ...)                                                                          \
	int main(void)                                                                                       \
	{                                                                                                    \
		const TTest *const tests[] = {__VA_ARGS__};                                                  \
		Suite *s = suite_create(suite_name);                                                         \
		TCase *c = tcase_create("all");                                                              \
		SRunner *r;                                                                                  \
		int failed;                                                                                  \
                                                                                                             \
		tcase_set_timeout(c, 60);                                                                    \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                                \
			tcase_add_test(c, tests[i]);                                                         \
		suite_add_tcase(s, c);                                                                       \
		r = srunner_create(s);                                                                       \
		srunner_run_all(r, CK_ENV);                                                                  \
		failed = srunner_ntests_failed(r);                                                           \
		srunner_free(r);                                                                             \
		return failed != 0;                                                                          \
	}

#endif
