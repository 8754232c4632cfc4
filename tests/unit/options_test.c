/*
 * options_test.c - the option parser, and that table, --help and manual page of every verb agree.
 */
#include "analyzer/cli/files.h"
#include "analyzer/cli/query.h"
#include "analyzer/cli/verbs.h"
#include "tests/unit/heap_model.h"
#include <check.h>
#include <unistd.h>

enum { WORDS = 16 };

static const struct hl_option table[] = {{'o', "output", "FILE", "where"},
					 {'q', "quiet", NULL, "no talk"},
					 {300, "depth", "N", "frames"},
					 {301, "force", NULL, "do it"},
					 {0}};
static const struct hl_verb plain = {.name = "verb", .summary = "s", .operands = "X", .options = table};
static const struct hl_verb stopping = {
	.name = "run", .summary = "s", .operands = "X", .options = table, .stop_at_operand = 1};

/* "id=arg ..." of a command line given as one string of words, then " | operands" or the error. */
static const char *parsed(const struct hl_verb *v, const char *line)
{
	static char out[1024];
	char *copy = strdup(line), *argv[WORDS] = {"verb"}, *save = NULL;
	struct hl_options o;
	struct hl_diag d;
	const char *arg;
	size_t n = 0;
	int argc = 1, id;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	out[0] = '\0';
	hl_options_start(&o, v, argc, argv);
	while ((id = hl_options_next(&o, &arg, &d)) > 0)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%d=%s ", id == HL_OPTION_HELP ? -1 : id,
				      arg ? arg : "");
	if (id < 0)
		snprintf(out, sizeof(out), "%s", d.text);
	else
		n += (size_t)snprintf(out + n, sizeof(out) - n, "|");
	for (int i = o.next; !id && i < argc; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, " %s", argv[i]);
	free(copy);
	return out;
}

START_TEST(options_are_found_in_every_form)
{
	ck_assert_str_eq(parsed(&plain, "-o f t.hl"), "111=f | t.hl");
	ck_assert_str_eq(parsed(&plain, "-of -q --depth=3 --depth 4 --force"),
			 "111=f 113= 300=3 300=4 301= |");
	ck_assert_str_eq(parsed(&plain, "t.hl --output f u.hl"), "111=f | t.hl u.hl");
	ck_assert_str_eq(parsed(&plain, "-- -q"), "| -q");
	ck_assert_str_eq(parsed(&plain, ""), "|");
	ck_assert_str_eq(parsed(&plain, "-h"), "-1= |");
	ck_assert_str_eq(parsed(&plain, "--help"), "-1= |");
}
END_TEST

START_TEST(options_of_a_command_are_its_own)
{
	ck_assert_str_eq(parsed(&stopping, "-q ls -o --force"), "113= | ls -o --force");
	ck_assert_str_eq(parsed(&stopping, "-q -- -o"), "113= | -o");
}
END_TEST

START_TEST(a_wrong_option_is_named_in_one_line)
{
	ck_assert_str_eq(parsed(&plain, "--bogus x"),
			 "verb: unknown option --bogus; see heapledger verb --help");
	ck_assert_str_eq(parsed(&plain, "-qz"), "verb: unknown option -z; see heapledger verb --help");
	ck_assert_str_eq(parsed(&plain, "-o"), "verb: option --output needs an argument");
	ck_assert_str_eq(parsed(&plain, "--depth"), "verb: option --depth needs an argument");
	ck_assert_str_eq(parsed(&plain, "--force=1"), "verb: option --force takes no argument");
	ck_assert_str_eq(parsed(&plain, "--quiet=1"), "verb: option --quiet takes no argument");
	ck_assert_str_eq(parsed(&plain, "--help=1"), "verb: option --help takes no argument");
}
END_TEST

START_TEST(sizes_are_powers_of_1024)
{
	static const struct {
		const char *s;
		unsigned long long bytes;
	} good[] = {{"0", 0},           {"64", 64},
		    {"64B", 64},        {"10k", 10240},
		    {"10K", 10240},     {"1KiB", 1024},
		    {"2M", 2 << 20},    {"3GB", 3ull << 30},
		    {"1t", 1ull << 40}, {"18446744073709551615", UINT64_MAX}};
	static const char *const bad[] = {
		"",          "k",  "-1",  "1.5M", "1x",  "1kk", "18446744073709551616",
		"16777216t", " 1", "1 k", "0x10", "1ki2"};
	unsigned long long v;
	struct hl_diag d;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(hl_parse_size(good[i].s, "buffer", &v, &d), HL_OK);
		ck_assert_uint_eq(v, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = 7;
		ck_assert_msg(hl_parse_size(bad[i], "buffer", &v, &d) == HL_ERR_USAGE, "%s", bad[i]);
		ck_assert_uint_eq(v, 7);
		ck_assert_ptr_nonnull(strstr(d.text, "--buffer"));
	}
}
END_TEST

