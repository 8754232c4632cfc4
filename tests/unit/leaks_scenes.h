/*
 * leaks_scenes.h - checks made by hand, for the tests of their formats.
 */
#ifndef HL_TESTS_LEAKS_SCENES_H
#define HL_TESTS_LEAKS_SCENES_H

#include "analyzer/report/leaks.h"
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a program can call itself: control characters, markup of every format, bidirectional controls, bytes that are not
 * UTF-8, U+FFFF, a formula, a workflow command. */
#define HOSTILE                                                                                              \
	"=<f>&\"'\033[31m\n::error::x\r%41,|`*[x](y){0}]]>\xe2\x80\xae"                                      \
	"\xff\xef\xbf\xbf"

enum { SCENE_LOSSES = 40 };

struct scene {
	struct hl_names *names;
	struct hl_loss loss[2][SCENE_LOSSES];
	struct hl_ring_member ring[2];
	struct hl_supp_used used[3];
	struct hl_limit limit[2];
	struct hl_growth growth[2];
	uint64_t addresses[2];
	struct hl_losses process[2];
	struct hl_check check;
};

static inline uint32_t scene_frame(struct scene *s, enum hl_name_kind kind, const char *file, uint32_t line,
				   const char *function, const char *module)
{
	struct hl_names *n = s->names;

	return hl_names_frame(n, &(struct hl_name_frame){hl_names_intern(n, file), line,
							 hl_names_intern(n, function),
							 hl_names_intern(n, module), kind});
}

/* Called by main at /nosuch/main.c:9; line 0: the frame has none. */
static inline uint32_t scene_stack(struct scene *s, const char *file, uint32_t line, const char *function)
{
	uint32_t tb = hl_names_traceback(
		s->names, 0, scene_frame(s, HL_NAME_LINE, "/nosuch/main.c", 9, "main", "/nosuch/build/prog"));

	return hl_names_traceback(s->names, tb,
				  scene_frame(s, line ? HL_NAME_LINE : HL_NAME_FUNCTION, file, line, function,
					      "/nosuch/build/prog"));
}

static inline struct hl_loss *scene_lose(struct scene *s, int process, struct hl_loss l)
{
	struct hl_losses *p = &s->process[process];

	if (!l.hash)
		l.hash = 0x1000 + p->n;
	p->loss = s->loss[process];
	p->loss[p->n] = l;
	if (!l.suppression) {
		p->bytes[l.kind] += l.bytes;
		p->blocks[l.kind] += l.blocks;
	} else {
		p->suppressed_bytes += l.bytes;
		p->suppressed_blocks += l.blocks;
	}
	return &p->loss[p->n++];
}

static inline void scene_start(struct scene *s, size_t processes)
{
	*s = (struct scene){.names = hl_names_new()};
	for (size_t i = 0; i < processes; i++)
		s->process[i] = (struct hl_losses){.names = s->names,
						   .program = i ? "/usr/bin/child" : "/nosuch/build/prog",
						   .trace = i ? "t.hl.43" : "t.hl",
						   .command_line = i ? "child" : "./prog --fast",
						   .pid = 42 + (uint32_t)i,
						   .ppid = 41,
						   .seconds = 1.5,
						   .tier = "exact",
						   .fail_kinds = 1u << HL_LEAK_DEFINITE};
	s->check = (struct hl_check){.process = s->process, .n = processes, .judged = 1};
}

static inline void scene_judge(struct scene *s)
{
	for (size_t i = 0; i < s->check.n; i++) {
		hl_losses_sort(&s->process[i]);
		hl_losses_judge(&s->process[i]);
		if (s->process[i].failing)
			s->check.status = 99;
	}
}

static inline void scene_end(struct scene *s)
{
	hl_names_free(s->names);
}

