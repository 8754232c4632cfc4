/*
 * suppress_fuzz.c - libFuzzer target: any bytes as a file of suppressions, as a baseline, and as names of functions.
 *
 * The first byte says which:
 *   0  a file of suppressions: refused, or matched against some stacks; a second time it gives the same
 *   1  a baseline: refused, or what is written of it is read again and written the same
 *   2  names, a NUL behind each: F function, perhaps | and its module, M module, anything else unknown: what is generated for them must match
 */
#include "analyzer/analysis/baseline.h"
#include "analyzer/analysis/suppress.h"
#include "analyzer/base/buf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok, const char *what, const char *text)
{
	if (!ok) {
		fprintf(stderr, "broken promise: %s\n%s\n", what, text);
		abort();
	}
}

static uint32_t frame(struct hl_names *names, const char *function, const char *module, uint8_t kind)
{
	struct hl_name_frame f = {.kind = kind, .line = 7};

	f.function = hl_names_intern(names, function);
	f.module = hl_names_intern(names, module);
	f.file = hl_names_intern(names, kind == HL_NAME_LINE ? "/src/a.c" : function);
	return hl_names_frame(names, &f);
}

static uint32_t some_stack(struct hl_names *names)
{
	uint32_t t = hl_names_traceback(names, 0, frame(names, "main", "/bin/prog", HL_NAME_LINE));

	t = hl_names_traceback(names, t, hl_names_unknown_frame(names));
	t = hl_names_traceback(names, t, frame(names, "libx.so+0x1", "/lib/libx.so", HL_NAME_OFFSET));
	t = hl_names_traceback(names, t, frame(names, "foo", "/lib/libx.so", HL_NAME_FUNCTION));
	t = hl_names_traceback(names, t, frame(names, "foo", "/lib/libx.so", HL_NAME_FUNCTION));
	return hl_names_traceback(
		names, t, frame(names, "std::vector<int>::push_back(int const&)", "/bin/prog", HL_NAME_LINE));
}

static void try_suppressions(const char *text, size_t n)
{
	struct hl_names *names = hl_names_new();
	struct hl_suppressions s = {0};
	struct hl_diag d = {0};
	uint32_t t = some_stack(names), first[4];

	if (!hl_suppressions_parse(&s, text, n, "file", &d)) {
		size_t once = s.n;

		for (int k = 0; k < HL_LEAK_KINDS; k++) {
			first[k] = hl_suppressions_match(&s, (enum hl_leak_kind)k, (unsigned)k, t, names);
			check(first[k] == HL_ID_NONE || first[k] < s.n, "an entry of the file", "");
		}
		check(!hl_suppressions_parse(&s, text, n, "again", &d) && s.n == 2 * once, "as before",
		      d.text);
		for (int k = 0; k < HL_LEAK_KINDS; k++)
			check(first[k] ==
				      hl_suppressions_match(&s, (enum hl_leak_kind)k, (unsigned)k, t, names),
			      "the first entry is the one", "");
	} else {
		check(!s.n && !strncmp(d.text, "file:", 5), "an error has its place, and leaves nothing",
		      d.text);
	}
	hl_suppressions_release(&s);
	hl_names_free(names);
}

static void try_baseline(const char *text, size_t n)
{
	struct hl_baseline b = {0}, again = {0};
	struct hl_buf one = {0}, two = {0};
	struct hl_diag d = {0};

	if (!hl_baseline_parse(&b, text, n, "file", &d)) {
		hl_baseline_write(&b, &one);
		check(!hl_baseline_parse(&again, (char *)one.data, one.len, "again", &d), "is read again",
		      d.text);
		hl_baseline_write(&again, &two);
		check(one.len == two.len && !memcmp(one.data, two.data, one.len), "is the same", "");
		check(!hl_baseline_mark_fixed(&b, &again, 15), "nothing is gone", "");
	} else {
		check(!b.n && !strncmp(d.text, "file:", 5), "an error has its place, and leaves nothing",
		      d.text);
	}
	hl_baseline_release(&b);
	hl_baseline_release(&again);
	hl_buf_release(&one);
	hl_buf_release(&two);
}

static int matches(const struct hl_buf *text, uint32_t t, const struct hl_names *names)
{
	struct hl_suppressions s = {0};
	struct hl_diag d = {0};
	int err = hl_suppressions_parse(&s, (char *)text->data, text->len, "made", &d);
	int yes = !err && !hl_suppressions_match(&s, HL_LEAK_DEFINITE, 4, t, names);

	hl_suppressions_release(&s);
	return yes;
}

static void try_names(char *text, size_t n)
{
	struct hl_names *names = hl_names_new();
	struct hl_buf out = {0};
	struct hl_baseline b = {0}, again = {0};
	struct hl_diag d = {0};
	uint32_t t = 0;
	char *end = text + n;

	for (char *s = text; s < end;) {
		size_t length = strnlen(s, (size_t)(end - s));
		char *function = s + 1, *module = length ? strchr(function, '|') : NULL;

		if (module)
			*module++ = '\0';
		t = hl_names_traceback(
			names, t,
			length && *s == 'F' ? frame(names, function, module ? module : "/p", HL_NAME_FUNCTION)
			: length && *s == 'M' ? frame(names, "m+0x1", function, HL_NAME_OFFSET)
					      : hl_names_unknown_frame(names));
		s += length + 1;
	}
	if (hl_suppressions_generate_valgrind(&out, HL_LEAK_DEFINITE, 4, t, names))
		check(matches(&out, t, names), "what is generated matches", hl_buf_string(&out));
	out.len = 0;
	if (hl_suppressions_generate_lsan(&out, t, names))
		check(matches(&out, t, names), "what is generated matches", hl_buf_string(&out));
	out.len = 0;
	hl_baseline_add(&b, HL_LEAK_DEFINITE, t, 1, 1, names);
	hl_baseline_write(&b, &out);
	check(!hl_baseline_parse(&again, (char *)out.data, out.len, "again", &d), "is read again", d.text);
	check(hl_baseline_find(&again, HL_LEAK_DEFINITE, hl_baseline_hash(names, t)) != NULL, "is known", "");
	hl_baseline_release(&b);
	hl_baseline_release(&again);
	hl_buf_release(&out);
	hl_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy;

	if (n < 1 || n > 20000)
		return 0;
	/* of its own size, so that reading behind it is seen; one more for names, which are strings */
	copy = malloc(n - 1 + (*data == 2) + !(n - 1));
	memcpy(copy, data + 1, n - 1);
	if (*data == 0) {
		try_suppressions(copy, n - 1);
	} else if (*data == 1) {
		try_baseline(copy, n - 1);
	} else if (*data == 2) {
		copy[n - 1] = '\0';
		try_names(copy, n);
	}
	free(copy);
	return 0;
}