START_TEST(times_have_units)
{
	static const struct {
		const char *s;
		double seconds;
	} good[] = {{"30", 30}, {"30s", 30}, {"0.5", .5}, {"5m", 300}, {"2h", 7200}, {"250ms", .25}};
	static const char *const bad[] = {"",    "s",   "-1", "1e3", "1.2.3",
					  "inf", "0x1", "1d", "1 s", "99999999999999"};
	struct hl_diag d;
	double v;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(hl_parse_seconds(good[i].s, "every", &v, &d), HL_OK);
		ck_assert(v == good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(hl_parse_seconds(bad[i], "every", &v, &d) == HL_ERR_USAGE, "%s", bad[i]);
}
END_TEST

START_TEST(numbers_keep_within_their_bounds)
{
	static const char *const bad[] = {"0", "65536", "", "x", "1x", "-1", "99999999999999999999999"};
	unsigned long v;
	struct hl_diag d;

	ck_assert_int_eq(hl_parse_uint("65535", "depth", 1, 65535, &v, &d), HL_OK);
	ck_assert_uint_eq(v, 65535);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(hl_parse_uint(bad[i], "depth", 1, 65535, &v, &d) == HL_ERR_USAGE, "%s", bad[i]);
}
END_TEST

static int query(const char *name, const char *arg)
{
	static const struct hl_option shared[] = {HL_GROUP_OPTIONS,  HL_FILTER_OPTIONS,   HL_FORMAT_OPTION,
						  HL_SYMBOL_OPTIONS, HL_TERMINAL_OPTIONS, {0}};
	const struct hl_cli cli = {0};
	struct hl_query q;
	struct hl_diag d = {HL_OK, ""};
	int result = 0;

	hl_query_init(&q, &cli);
	for (const struct hl_option *o = shared; o->id; o++)
		if (!strcmp(o->name, name))
			result = hl_query_option(&q, o->id, arg, &d);
	hl_query_release(&q);
	ck_assert((result < 0) == (d.text[0] != '\0'));
	return result;
}

START_TEST(every_shared_option_is_understood_and_its_values_checked)
{
	static const struct {
		const char *name, *good, *bad;
	} t[] = {
		{"by", "traceback", "line"},  {"number", "0", "-1"},
		{"limit", "-3", "--3"},       {"domain", "pool", "heap"},
		{"min-size", "4k", "4q"},     {"realloc", "origin", "first"},
		{"format", "csv", "xml"},     {"color", "always", "yes"},
		{"path-map", "/a=/b", "=/b"}, {"blame-rules", "/dev/null/x", "/dev/null/x"},
	};
	static const char *const any[] = {"cumulative", "dedup",     "most-recent-first",
					  "include",    "exclude",   "all-frames",
					  "thread",     "module",    "since",
					  "blame",      "debug-dir", "sysroot",
					  "no-inlines", "no-pager"};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (strcmp(t[i].good, t[i].bad))
			ck_assert_msg(query(t[i].name, t[i].good) == 1, "%s", t[i].name);
		ck_assert_msg(query(t[i].name, t[i].bad) == HL_ERR_USAGE, "%s", t[i].name);
	}
	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		ck_assert_msg(query(any[i], "x") == 1, "%s", any[i]);
}
END_TEST

/* A manual page without its markup: \- is -, fonts are nothing. */
static char *manual(const char *verb)
{
	char path[4096], *text, *o;
	uint8_t *bytes;
	size_t n;
	struct hl_diag d;

	snprintf(path, sizeof(path), "%s/man/heapledger-%s.1", model_root(), verb);
	ck_assert_msg(hl_read_file(path, 1 << 20, &bytes, &n, &d) == HL_OK, "%s", d.text);
	text = o = (char *)bytes;
	for (const char *p = text; *p;) {
		if (p[0] == '\\' && p[1] == '-')
			p++;
		else if (p[0] == '\\' && p[1] == 'f' && p[2]) {
			p += 3;
			continue;
		}
		*o++ = *p++;
	}
	*o = '\0';
	return text;
}