/* One of each kind, a ring, one suppressed. */
static inline void scene_leaks(struct scene *s)
{
	uint32_t table;

	scene_start(s, 1);
	table = scene_stack(s, "/nosuch/lib/table.c", 12, "table_new(unsigned long)");
	s->addresses[0] = 0x401136;
	s->addresses[1] = 0x40115a;
	s->used[0] = (struct hl_supp_used){"leak:parse_*", "/nosuch/supp.txt:3", 400, 4,
					   HL_SUPP_NO_MAX, HL_SUPP_NO_MAX,       0,   0};
	s->process[0].used = s->used;
	s->process[0].nused = 1;
	s->process[0].totals = (struct hl_totals){
		.size = 1738, .count = 14, .allocations = 1020, .frees = 1006, .total = 123456};
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_DEFINITE,
				    .traceback = table,
				    .addresses = s->addresses,
				    .function = "malloc",
				    .bytes = 1048,
				    .blocks = 3,
				    .indirect_bytes = 32,
				    .indirect_blocks = 1,
				    .address = 0x55550010});
	s->ring[0] = (struct hl_ring_member){scene_stack(s, "/nosuch/lib/node.c", 20, "node_new"), 48, 8};
	s->ring[1] = (struct hl_ring_member){scene_stack(s, "/nosuch/lib/node.c", 21, "node_peer"), 48, 16};
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_DEFINITE,
				    .cycle = 1,
				    .traceback = s->ring[0].traceback,
				    .function = "operator new",
				    .bytes = 96,
				    .blocks = 2,
				    .ring = s->ring,
				    .nring = 2});
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_INDIRECT,
				    .traceback = scene_stack(s, "/nosuch/lib/item.c", 5, "item_new"),
				    .bytes = 32,
				    .blocks = 1});
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_POSSIBLE,
				    .traceback = scene_stack(s, "prog!inner", 0, "inner"),
				    .bytes = 10,
				    .blocks = 1});
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_REACHABLE, .traceback = 0, .bytes = 120, .blocks = 3});
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_DEFINITE,
				    .traceback = scene_stack(s, "/nosuch/lib/parse.c", 7, "parse_line"),
				    .bytes = 400,
				    .blocks = 4,
				    .suppression = 1});
	scene_judge(s);
}

static inline void scene_empty(struct scene *s)
{
	scene_start(s, 1);
	scene_judge(s);
}

static inline void scene_incomplete(struct scene *s)
{
	scene_start(s, 1);
	s->process[0].incomplete = 1;
	s->process[0].why_incomplete = "nothing was recorded: " HOSTILE;
	s->check.status = 4;
}

/* Every name that a program or a user can choose. */
static inline void scene_hostile(struct scene *s)
{
	uint32_t tb;

	scene_start(s, 1);
	tb = hl_names_traceback(
		s->names, 0,
		scene_frame(s, HL_NAME_LINE, "/nosuch/" HOSTILE ".c", 3, HOSTILE, "/lib/" HOSTILE));
	s->process[0].program = "/nosuch/" HOSTILE;
	s->process[0].command_line = HOSTILE;
	s->process[0].trace = HOSTILE;
	s->used[0] = (struct hl_supp_used){HOSTILE,        "/nosuch/" HOSTILE ":3", 0, 0,
					   HL_SUPP_NO_MAX, HL_SUPP_NO_MAX,          1, 0};
	s->used[1] = (struct hl_supp_used){HOSTILE, NULL, 30, 3, 4096, 2, 0, 1};
	s->used[2] = (struct hl_supp_used){HOSTILE, NULL, 30, 3, HL_SUPP_NO_MAX, HL_SUPP_NO_MAX, 0, 0};
	s->process[0].used = s->used;
	s->process[0].nused = 3;
	s->limit[0] = (struct hl_limit){"max-peak", HOSTILE, 10, 20, 1, 0};
	s->process[0].limit = s->limit;
	s->process[0].nlimits = 1;
	s->ring[0] = (struct hl_ring_member){tb, 8, 0};
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_DEFINITE,
				    .cycle = 1,
				    .traceback = tb,
				    .function = "malloc",
				    .bytes = 8,
				    .blocks = 1,
				    .ring = s->ring,
				    .nring = 1});
	tb = hl_names_traceback(
		s->names, 0,
		scene_frame(s, HL_NAME_OFFSET, HOSTILE "+0x12", 0, HOSTILE "+0x12", "/" HOSTILE));
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_POSSIBLE, .traceback = tb, .bytes = 1, .blocks = 1});
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_POSSIBLE,
				    .traceback =
					    hl_names_traceback(s->names, 0, hl_names_unknown_frame(s->names)),
				    .suppression = 3,
				    .bytes = 30,
				    .blocks = 3});
	scene_judge(s);
}