static int has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += n)
		if (!strchr("-=abcdefghijklmnopqrstuvwxyz", p[n]) || !p[n])
			return 1;
	return 0;
}

START_TEST(table_help_and_manual_page_list_the_same_options)
{
	for (size_t i = 0; hl_verbs[i]; i++) {
		const struct hl_verb *v = hl_verbs[i];
		char *help = NULL, *page = manual(v->name), word[64];
		size_t n = 0;
		FILE *out = open_memstream(&help, &n);

		hl_help_verb(out, v);
		fclose(out);
		for (const struct hl_option *o = v->options; o && o->id; o++) {
			snprintf(word, sizeof(word), "--%s", o->name);
			ck_assert_msg(has_word(help, word), "%s --help lacks %s", v->name, word);
			/* a page may describe an option by its letter only */
			if (o->id < 128 && !has_word(page, word))
				snprintf(word, sizeof(word), "-%c", o->id);
			ck_assert_msg(has_word(page, word), "heapledger-%s(1) lacks %s", v->name, word);
			for (const struct hl_option *p = v->options; p != o; p++)
				ck_assert_msg(p->id != o->id && strcmp(p->name, o->name), "%s: --%s twice",
					      v->name, o->name);
			ck_assert_msg(strlen(o->help) < 80 && !strchr(o->help, '\n'), "%s --%s", v->name,
				      o->name);
		}
		ck_assert_ptr_nonnull(strstr(help, v->operands));
		free(help);
		free(page);
	}
}
END_TEST

START_TEST(the_manual_lists_the_built_in_blame_rules)
{
	char *page = manual("stats"), *rules = strdup(hl_blame_defaults()), *save = NULL;

	for (char *r = strtok_r(rules, "\n", &save); r; r = strtok_r(NULL, "\n", &save))
		ck_assert_msg(strstr(page, r) != NULL, "%s", r);
	free(rules);
	free(page);
}
END_TEST

START_TEST(a_file_is_created_for_its_owner_and_never_overwritten_unasked)
{
	char directory[] = "/tmp/hl-files-XXXXXX", path[64], link[80];
	struct hl_diag d;
	uint8_t *bytes, peek[4];
	size_t n;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/x.hls", directory);
	snprintf(link, sizeof(link), "%s/link", directory);
	ck_assert_int_eq(hl_write_file(path, (const uint8_t *)"one", 3, 0, &d), HL_OK);
	ck_assert_int_eq(hl_write_file(path, (const uint8_t *)"two", 3, 0, &d), HL_ERR_IO);
	ck_assert_ptr_nonnull(strstr(d.text, "--force"));
	ck_assert_int_eq(hl_read_file(path, 10, &bytes, &n, &d), HL_OK);
	ck_assert_str_eq((char *)bytes, "one");
	free(bytes);
	ck_assert_int_eq(hl_write_file(path, (const uint8_t *)"two", 3, 1, &d), HL_OK);
	ck_assert_uint_eq(hl_peek_file(path, peek, sizeof(peek)), 3);
	ck_assert_mem_eq(peek, "two", 3);
	ck_assert_int_eq(hl_read_file(path, 2, &bytes, &n, &d), HL_ERR_FORMAT);
	ck_assert_int_eq(hl_read_file(directory, 2, &bytes, &n, &d), HL_ERR_IO);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(hl_write_file(link, (const uint8_t *)"no", 2, 0, &d), HL_ERR_IO);
	ck_assert_int_eq(hl_write_file(link, (const uint8_t *)"no", 2, 1, &d), HL_ERR_IO);
	unlink(link);
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0); /* no half files are left */
}
END_TEST

MODEL_MAIN("options", options_are_found_in_every_form, options_of_a_command_are_its_own,
	   a_wrong_option_is_named_in_one_line, sizes_are_powers_of_1024, times_have_units,
	   numbers_keep_within_their_bounds, every_shared_option_is_understood_and_its_values_checked,
	   table_help_and_manual_page_list_the_same_options, the_manual_lists_the_built_in_blame_rules,
	   a_file_is_created_for_its_owner_and_never_overwritten_unasked)