/* Two processes, a baseline, the same loss in both, more of them than GitHub shows. */
static inline void scene_family(struct scene *s)
{
	scene_start(s, 2);
	for (int p = 0; p < 2; p++) {
		s->process[p].baseline = 1;
		s->process[p].fixed = 2;
		for (uint32_t i = 0; i < 7; i++)
			scene_lose(s, p,
				   (struct hl_loss){.kind = HL_LEAK_DEFINITE,
						    .traceback = scene_stack(s, "/nosuch/a.c", 10 + i, "a"),
						    .bytes = 100 - i,
						    .blocks = 1,
						    .hash = 0xabc,
						    .state = i == 0   ? HL_LOSS_KNOWN
							     : i == 1 ? HL_LOSS_GROWN
								      : HL_LOSS_NEW,
						    .baseline_bytes = i == 0   ? 100
								      : i == 1 ? 9
									       : 0,
						    .baseline_blocks = i < 2});
	}
	scene_judge(s);
}

/* A stack that grows, beside a leak. */
static inline void scene_growth(struct scene *s)
{
	scene_start(s, 1);
	s->addresses[0] = 0x401136;
	s->addresses[1] = 0x40115a;
	s->growth[0] = (struct hl_growth){.traceback = scene_stack(s, "/nosuch/lib/cache.c", 12, "cache_add"),
					  .addresses = s->addresses,
					  .hash = 0x2000,
					  .times = 4,
					  .from_bytes = 1258291,
					  .from_blocks = 3,
					  .to_bytes = 5242880,
					  .to_blocks = 9};
	s->growth[1] = (struct hl_growth){.hash = 0x2001, .times = 4, .to_bytes = 100, .to_blocks = 1};
	s->limit[0] = (struct hl_limit){"max-growth", "2 stacks grew", 10, 3984589, 1, 1};
	s->process[0].growth = s->growth;
	s->process[0].ngrowths = 2;
	s->process[0].limit = s->limit;
	s->process[0].nlimits = 1;
	scene_lose(s, 0,
		   (struct hl_loss){.kind = HL_LEAK_DEFINITE,
				    .traceback = scene_stack(s, "/nosuch/lib/table.c", 12, "table_new"),
				    .bytes = 10,
				    .blocks = 1});
	scene_judge(s);
	s->check.status = 99;
}

/* A name of 1 to 40 bytes, most of which mean something to somebody; alive as long as s->names. */
static inline const char *scene_random_name(struct scene *s, const char *before, uint32_t *seed)
{
	static const char *const parts[] = {"\x01",
					    "\t",
					    "\n",
					    "\r",
					    "\033",
					    "\x7f",
					    "\x80",
					    "\xc2",
					    "\xc2\x85",
					    "\xed\xa0\x80",
					    "\xef\xbf\xbe",
					    "\xe2\x80\xa8",
					    "\xf0\x9f\x92\xa7",
					    "\xf4\x90",
					    "<",
					    ">",
					    "&",
					    "&amp;",
					    "\"",
					    "'",
					    "]]>",
					    "<!--",
					    "%",
					    "%0A",
					    ",",
					    ":",
					    "::",
					    ";",
					    "|",
					    "`",
					    "\\",
					    "{",
					    "}",
					    "[",
					    "](",
					    "=",
					    "+",
					    "-",
					    "@",
					    "/",
					    "..",
					    "/../",
					    "a",
					    "Z",
					    "9",
					    " ",
					    "#",
					    "?",
					    "$",
					    "*",
					    "_",
					    "~"};
	char name[256];
	size_t n = (size_t)snprintf(name, sizeof(name), "%s", before), count;

	*seed = *seed * 1664525u + 1013904223u;
	count = 1 + (*seed >> 16) % 20;
	for (size_t i = 0; i < count; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		n += (size_t)snprintf(name + n, sizeof(name) - n, "%s",
				      parts[(*seed >> 16) % (sizeof(parts) / sizeof(parts[0]))]);
	}
	return hl_names_string(s->names, hl_names_intern(s->names, name));
}

static inline void scene_random(struct scene *s)
{
	uint32_t seed = 1;

	scene_start(s, 1);
	s->process[0].program = scene_random_name(s, "/nosuch/", &seed);
	s->process[0].command_line = scene_random_name(s, "", &seed);
	s->process[0].trace = scene_random_name(s, "", &seed);
	s->process[0].incomplete = 1;
	s->process[0].why_incomplete = scene_random_name(s, "", &seed);
	for (uint32_t i = 0; i < 9; i++) {
		const char *file = scene_random_name(s, i % 3 ? "/nosuch/" : "", &seed);
		const char *function = scene_random_name(s, "", &seed);
		uint32_t frame = scene_frame(s, i % 4 ? HL_NAME_LINE : HL_NAME_OFFSET, file, i % 4, function,
					     scene_random_name(s, "/", &seed));

		scene_lose(s, 0,
			   (struct hl_loss){.kind = i % HL_LEAK_KINDS,
					    .traceback = hl_names_traceback(s->names, 0, frame),
					    .function = scene_random_name(s, "", &seed),
					    .bytes = i,
					    .blocks = 1});
	}
	scene_judge(s);
	s->check.status = 4;
}

static const struct scene_name {
	const char *name;
	void (*make)(struct scene *s);
} scenes[] = {{"leaks", scene_leaks},     {"empty", scene_empty},   {"incomplete", scene_incomplete},
	      {"hostile", scene_hostile}, {"random", scene_random}, {"family", scene_family},
	      {"growth", scene_growth}};
enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* What a format writes of it, malloc'd. */
static inline char *scene_write(const struct scene *s, const char *format, const struct hl_check_style *style)
{
	const struct hl_check_format *f = hl_check_format_find(format);
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	f->write(out, style, &s->check);
	fclose(out);
	return text;
}

static const struct hl_check_style below_src = {.source_root = "/nosuch"};
static const char *const formats[] = {"text",   "json",   "csv",      "sarif",       "junit",
				      "github", "gitlab", "valgrind", "valgrind-xml"};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static inline void expect(void (*make)(struct scene *), const char *format,
			  const struct hl_check_style *style, const char *want)
{
	struct scene s;
	char *text;

	make(&s);
	text = scene_write(&s, format, style);
	ck_assert_str_eq(text, want);
	free(text);
	scene_end(&s);
}

static inline json_t *parsed(void (*make)(struct scene *), const char *format)
{
	struct scene s;
	json_error_t e;
	json_t *root;
	char *text;

	make(&s);
	text = scene_write(&s, format, &below_src);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	ck_assert_msg(root != NULL, "%s: %s", e.text, text);
	free(text);
	scene_end(&s);
	return root;
}

/* "a.b.0.c" */
static inline const json_t *at(const json_t *o, const char *path)
{
	char *copy = strdup(path), *next = copy, *part;

	while (o && (part = strsep(&next, ".")))
		o = json_is_array(o) ? json_array_get(o, strtoul(part, NULL, 10)) : json_object_get(o, part);
	free(copy);
	ck_assert_msg(o != NULL, "no %s", path);
	return o;
}

static inline const char *text_at(const json_t *o, const char *path)
{
	ck_assert_msg(json_is_string(at(o, path)), "%s is no string", path);
	return json_string_value(at(o, path));
}

static inline long long number_at(const json_t *o, const char *path)
{
	ck_assert_msg(json_is_integer(at(o, path)), "%s is no integer", path);
	return json_integer_value(at(o, path));
}

static inline int scene_tests(const char *suite, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(suite);
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
